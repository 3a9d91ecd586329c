/** The process that sends requests at fixed times; paced-load.ts starts it. */
import { Agent, request as open } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { PacedPlan, PacedReply, PacedRequest, PacedResult } from './paced-plan.ts';

const MAX_CONNECTIONS = 128;
const ANSWER_TIMEOUT_MS = 10_000;
const NO_ANSWER = 0;

process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
process.once('message', (plan: PacedPlan) => {
  run(plan).then(
    (result) => reply({ kind: 'measured', result }),
    (error: unknown) => reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});

function reply(message: PacedReply): void {
  process.send?.(message);
}

async function run({ port, host, headers = {}, requests, perSecond }: PacedPlan): Promise<PacedResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS });
  const statuses = new Map<number, number>();
  const latenciesMs = new Float64Array(requests.length);
  const startedAt = performance.now();
  const pending: Promise<void>[] = [];
  for (const [index, request] of requests.entries()) {
    const dueAt = startedAt + (index * 1000) / perSecond;
    const earlyMs = dueAt - performance.now();
    if (earlyMs > 0) await delay(earlyMs);
    const answered = statusOf(request, { port, headers: { ...headers, host }, agent }).then((status) => {
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      latenciesMs[index] = performance.now() - dueAt;
    });
    pending.push(answered);
  }
  await Promise.all(pending);
  agent.destroy();
  return { statuses, latenciesMs };
}

interface Destination {
  port: number;
  headers: Record<string, string>;
  agent: Agent;
}

async function statusOf({ path, forwardedFor, body }: PacedRequest, destination: Destination): Promise<number> {
  const { port, agent } = destination;
  const headers = {
    ...destination.headers,
    ...(forwardedFor !== undefined && { 'x-forwarded-for': forwardedFor }),
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    }),
  };
  const { promise, resolve } = Promise.withResolvers<number>();
  const method = body === undefined ? 'GET' : 'POST';
  const options = { host: '127.0.0.1', port, path, method, headers, agent, timeout: ANSWER_TIMEOUT_MS };
  const request = open(options, (response) => {
    response.once('end', () => resolve(response.statusCode ?? NO_ANSWER));
    response.once('error', () => resolve(NO_ANSWER));
    response.resume();
  });
  request.once('timeout', () => request.destroy());
  request.once('error', () => resolve(NO_ANSWER));
  request.end(body);
  return await promise;
}
