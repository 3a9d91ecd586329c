/** The process whose statement cache is filled; it needs --expose-gc. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { MEDIA_TYPE } from '../../../src/federation/media-types.ts';
import type { EntityStatement } from '../../../src/federation/statement/entity-statement.ts';
import { validateEntityConfiguration } from '../../../src/federation/statement/validate-statement.ts';
import type { Clock } from '../../../src/federation/time.ts';
import type { StatementSource } from '../../../src/federation/trust-chain/statement-source.ts';
import { createHttpStatementSource, type HttpGet } from '../../../src/resolver/http-statement-source.ts';
import { StatementCache } from '../../../src/resolver/statement-cache.ts';
import { buildFederation, type TestFederation } from '../../../test/support/federation.ts';
import { subordinateIdentifier } from '../samples/registry-records.ts';
import { ANCHOR_POLICY } from '../samples/relying-party.ts';
import type { FillCommand, FillReply, FillResult } from './fill-plan.ts';

/** Room for all of them: what is measured is what they take, not what the limit lets stay. */
const MAX_BYTES = 1024 ** 3;
const WARM_UP_STATEMENTS = 2_000;
const CONCURRENCY = 16;
const COLLECTIONS = 4;

const clock: Clock = { now: () => Math.floor(Date.now() / 1000) };

process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
process.once('message', ({ statements }: FillCommand) => {
  fill(statements).then(
    (result) => reply({ kind: 'filled', result }),
    (error: unknown) => reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});

function reply(message: FillReply): void {
  process.send?.(message);
}

async function fill(statements: number): Promise<FillResult> {
  const federation = await buildFederation(
    { anchor: {}, rp: { superiors: { anchor: { metadata_policy: ANCHOR_POLICY } } } },
    { clock },
  );
  const issuer = await validateEntityConfiguration(await federation.configuration('anchor'), federation.id('anchor'), {
    now: clock.now(),
  });
  const superior: Superior = { federation, issuer, sentBytes: 0 };
  await obtainAll(superior, new StatementCache({ clock, maxBytes: MAX_BYTES }), WARM_UP_STATEMENTS);
  const before = await settledMemory();
  superior.sentBytes = 0;
  const cache = new StatementCache({ clock, maxBytes: MAX_BYTES });
  await obtainAll(superior, cache, statements);
  const after = await settledMemory();
  await requireAll(superior, cache, statements);
  return {
    residentBytes: after.residentBytes - before.residentBytes,
    heapBytes: after.heapBytes - before.heapBytes,
    countedBytes: cache.bytes,
    statementBytes: superior.sentBytes / statements,
  };
}

interface Superior {
  federation: TestFederation;
  issuer: EntityStatement;
  sentBytes: number;
}

async function obtainAll(superior: Superior, cache: StatementCache, count: number): Promise<void> {
  const source = sourceOf(cache, answersOf(superior));
  const { signal } = new AbortController();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const subject = subordinateIdentifier(next++) as EntityIdentifier;
      await source.subordinateStatement(superior.issuer, subject, signal);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
}

/** Everything that was obtained is there, without a request. */
async function requireAll(superior: Superior, cache: StatementCache, count: number): Promise<void> {
  const source = sourceOf(cache, {
    get: async (url) => {
      throw new Error(`the cache lost what ${String(url)} answered`);
    },
  });
  const { signal } = new AbortController();
  const step = Math.ceil(count / WARM_UP_STATEMENTS);
  for (let index = 0; index < count; index += step) {
    await source.subordinateStatement(superior.issuer, subordinateIdentifier(index) as EntityIdentifier, signal);
  }
}

function sourceOf(cache: StatementCache, outbound: HttpGet): StatementSource {
  return createHttpStatementSource({ outbound, cache, validation: () => ({ now: clock.now() }) });
}

/** Signs the statement about whomever it is asked for, as the fetch endpoint of a superior does. */
function answersOf(superior: Superior): HttpGet {
  const { federation } = superior;
  return {
    async get(url) {
      const sub = new URL(url).searchParams.get('sub');
      const claims = { sub, source_endpoint: federation.endpoints('anchor').fetch };
      const body = new TextEncoder().encode(await federation.subordinateStatement('anchor', 'rp', { claims }));
      superior.sentBytes += body.length;
      const headers = new Map([['cache-control', 'public, max-age=3600']]);
      return { status: 200, contentType: MEDIA_TYPE.entityStatement, headers, body };
    },
  };
}

/** After what nobody needs is gone. */
async function settledMemory(): Promise<{ residentBytes: number; heapBytes: number }> {
  if (gc === undefined) throw new Error('this process needs --expose-gc');
  for (let count = 0; count < COLLECTIONS; count++) {
    gc();
    await delay(100);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { residentBytes: rss, heapBytes: heapUsed + external };
}
