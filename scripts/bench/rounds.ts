/** Rounds: a subject and its floor by turns, so that what slows the machine down slows both. */
import type { Bench } from './bench.ts';
import type { Measurement } from './figure.ts';

/** What was done in how much time. */
export interface Run {
  operations: number;
  seconds: number;
  /** Computing time of the process that was measured, all its threads; NaN where the system does not say. */
  cpuSeconds: number;
}

/** Works for about this long. */
export type Work = (seconds: number) => Promise<Run>;

/** Lowest and highest value. */
export type Spread = readonly [lowest: number, highest: number];

/** Before anything counts, each side runs this long: code is compiled, connections and caches are warm. */
const WARM_UP_SECONDS = 1;

/**
 * Measures the throughput of a subject as a share of its floor's, round by round. Only one of them runs at a time, and
 * they swap places every round.
 */
export async function shareOfFloor(bench: Bench, subject: Work, floor: Work): Promise<Measurement> {
  const { rounds, roundSeconds } = bench.plan;
  bench.progress('warming up');
  await subject(WARM_UP_SECONDS);
  await floor(WARM_UP_SECONDS);
  const subjectRuns: Run[] = [];
  const floorRuns: Run[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const isSubjectFirst = round % 2 === 0;
    const before = isSubjectFirst ? await subject(roundSeconds) : undefined;
    const floorRun = await floor(roundSeconds);
    const subjectRun = before ?? (await subject(roundSeconds));
    const ratio = perSecond(subjectRun) / perSecond(floorRun);
    subjectRuns.push(subjectRun);
    floorRuns.push(floorRun);
    ratios.push(ratio);
    const rates = `${readable(perSecond(subjectRun))}/s over ${readable(perSecond(floorRun))}/s`;
    bench.progress(`round ${round + 1} of ${rounds}: ${rates} is ${readable(ratio)}`);
  }
  return {
    ...summary(ratios),
    details: {
      perSecond: median(subjectRuns.map(perSecond)),
      floorPerSecond: median(floorRuns.map(perSecond)),
      // Less disturbed by whatever else the machine does than time that passes.
      valueByCpuTime: median(subjectRuns.map(perCpuSecond)) / median(floorRuns.map(perCpuSecond)),
    },
  };
}

/** Measures a throughput by itself. */
export async function throughputOf(bench: Bench, subject: Work): Promise<Measurement> {
  const { rounds, roundSeconds } = bench.plan;
  bench.progress('warming up');
  await subject(WARM_UP_SECONDS);
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const rate = perSecond(await subject(roundSeconds));
    rates.push(rate);
    bench.progress(`round ${round + 1} of ${rounds}: ${readable(rate)}/s`);
  }
  return summary(rates);
}

function perSecond({ operations, seconds }: Run): number {
  return operations / seconds;
}

function perCpuSecond({ operations, cpuSeconds }: Run): number {
  return operations / cpuSeconds;
}

function summary(values: readonly number[]): Measurement {
  return { value: median(values), spread: [Math.min(...values), Math.max(...values)], rounds: values.length };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Asynchronous work over and over, in so many lanes at once. @param work one operation */
export function inLanes(concurrency: number, work: () => Promise<unknown>): Work {
  return async (seconds) => {
    const stopwatch = startStopwatch();
    let operations = 0;
    const lane = async (): Promise<void> => {
      while (stopwatch.secondsPassed() < seconds) {
        await work();
        operations++;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    return { operations, ...stopwatch.stop() };
  };
}

/** Work on one core over and over. @param work gives the operations that it did */
export function onOneCore(work: () => number): Work {
  return async (seconds) => {
    const stopwatch = startStopwatch();
    let operations = 0;
    while (stopwatch.secondsPassed() < seconds) operations += work();
    return { operations, ...stopwatch.stop() };
  };
}

function startStopwatch() {
  const startedAt = performance.now();
  const cpuStart = process.cpuUsage();
  const secondsPassed = () => (performance.now() - startedAt) / 1000;
  return {
    secondsPassed,
    stop(): Omit<Run, 'operations'> {
      const { user, system } = process.cpuUsage(cpuStart);
      return { seconds: secondsPassed(), cpuSeconds: (user + system) / 1e6 };
    },
  };
}

/** The elements one after the other, from the beginning again after the last. */
export function roundRobin<T>(elements: readonly T[]): () => T {
  let next = 0;
  return () => {
    const element = elements[next];
    if (element === undefined) throw new RangeError('nothing to choose from');
    next = (next + 1) % elements.length;
    return element;
  };
}

/** Three significant digits, thousands apart: for people. */
export function readable(value: number): string {
  return value.toLocaleString('en', value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}
