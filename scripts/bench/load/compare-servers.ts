/** Two servers under the same load by turns, each with a generator process of its own that rests meanwhile. */
import type { Bench } from '../bench.ts';
import type { Measurement } from '../figure.ts';
import { median, shareOfFloor, type Throughput } from '../rounds.ts';
import { LoadGenerator } from './load-generator.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';

/** Below this the server waited for requests, and the figure tells more about the generator. */
const BUSY_CPU = 0.85;

/** Answers a second of a server as a share of those of its floor. */
export async function compareServers(bench: Bench, subject: LoadPlan, floor: LoadPlan): Promise<Measurement> {
  await using subjectLoad = await LoadGenerator.start(subject);
  await using floorLoad = await LoadGenerator.start(floor);
  const subjectResults: LoadResult[] = [];
  const floorResults: LoadResult[] = [];
  const measurement = await shareOfFloor(
    bench,
    recording(subjectLoad, subjectResults),
    recording(floorLoad, floorResults),
  );
  const details = {
    // Less disturbed by whatever else the machine does than time that passes.
    valueByCpuTime: median(subjectResults.map(answersPerCpuSecond)) / median(floorResults.map(answersPerCpuSecond)),
    serverCpu: median(subjectResults.map(({ serverCpu }) => serverCpu)),
    floorServerCpu: median(floorResults.map(({ serverCpu }) => serverCpu)),
    generatorCpu: median(floorResults.map(({ generatorCpu }) => generatorCpu)),
  };
  if (Math.min(details.serverCpu, details.floorServerCpu) < BUSY_CPU) {
    bench.progress('note: a server had time to spare, so the machine or the load generator was the bottleneck');
  }
  return { ...measurement, details: { ...measurement.details, ...details } };
}

function answersPerCpuSecond({ answers, seconds, serverCpu }: LoadResult): number {
  return answers / (seconds * serverCpu);
}

function recording(generator: LoadGenerator, results: LoadResult[]): Throughput {
  return async (seconds) => {
    const result = await generator.run(seconds);
    results.push(result);
    return result.answers / result.seconds;
  };
}
