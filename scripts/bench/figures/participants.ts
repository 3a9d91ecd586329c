/** How the public directory is read, whole and by those who ask whether it changed, while it does. */
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { Bench } from '../bench.ts';
import type { Figure } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { FETCH_LOAD } from '../load/fetch-load.ts';
import { percentile, sendPaced } from '../load/paced-load.ts';
import { readable } from '../rounds.ts';
import { BenchClient } from '../service/api-client.ts';
import { exchange } from '../service/exchange.ts';
import { startUnchangedFloor } from '../service/floor.ts';
import type { HoldfastProcess } from '../service/holdfast-process.ts';
import { PARTICIPANTS, participantsDeployment } from '../service/participants-deployment.ts';

const PATH = '/participants';
const GZIP = { 'accept-encoding': 'gzip' };
/** Some mirrors, each every few seconds. */
const PER_SECOND = 5;
const CHANGE_EVERY_MS = 1_000;
const MAX_LAG_MS = 5_000;
const LOOK_EVERY_MS = 5;

export const participants10k: Figure = {
  name: 'participants_10k_p95',
  summary: `the whole compressed /participants of ${readable(PARTICIPANTS)} organisations with their applications, ${PER_SECOND} a second, while one organisation a second changes, p95`,
  unit: 'ms',
  target: 200,
  better: 'lower',
  async measure(bench) {
    const service = await bench.shared(participantsDeployment);
    using client = new BenchClient(service, 2);
    const { bytes, plainBytes } = await requireWhole(client);
    const { rounds, roundSeconds } = bench.plan;
    const count = Math.ceil(rounds * roundSeconds * PER_SECOND);
    const requests = Array.from({ length: count }, () => ({ path: PATH }));
    const done = new AbortController();
    const changing = changeUntil(client, done.signal);
    const { port, host } = service;
    const { statuses, latenciesMs } = await sendPaced({ port, host, headers: GZIP, requests, perSecond: PER_SECOND });
    done.abort();
    const lags = Float64Array.from(await changing);
    if (statuses.get(200) !== count) throw new Error(`statuses of ${count}: ${JSON.stringify([...statuses])}`);
    if (percentile(lags, 1) > MAX_LAG_MS) throw new Error(`a change showed only after ${percentile(lags, 1)} ms`);
    return {
      value: percentile(latenciesMs, 0.95),
      details: {
        ...{ reads: count, changes: lags.length, bytes, plainBytes },
        ...{ median: percentile(latenciesMs, 0.5), p99: percentile(latenciesMs, 0.99) },
        ...{ lagMedianMs: percentile(lags, 0.5), lagMaxMs: percentile(lags, 1) },
      },
    };
  },
};

export const participants304: Figure = {
  name: 'participants_304',
  summary: 'conditional requests a second for /participants, over a bare Hono handler that answers 304',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    const service = await bench.shared(participantsDeployment);
    return await measureUnchanged(bench, service);
  },
};

async function measureUnchanged(bench: Bench, { port, host, pid }: HoldfastProcess) {
  const { headers: given } = await exchange({ port, host }, PATH, { headers: GZIP });
  const etag = given.find(([name]) => name.toLowerCase() === 'etag')?.[1] ?? '';
  const headers = { ...GZIP, 'if-none-match': etag };
  await using floor = await startUnchangedFloor({ port, host }, PATH, headers);
  const load = { paths: [PATH], headers, status: 304 as const, ...FETCH_LOAD };
  return await compareServers(
    bench,
    { port, host, serverPid: pid, ...load },
    { port: floor.port, host, serverPid: floor.pid, ...load },
  );
}

/** All of them, each with what it has. */
async function requireWhole(client: BenchClient): Promise<{ bytes: number; plainBytes: number }> {
  const { status, body } = await client.get(PATH, GZIP);
  if (status !== 200) throw new Error(`answered with status ${status}`);
  const plain = gunzipSync(body);
  const all = JSON.parse(plain.toString()) as { AuthorisationServers: { ApiResources: unknown[] }[] }[];
  const complete = all.filter(({ AuthorisationServers: [server] }) => server?.ApiResources.length === 3);
  if (complete.length !== PARTICIPANTS) throw new Error(`${complete.length} of ${all.length} organisations are whole`);
  return { bytes: body.length, plainBytes: plain.length };
}

/** Renames one organisation after the other. @returns how long after its answer each change was published */
async function changeUntil(client: BenchClient, signal: AbortSignal): Promise<number[]> {
  const { body } = await client.api<{ items: { id: string }[] }>('GET', 'organisations?limit=500');
  const lags: number[] = [];
  for (let turn = 0; !signal.aborted; turn++) {
    const organisation = `organisations/${body.items[(turn * 37) % body.items.length]?.id}`;
    const { etag: ifMatch } = await client.api('GET', organisation);
    await client.api('PATCH', organisation, { body: { legalName: `Renamed ${turn}` }, ifMatch });
    const answeredAt = performance.now();
    const seq = await seqOf(client, '/api/v1/status?limit=1');
    while ((await seqOf(client, PATH)) < seq) await delay(LOOK_EVERY_MS);
    lags.push(performance.now() - answeredAt);
    await delay(CHANGE_EVERY_MS - (performance.now() - answeredAt), undefined, { signal }).catch(() => undefined);
  }
  return lags;
}

/** What is asked again and again is asked conditionally: it does not change because of that. */
async function seqOf(client: BenchClient, path: string): Promise<number> {
  const { headers } = await client.get(path, { ...GZIP, 'if-none-match': '*' });
  return Number(headers.find(([name]) => name.toLowerCase() === 'x-registry-seq')?.[1]);
}
