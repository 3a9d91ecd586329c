/** How soon a receiver of a webhook hears of a change, while others are dead. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createReceiver } from '../../../examples/receiver/receiver.js';
import { type Bench, FULL_PLAN } from '../bench.ts';
import type { Figure, Measurement } from '../figure.ts';
import { percentile } from '../load/paced-load.ts';
import { readable } from '../rounds.ts';
import { onlyAuthority } from '../samples/add-organisation.ts';
import type { BenchClient } from '../service/api-client.ts';
import { rolesOf, startTwoNodes, type TwoNodes } from '../service/two-nodes.ts';

const CHANGES_A_SECOND = 50;
const FULL_CHANGES = 60 * CHANGES_A_SECOND;
const TRIAL_CHANGES = 10 * CHANGES_A_SECOND;
/** Of each kind. */
const DEAD_RECEIVERS = 5;
const CONNECTIONS = 16;
const GIVE_UP_MS = 30_000;

export const eventDelivery: Figure = {
  name: 'event_delivery_p99',
  summary: `from a change's answer to its receipt by a healthy receiver, ${CHANGES_A_SECOND} changes a second on two nodes, ${2 * DEAD_RECEIVERS} other receivers dead, p99`,
  unit: 'ms',
  target: 2_000,
  better: 'lower',
  async measure(bench) {
    await using deployment = await startTwoNodes(bench, { name: 'events', connections: CONNECTIONS });
    return await measureDeliveries(bench, deployment);
  },
};

async function measureDeliveries(bench: Bench, deployment: TwoNodes): Promise<Measurement> {
  await using stack = new AsyncDisposableStack();
  const [{ client }] = deployment.nodes;
  const { id: authorityId } = await onlyAuthority(client);
  const received = new Map<string, number>();
  const receiver = await listen(stack, (request, response) => listener?.(request, response));
  const secret = await addWebhook(client, authorityId, receiver);
  const listener = createReceiver({
    secret,
    handle: ({ data }) => {
      received.set(data.subject.id, performance.now());
    },
  });
  await addDeadReceivers(stack, client, authorityId);
  const add = async (by: BenchClient, name: string): Promise<[id: string, answeredAt: number]> => {
    const organisation = { authorityId, legalName: name };
    const { body } = await by.api<{ id: string }>('POST', 'organisations', { body: organisation });
    return [body.id, performance.now()];
  };
  const [first] = await add(client, 'the first');
  await untilSo(() => received.has(first), 'the receiver is told of the first change');
  const changes = changesOf(bench);
  bench.progress(`${readable(changes)} changes, ${CHANGES_A_SECOND} a second`);
  const beganAt = performance.now();
  const answers: Promise<[id: string, answeredAt: number]>[] = [];
  for (let turn = 0; turn < changes; turn++) {
    await pause(Math.max(0, beganAt + (turn * 1000) / CHANGES_A_SECOND - performance.now()));
    answers.push(add(rolesOf(deployment, turn).deciding.client, `Partner ${turn}`));
  }
  const answered = await Promise.all(answers);
  const seconds = (performance.now() - beganAt) / 1000;
  await untilSo(() => answered.every(([id]) => received.has(id)), 'the receiver is told of all changes');
  const waits = Float64Array.from(answered, ([id, at]) => Math.max(0, (received.get(id) ?? Number.NaN) - at));
  return {
    value: percentile(waits, 0.99),
    details: {
      changes,
      changesASecond: Number((changes / seconds).toFixed(1)),
      median: percentile(waits, 0.5),
      longest: percentile(waits, 1),
    },
  };
}

function changesOf({ plan: { rounds, roundSeconds } }: Bench): number {
  const isFull = rounds >= FULL_PLAN.rounds && roundSeconds >= FULL_PLAN.roundSeconds;
  return isFull ? FULL_CHANGES : TRIAL_CHANGES;
}

/** Some refuse connections, the others take messages and never answer. */
async function addDeadReceivers(stack: AsyncDisposableStack, client: BenchClient, authorityId: string): Promise<void> {
  for (let index = 0; index < DEAD_RECEIVERS; index++) {
    await using gone = new AsyncDisposableStack();
    const refusing = await listen(gone, () => {});
    await gone.disposeAsync();
    await addWebhook(client, authorityId, refusing);
    await addWebhook(client, authorityId, await listen(stack, () => {}));
  }
}

/** @returns its secret */
async function addWebhook(client: BenchClient, authorityId: string, url: string): Promise<string> {
  const body = { authorityId, name: url, url };
  return (await client.api<{ secret: string }>('POST', 'webhooks', { body })).body.secret;
}

async function listen(stack: AsyncDisposableStack, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
}

async function untilSo(isSo: () => boolean, what: string): Promise<void> {
  const giveUpAt = performance.now() + GIVE_UP_MS;
  while (!isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await pause(5);
  }
}
