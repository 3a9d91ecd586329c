/** How long a list of revocations with 100,000 entries takes after one more revocation, and whom it holds up meanwhile. */
import path from 'node:path';
import { parseRevocationList } from '../../../src/pki/revocation-list/parse-revocation-list.ts';
import type { Bench } from '../bench.ts';
import type { Figure, Measurement } from '../figure.ts';
import { readable } from '../rounds.ts';
import { certificationAuthority } from '../samples/certification-authority.ts';
import { fillIssued } from '../samples/fill-issued.ts';
import { fillRegistry } from '../samples/fill-registry.ts';
import { TRUST_ANCHOR } from '../samples/registry-records.ts';
import { ADMIN_ENVIRONMENT, BenchClient } from '../service/api-client.ts';
import { createDatabase, postgres } from '../service/deployment.ts';
import { startHoldfast } from '../service/holdfast-process.ts';
import { runDirectory } from '../service/run-directory.ts';

const ENTRIES = 100_000;
const ENTITIES = 1_000;
const MOST_ROUNDS = 5;
/** Whoever waits longer stands behind the list: it is made off the event loop. */
const LONGEST_WAIT_MS = 500;

export const crl100k: Figure = {
  name: 'crl_100k',
  summary:
    'making a list of revocations with 100,000 entries, from the answer to a revocation to the end of the list; it fails where others wait for longer than 500 ms meanwhile',
  unit: 's',
  target: 5,
  better: 'lower',
  async measure(bench: Bench): Promise<Measurement> {
    const databaseUrl = await createDatabase((await bench.shared(postgres)).url, 'bench_crl');
    const dataDir = path.join(runDirectory(), 'data-crl');
    const settings = { baseUrl: TRUST_ANCHOR, dataDir, databaseUrl, environment: ADMIN_ENVIRONMENT };
    // The first start makes the authority and its keys.
    await (await startHoldfast(settings))[Symbol.asyncDispose]();
    await fillRegistry(databaseUrl, ENTITIES);
    await using service = await startHoldfast(settings);
    using client = new BenchClient(service, 1);
    const { id } = await certificationAuthority(client, 'root-crl');
    const rounds = Math.min(bench.plan.rounds, MOST_ROUNDS);
    bench.progress(`recording ${readable(ENTRIES)} certificates that were revoked`);
    const good = await fillIssued(databaseUrl, id, { revoked: ENTRIES, good: rounds });
    const seconds: number[] = [];
    const latenciesMs: number[] = [];
    let bytes = 0;
    for (const [round, { id: credentialId }] of good.entries()) {
      bench.progress(`list ${round + 1} of ${rounds}`);
      const body = { reasonCode: 'superseded', reason: 'by the bench' };
      await client.api('POST', `credentials/${credentialId}/revoke`, { body });
      const begunAt = performance.now();
      const probe = askAgainAndAgain(new BenchClient(service, 1));
      const list = await client.get(`/ca/${id}/crl`);
      seconds.push((performance.now() - begunAt) / 1000);
      latenciesMs.push(await probe.stop());
      const { entryCount } = parseRevocationList(list.body);
      if (entryCount !== ENTRIES + round + 1) throw new Error(`the list has ${entryCount} entries`);
      bytes = list.body.length;
    }
    const longestWaitOfOthersMs = Math.max(...latenciesMs);
    if (longestWaitOfOthersMs > LONGEST_WAIT_MS) {
      const wait = `${Math.ceil(longestWaitOfOthersMs)} ms while the list was made`;
      throw new Error(`others waited ${wait}: more than ${LONGEST_WAIT_MS} ms, so the event loop was held up`);
    }
    seconds.sort((a, b) => a - b);
    return {
      value: seconds[seconds.length >> 1] ?? Number.NaN,
      spread: [seconds[0] ?? Number.NaN, seconds.at(-1) ?? Number.NaN],
      rounds,
      details: { entries: ENTRIES, megabytes: bytes / 1e6, longestWaitOfOthersMs },
    };
  },
};

/** Others who ask one thing after the other that takes no time itself: whoever waits, waits for the event loop. */
function askAgainAndAgain(client: BenchClient): { stop: () => Promise<number> } {
  let isOver = false;
  const longest = (async () => {
    let longestMs = 0;
    while (!isOver) {
      const begunAt = performance.now();
      await client.get('/healthz');
      longestMs = Math.max(longestMs, performance.now() - begunAt);
    }
    client[Symbol.dispose]();
    return longestMs;
  })();
  return {
    stop: () => {
      isOver = true;
      return longest;
    },
  };
}
