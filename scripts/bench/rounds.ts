/** Rounds: a subject and its floor by turns, so that what slows the machine down slows both. */
import type { Bench } from './bench.ts';
import type { Measurement } from './figure.ts';

/** Works for about this long. @returns operations a second */
export type Throughput = (seconds: number) => Promise<number>;

/** Lowest and highest value. */
export type Spread = readonly [lowest: number, highest: number];

/** Before anything counts, each side runs this long: code is compiled, connections and caches are warm. */
const WARM_UP_SECONDS = 1;

/**
 * Measures a subject as a share of its floor, round by round. Only one of them runs at a time, and they swap places
 * every round.
 */
export async function shareOfFloor(bench: Bench, subject: Throughput, floor: Throughput): Promise<Measurement> {
  const { rounds, roundSeconds } = bench.plan;
  bench.progress('warming up');
  await subject(WARM_UP_SECONDS);
  await floor(WARM_UP_SECONDS);
  const ratios: number[] = [];
  const subjectRates: number[] = [];
  const floorRates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const isSubjectFirst = round % 2 === 0;
    if (isSubjectFirst) subjectRates.push(await subject(roundSeconds));
    const floorRate = await floor(roundSeconds);
    floorRates.push(floorRate);
    if (!isSubjectFirst) subjectRates.push(await subject(roundSeconds));
    const subjectRate = subjectRates[round] ?? 0;
    ratios.push(subjectRate / floorRate);
    const [done, floored] = [subjectRate, floorRate].map(readable);
    bench.progress(
      `round ${round + 1} of ${rounds}: ${done}/s over ${floored}/s is ${readable(subjectRate / floorRate)}`,
    );
  }
  return {
    ...summary(ratios),
    details: { perSecond: median(subjectRates), floorPerSecond: median(floorRates) },
  };
}

/** Measures a throughput by itself. */
export async function throughputOf(bench: Bench, subject: Throughput): Promise<Measurement> {
  const { rounds, roundSeconds } = bench.plan;
  bench.progress('warming up');
  await subject(WARM_UP_SECONDS);
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const rate = await subject(roundSeconds);
    rates.push(rate);
    bench.progress(`round ${round + 1} of ${rounds}: ${readable(rate)}/s`);
  }
  return summary(rates);
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

/** Asynchronous work over and over, in so many lanes at once. @param work gives the operations that it did */
export function inLanes(concurrency: number, work: () => Promise<number>): Throughput {
  return async (seconds) => {
    const start = performance.now();
    const end = start + seconds * 1000;
    let operations = 0;
    const lane = async (): Promise<void> => {
      while (performance.now() < end) {
        const done = await work();
        operations += done;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    return (operations * 1000) / (performance.now() - start);
  };
}

/** Work on one core over and over. @param work gives the operations that it did */
export function onOneCore(work: () => number): Throughput {
  return async (seconds) => {
    const start = performance.now();
    const end = start + seconds * 1000;
    let operations = 0;
    while (performance.now() < end) operations += work();
    return (operations * 1000) / (performance.now() - start);
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
  if (!Number.isFinite(value)) return String(value);
  return value.toLocaleString('en', value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}
