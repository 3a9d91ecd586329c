/** Whether callers with made-up subjects can stop the service, or turn it against others. @see OIDFED §18.1 */
import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_BACKGROUND_BUDGET } from '../../../src/http/federation/background-evaluations.ts';
import { type Bench, FULL_PLAN } from '../bench.ts';
import { Strangers } from '../federation/strangers.ts';
import type { Figure, Measurement } from '../figure.ts';
import { percentile, sendPaced } from '../load/paced-load.ts';
import type { PacedRequest, PacedResult } from '../load/paced-plan.ts';
import { median, roundRobin } from '../rounds.ts';
import { residentMemoryBytes } from '../service/process-memory.ts';
import { type ResolveDeployment, resolvePath, startResolveDeployment } from '../service/resolve-deployment.ts';

const FLOOD_PER_SECOND = 500;
const KNOWN_PER_SECOND = 50;
const FULL_SECONDS = 60;
const KNOWN_SUBJECTS = 100;
const WINDOW_MS = 60_000;
/** What queues, remembered refusals and quotas may take; all of them have their limits. */
const MAX_GROWTH_BYTES = 48e6;

export const resolveFlood: Figure = {
  name: 'resolve_flood',
  summary: `p99 of the answers about known subjects during ${FLOOD_PER_SECOND} requests a second for unknown ones, from as many addresses, for ${FULL_SECONDS} s`,
  unit: 'ms',
  target: 25,
  better: 'lower',
  async measure(bench) {
    await using strangers = await Strangers.start();
    await using deployment = await startResolveDeployment(bench, {
      ...{ name: 'resolve_flood', subjects: KNOWN_SUBJECTS },
      // So that each request counts as another client's: a quota alone must not be what saves the service.
      environment: { HOLDFAST_TRUSTED_PROXIES: '127.0.0.1' },
    });
    return await flood(bench, deployment, strangers);
  },
};

/** @throws Error when memory grows, a known subject goes without answer, or others are asked beyond the budget */
async function flood(bench: Bench, deployment: ResolveDeployment, strangers: Strangers): Promise<Measurement> {
  const seconds = secondsOf(bench);
  const { port, host, pid } = deployment;
  const known = knownRequests(deployment, seconds * KNOWN_PER_SECOND);
  const unknown = strangers.identifiers(seconds * FLOOD_PER_SECOND).map(fromAnywhere);
  bench.progress(`flooding for ${seconds} s`);
  const memory = watchMemory(pid);
  const [flooded, answered] = await Promise.all([
    sendPaced({ port, host, requests: unknown, perSecond: FLOOD_PER_SECOND }),
    sendPaced({ port, host, requests: known, perSecond: KNOWN_PER_SECOND }),
  ]).finally(() => memory.stop());
  const arrivals = await strangers.arrivals();
  const outgoing = mostInAWindow(arrivals);
  requireOk(answered, known.length);
  requireWithin('requests to others in a minute', outgoing, DEFAULT_BACKGROUND_BUDGET.requestsPerMinute);
  const growth = growthOf(memory.samples);
  requireWithin('bytes of memory added', growth, MAX_GROWTH_BYTES);
  return {
    value: percentile(answered.latenciesMs, 0.99),
    details: {
      median: percentile(answered.latenciesMs, 0.5),
      floodP99: percentile(flooded.latenciesMs, 0.99),
      floodStatuses: textOf(flooded.statuses),
      outgoingRequests: arrivals.length,
      outgoingInAMinute: outgoing,
      outgoingBudget: DEFAULT_BACKGROUND_BUDGET.requestsPerMinute,
      memoryGrowthMb: growth / 1e6,
      memoryMb: (memory.samples.at(-1) ?? Number.NaN) / 1e6,
      seconds,
    },
  };
}

/** The whole minute unless the run is one for trying out. */
function secondsOf({ plan: { rounds, roundSeconds } }: Bench): number {
  const isFull = rounds >= FULL_PLAN.rounds && roundSeconds >= FULL_PLAN.roundSeconds;
  return isFull ? FULL_SECONDS : Math.min(FULL_SECONDS, Math.max(4, Math.ceil(rounds * roundSeconds)));
}

function knownRequests({ resolvePaths }: ResolveDeployment, count: number): PacedRequest[] {
  const next = roundRobin(resolvePaths);
  return Array.from({ length: count }, () => ({ path: next() }));
}

function fromAnywhere(subject: string): PacedRequest {
  const address = `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}`;
  return { path: resolvePath(subject), forwardedFor: address };
}

/** Looks at the memory of a process every second. */
function watchMemory(pid: number): { samples: number[]; stop(): void } {
  const samples: number[] = [];
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    for (;;) {
      samples.push(residentMemoryBytes(pid));
      await delay(1000, undefined, { signal: over.signal });
    }
  };
  watch().catch(() => {});
  return { samples, stop: () => over.abort() };
}

/** From the second quarter, when what is filled once is filled, to the last. */
function growthOf(samples: readonly number[]): number {
  const quarter = Math.ceil(samples.length / 4);
  return median(samples.slice(-quarter)) - median(samples.slice(quarter, 2 * quarter));
}

/** @param arrivals in order, in milliseconds */
function mostInAWindow(arrivals: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [last, arrival] of arrivals.entries()) {
    while ((arrivals[first] ?? arrival) <= arrival - WINDOW_MS) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

function requireOk({ statuses }: PacedResult, count: number): void {
  if (statuses.get(200) === count) return;
  throw new Error(`${count} known subjects were asked for and answered with ${textOf(statuses)}`);
}

function requireWithin(what: string, value: number, limit: number): void {
  if (value > limit) throw new Error(`${value} ${what} are more than ${limit}`);
}

function textOf(statuses: PacedResult['statuses']): string {
  return [...statuses].map(([status, count]) => `${count} × ${status}`).join(', ');
}
