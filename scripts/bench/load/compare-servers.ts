/** Two servers under the same load by turns, each with a generator process of its own that rests meanwhile. */
import type { Bench } from '../bench.ts';
import type { Measurement } from '../figure.ts';
import { median, type Run, shareOfFloor, type Work } from '../rounds.ts';
import { LoadGenerator } from './load-generator.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';

/** Below this share of a core the server waited for requests, and the figure tells more about the generator. */
const BUSY = 0.85;

/** Answers a second of a server as a share of those of its floor. */
export async function compareServers(bench: Bench, subject: LoadPlan, floor: LoadPlan): Promise<Measurement> {
  await using subjectLoad = await LoadGenerator.start(subject);
  await using floorLoad = await LoadGenerator.start(floor);
  const subjectResults: LoadResult[] = [];
  const floorResults: LoadResult[] = [];
  const measurement = await shareOfFloor(
    bench,
    recorded(subjectLoad, subjectResults),
    recorded(floorLoad, floorResults),
  );
  const busy = {
    serverCpu: median(subjectResults.map(({ cpuSeconds, seconds }) => cpuSeconds / seconds)),
    floorServerCpu: median(floorResults.map(({ cpuSeconds, seconds }) => cpuSeconds / seconds)),
    generatorCpu: median(floorResults.map(({ generatorCpuSeconds, seconds }) => generatorCpuSeconds / seconds)),
  };
  if (Math.min(busy.serverCpu, busy.floorServerCpu) < BUSY) {
    bench.progress('note: a server had time to spare, so the machine or the load generator was the bottleneck');
  }
  return { ...measurement, details: { ...measurement.details, ...busy } };
}

function recorded(generator: LoadGenerator, results: LoadResult[]): Work {
  return async (seconds): Promise<Run> => {
    const result = await generator.run(seconds);
    results.push(result);
    return result;
  };
}
