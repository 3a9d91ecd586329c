/** How long those wait who ask whose status changed, with very many changes behind them. */
import { randomInt } from 'node:crypto';
import { Client } from 'pg';
import type { Bench } from '../bench.ts';
import type { Figure } from '../figure.ts';
import { percentile, sendPaced } from '../load/paced-load.ts';
import { readable } from '../rounds.ts';
import { bodyOf, exchange } from '../service/exchange.ts';
import { type StatusDeployment, startStatusDeployment } from '../service/status-deployment.ts';

const CHANGES = 1_000_000;
const MEMBERS = 10_000;
const PER_SECOND = 200;
const LIMIT = 100;
/** Most who follow are close to the end; some were away for long. */
const SHARE_FAR_BEHIND = 0.2;
const CLOSE = 500;
/** Connections to the database are opened, and code is compiled, as in a service that runs for longer. */
const WARM_UP_SECONDS = 3;

export const statusSince: Figure = {
  name: 'status_since_p99',
  summary: `p99 of what changed since, in pages of ${LIMIT}, ${PER_SECOND} a second, with 1,000,000 changes behind it`,
  unit: 'ms',
  target: 5,
  better: 'lower',
  async measure(bench) {
    await using deployment = await startStatusDeployment(bench, { changes: CHANGES, members: MEMBERS });
    await requireTruth(bench, deployment);
    const { rounds, roundSeconds } = bench.plan;
    const count = Math.ceil(rounds * roundSeconds * PER_SECOND);
    const { firstSeq, lastSeq, port, host } = deployment;
    const questions = (length: number) =>
      Array.from({ length }, () => {
        const from = Math.random() < SHARE_FAR_BEHIND ? firstSeq : lastSeq - CLOSE;
        return { path: pathSince(randomInt(from, lastSeq)) };
      });
    bench.progress('warming up');
    const target = { port, host, headers: {}, perSecond: PER_SECOND };
    await sendPaced({ ...target, requests: questions(WARM_UP_SECONDS * PER_SECOND) });
    bench.progress(`${readable(count)} questions, ${PER_SECOND} a second`);
    const { statuses, latenciesMs } = await sendPaced({ ...target, requests: questions(count) });
    if (statuses.get(200) !== count) {
      throw new Error(`of ${count} there were ${[...statuses].map(([status, times]) => `${times} × ${status}`)}`);
    }
    return {
      value: percentile(latenciesMs, 0.99),
      details: {
        ...{ requests: count, perSecond: PER_SECOND, changes: CHANGES },
        ...{ median: percentile(latenciesMs, 0.5), p95: percentile(latenciesMs, 0.95) },
      },
    };
  },
};

function pathSince(seq: number): string {
  return `/api/v1/status?since=${seq}&limit=${LIMIT}`;
}

interface StatusPage {
  items: { id: string; status: string }[];
  nextSeq: number;
}

/** Pages that were read on from some place end with what the database says of those members. */
async function requireTruth(bench: Bench, deployment: StatusDeployment): Promise<void> {
  bench.progress('reading on to the end, and holding it against the database');
  const mirror = new Map<string, string>();
  let seq = deployment.lastSeq - 5_000;
  while (seq < deployment.lastSeq) {
    const page: StatusPage = JSON.parse(bodyOf(await exchange(deployment, pathSince(seq))));
    if (page.nextSeq <= seq) throw new Error(`since ${seq} leads to ${page.nextSeq}`);
    for (const { id, status } of page.items) mirror.set(id, status);
    seq = page.nextSeq;
  }
  const client = new Client(deployment.databaseUrl);
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string; status: string }>(
      `SELECT DISTINCT ON (subject_id) subject_id AS id, statuses -> 0 ->> 'status' AS status FROM events
       WHERE seq > $1 AND statuses IS NOT NULL ORDER BY subject_id, seq DESC`,
      [deployment.lastSeq - 5_000],
    );
    const wrong = rows.filter(({ id, status }) => mirror.get(id) !== status);
    if (wrong.length > 0 || rows.length !== mirror.size) {
      throw new Error(`${wrong.length} of ${rows.length} members have another status than was told`);
    }
  } finally {
    await client.end();
  }
}
