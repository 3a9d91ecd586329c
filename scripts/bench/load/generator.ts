/** The process that generates load; load-generator.ts starts it and tells it what to do. */
import { decodeJwt } from 'jose';
import { cpuSecondsOf } from './cpu-time.ts';
import { LoadConnection } from './load-connection.ts';
import type { LoadCommand, LoadPlan, LoadReply, LoadResult } from './load-plan.ts';
import { RequestTape } from './request-tape.ts';

/** Every so many answers one is looked into. */
const SAMPLE_EVERY = 1009;

let plan: LoadPlan | undefined;
let randomTape: RequestTape | undefined;

process.once('disconnect', () => process.exit());
process.on('message', (command: LoadCommand) => {
  obey(command).then(reply, (error: unknown) => {
    reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});

function reply(message: LoadReply): void {
  process.send?.(message);
}

async function obey(command: LoadCommand): Promise<LoadReply> {
  if (command.kind === 'plan') {
    plan = command.plan;
    randomTape = RequestTape.random(plan.host, plan.paths);
    return { kind: 'planned' };
  }
  if (plan === undefined || randomTape === undefined) throw new Error('there is no plan yet');
  if (command.kind === 'random') {
    return { kind: 'measured', result: await load(plan, randomTape, { seconds: command.seconds }) };
  }
  const tape = RequestTape.inOrder(plan.host, plan.paths);
  return { kind: 'measured', result: await load(plan, tape, { requests: tape.length }) };
}

/** Ends at the first limit that is reached; what is under way is then received, but not counted. */
interface Limits {
  seconds?: number;
  requests?: number;
}

async function load(plan: LoadPlan, tape: RequestTape, limits: Limits): Promise<LoadResult> {
  let requestsLeft = limits.requests ?? Number.POSITIVE_INFINITY;
  let operations = 0;
  let sampledBodies = 0;
  let untilSample = 1;
  const lanes = Array.from(
    { length: plan.connections },
    () =>
      new LoadConnection({
        port: plan.port,
        pipelining: plan.pipelining,
        take: (atMost) => {
          if (requestsLeft === 0) return undefined;
          const requests = tape.take(Math.min(atMost, requestsLeft));
          requestsLeft -= requests.count;
          return requests;
        },
        wantsBody: () => untilSample <= 1,
        onAnswer: (position, body) => {
          operations++;
          untilSample--;
          if (body === undefined) return;
          checkSubject(body, plan.subjects?.[tape.pathAt(position)]);
          sampledBodies++;
          untilSample = SAMPLE_EVERY;
        },
      }),
  );
  await Promise.all(lanes.map((lane) => lane.open()));
  const stopwatch = startStopwatch(plan.serverPid);
  let result: LoadResult | undefined;
  const finish = (): LoadResult => ({ operations, sampledBodies, ...stopwatch() });
  const timer =
    limits.seconds === undefined
      ? undefined
      : setTimeout(() => {
          result = finish();
          requestsLeft = 0;
        }, limits.seconds * 1000);
  try {
    await Promise.all(lanes.map((lane) => lane.run()));
  } finally {
    clearTimeout(timer);
  }
  return result ?? finish();
}

/** @returns what passed since, in time and computing time */
function startStopwatch(serverPid: number): () => Pick<LoadResult, 'seconds' | 'cpuSeconds' | 'generatorCpuSeconds'> {
  const startedAt = performance.now();
  const serverStart = cpuSecondsOf(serverPid);
  const generatorStart = cpuSecondsOf(process.pid);
  return () => ({
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: cpuSecondsOf(serverPid) - serverStart,
    generatorCpuSeconds: cpuSecondsOf(process.pid) - generatorStart,
  });
}

function checkSubject(body: Buffer, subject: string | undefined): void {
  if (subject === undefined) return;
  const { sub } = decodeJwt(body.toString('latin1'));
  if (sub !== subject) throw new Error(`asked for ${subject} and got a statement about ${sub}`);
}
