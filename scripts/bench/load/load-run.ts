/** One run of a load: requests off a tape over many connections, every answer checked, some looked into. */
import { decodeJwt } from 'jose';
import { cpuSecondsOf } from './cpu-time.ts';
import { LoadConnection } from './load-connection.ts';
import type { LoadPlan, LoadResult } from './load-plan.ts';
import type { Requests, RequestTape } from './request-tape.ts';

/** Every so many answers one is looked into. */
const SAMPLE_EVERY = 1009;

export class LoadRun {
  readonly #plan: LoadPlan;
  readonly #tape: RequestTape;
  #requestsLeft = Number.POSITIVE_INFINITY;
  #operations = 0;
  #sampledBodies = 0;
  #untilSample = 1;

  constructor(plan: LoadPlan, tape: RequestTape) {
    this.#plan = plan;
    this.#tape = tape;
  }

  /** What is under way when the time is over is received, but not counted. @throws Error at a wrong answer */
  async forSeconds(seconds: number): Promise<LoadResult> {
    using lanes = await this.#openLanes();
    const { promise: result, resolve } = Promise.withResolvers<LoadResult>();
    const stopwatch = startStopwatch(this.#plan.serverPid);
    const timer = setTimeout(() => {
      resolve(this.#result(stopwatch));
      this.#requestsLeft = 0;
    }, seconds * 1000);
    try {
      await lanes.run();
    } finally {
      clearTimeout(timer);
    }
    return await result;
  }

  /** Every request of the tape once. @throws Error at a wrong answer */
  async once(): Promise<LoadResult> {
    this.#requestsLeft = this.#tape.length;
    using lanes = await this.#openLanes();
    const stopwatch = startStopwatch(this.#plan.serverPid);
    await lanes.run();
    return this.#result(stopwatch);
  }

  async #openLanes(): Promise<Disposable & { run(): Promise<void> }> {
    const { port, pipelining, connections, status, isOfAnySize } = this.#plan;
    const lanes = Array.from(
      { length: connections },
      () =>
        new LoadConnection({
          port,
          pipelining,
          ...{ status, isOfAnySize },
          take: (atMost) => this.#take(atMost),
          wantsBody: () => this.#untilSample <= 1,
          onAnswer: (position, body) => this.#answered(position, body),
        }),
    );
    await Promise.all(lanes.map((lane) => lane.open()));
    return {
      async run() {
        await Promise.all(lanes.map((lane) => lane.run()));
      },
      [Symbol.dispose]() {
        for (const lane of lanes) lane.close();
      },
    };
  }

  #take(atMost: number): Requests | undefined {
    if (this.#requestsLeft === 0) return undefined;
    const requests = this.#tape.take(Math.min(atMost, this.#requestsLeft));
    this.#requestsLeft -= requests.count;
    return requests;
  }

  #answered(position: number, body: Buffer | undefined): void {
    this.#operations++;
    this.#untilSample--;
    if (body === undefined) return;
    checkSubject(body, this.#plan.subjects?.[this.#tape.pathAt(position)]);
    if (this.#plan.jsonBodies !== undefined) checkAllowed(body);
    this.#sampledBodies++;
    this.#untilSample = SAMPLE_EVERY;
  }

  #result(stopwatch: Stopwatch): LoadResult {
    return { operations: this.#operations, sampledBodies: this.#sampledBodies, ...stopwatch() };
  }
}

/** @returns what passed since it was started, in time and computing time */
type Stopwatch = () => Pick<LoadResult, 'seconds' | 'cpuSeconds' | 'generatorCpuSeconds'>;

function startStopwatch(serverPid: number): Stopwatch {
  const startedAt = performance.now();
  const serverStart = cpuSecondsOf(serverPid);
  const generatorStart = cpuSecondsOf(process.pid);
  return () => ({
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: cpuSecondsOf(serverPid) - serverStart,
    generatorCpuSeconds: cpuSecondsOf(process.pid) - generatorStart,
  });
}

function checkAllowed(body: Buffer): void {
  const { decision, reasons } = JSON.parse(body.toString());
  if (decision !== 'allow') throw new Error(`somebody who may pass is denied: ${reasons}`);
}

function checkSubject(body: Buffer, subject: string | undefined): void {
  if (subject === undefined) return;
  const { sub } = decodeJwt(body.toString('latin1'));
  if (sub !== subject) throw new Error(`asked for ${subject} and got a statement about ${sub}`);
}
