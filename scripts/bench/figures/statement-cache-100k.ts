/** Memory of the statements of others that a process holds. */
import path from 'node:path';
import type { Figure } from '../figure.ts';
import type { FillCommand, FillReply } from '../memory/fill-plan.ts';
import { startWorker } from '../service/child-process.ts';
import { nodeOptionsOfStart } from '../service/holdfast-process.ts';

const STATEMENTS = 100_000;
const SCRIPT = path.join(import.meta.dirname, '../memory/fill-statement-cache.ts');

export const statementCache100k: Figure = {
  name: 'statement_cache_100k',
  summary: 'resident memory that 100,000 cached statements of about 1 KB add to a process',
  unit: 'MB',
  target: 300,
  better: 'lower',
  async measure(bench) {
    bench.progress('signing, validating and keeping 100,000 statements');
    await using worker = startWorker(SCRIPT, [...nodeOptionsOfStart(), '--expose-gc']);
    const reply = await worker.ask<FillReply>({ statements: STATEMENTS } satisfies FillCommand);
    if (reply.kind === 'failed') throw new Error(reply.message);
    const { residentBytes, heapBytes, countedBytes, statementBytes } = reply.result;
    return {
      value: residentBytes / 1e6,
      details: { heapMb: heapBytes / 1e6, countedMb: countedBytes / 1e6, statementBytes },
    };
  },
};
