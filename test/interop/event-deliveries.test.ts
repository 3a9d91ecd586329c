/** Two nodes tell receivers of thousands of changes, while one is killed again and again and receivers fail at random. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createReceiver, type ReceivedEvent } from '../../examples/receiver/receiver.js';
import { freePort } from '../support/cli.ts';
import { createTestDatabase } from '../support/databases.ts';
import { ServiceProcess } from '../support/service-process.ts';

/** All of them: `EVENT_CHANGES=10000 npm run test:interop -- test/interop/event-deliveries.test.ts` */
const CHANGES = Number(process.env['EVENT_CHANGES'] ?? '1500');
const RECEIVERS = 3;
const ORGANISATIONS = 40;
const KILLED_EVERY_MS = 10_000;
/** Changes under way at once. */
const LANES = 6;
/** Of messages, while changes are made. */
const FAILURE_SHARE = 0.15;

class FlakyReceiver {
  /** In the order in which they were taken; each by the reference receiver, verified. */
  readonly taken: ReceivedEvent[] = [];
  /** Messages under way, by their ids: one that comes while it is there was sent twice at a time. */
  readonly #underWay = new Map<string, number>();
  twiceAtATime = 0;
  mayFail = true;
  url = '';
  #verified: RequestListener | undefined;

  async start(stack: AsyncDisposableStack): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
    stack.defer(() => {
      server.closeAllConnections();
      server.close();
    });
  }

  set secret(secret: string) {
    this.#verified = createReceiver({ secret, handle: (event) => void this.taken.push(event) });
  }

  readonly #answer: RequestListener = (request, response) => {
    const id = String(request.headers['webhook-id']);
    const before = this.#underWay.get(id) ?? 0;
    if (before > 0) this.twiceAtATime++;
    this.#underWay.set(id, before + 1);
    response.once('close', () => this.#underWay.set(id, (this.#underWay.get(id) ?? 1) - 1));
    const dice = this.mayFail ? Math.random() / FAILURE_SHARE : 1;
    if (dice < 0.3) request.socket.destroy();
    else if (dice < 0.9) response.writeHead(500).end();
    // Taken, but the answer is lost.
    else if (dice < 1) {
      const lost = { writeHead: () => lost, end: () => request.socket.destroy() };
      this.#verified?.(request, lost as never);
    } else this.#verified?.(request, response);
  };
}

it(
  `[F50] of ${CHANGES} changes on two nodes, one killed every ten seconds, each receiver that comes back has every event, in order per subject, verified`,
  async () => {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-events-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const database = stack.use(await createTestDatabase('postgresql'));
    const ports = [await freePort(), await freePort()];
    const baseUrl = `http://localhost:${ports[0]}`;
    const start = (port = 0) =>
      ServiceProcess.start({
        ...{ port, baseUrl, databaseUrl: database.url, dataDir: join(folder, String(port)) },
        masterKeyFile: join(folder, 'master-key'),
      });
    const steady = stack.use(await start(ports[0]));
    let victim = await start(ports[1]);
    stack.defer(() => victim.kill());

    const { body } = await steady.api('GET', '/authorities');
    const authorityId = body.items[0].id;
    const receivers = Array.from({ length: RECEIVERS }, () => new FlakyReceiver());
    let beginning = 0;
    for (const receiver of receivers) {
      await receiver.start(stack);
      const added = await steady.api('POST', '/webhooks', { authorityId, name: 'receiver', url: receiver.url });
      expect(added.status).toBe(201);
      receiver.secret = added.body.secret;
      beginning = added.body.plannedThroughSeq;
    }

    const done = new AbortController();
    let kills = 0;
    const killing = (async () => {
      while (!done.signal.aborted) {
        await pause(KILLED_EVERY_MS, undefined, { signal: done.signal }).catch(() => undefined);
        if (done.signal.aborted) return;
        await victim.kill();
        kills++;
        victim = await start(ports[1]);
      }
    })();

    const changed = await makeChanges({ authorityId, beginning, nodes: () => [steady, victim] });
    for (const receiver of receivers) receiver.mayFail = false;
    const giveUpAt = Date.now() + 120_000;
    const missing = () => receivers.map(({ taken }) => changed.size - taken.filter(({ id }) => changed.has(id)).length);
    while (missing().some((count) => count > 0) && Date.now() < giveUpAt) await pause(100);
    done.abort();
    await killing;

    const twice = receivers.map(({ twiceAtATime }) => twiceAtATime);
    process.stdout.write(`events: ${changed.size} told to each of ${RECEIVERS}, one node killed ${kills} times\n`);
    expect({ missing: missing(), twice }).toEqual({ missing: [0, 0, 0], twice: [0, 0, 0] });
    for (const { taken } of receivers) {
      const last = new Map<string, number>();
      for (const { seq, data } of taken) {
        expect(seq).toBeGreaterThan(last.get(data.subject.id) ?? 0);
        last.set(data.subject.id, seq);
      }
    }
  },
  CHANGES * 100 + 240_000,
);

interface Changing {
  authorityId: string;
  /** The last seq of which no receiver is told. */
  beginning: number;
  nodes: () => ServiceProcess[];
}

/** @returns the ids of the events of all changes that were acknowledged */
async function makeChanges({ authorityId, beginning, nodes }: Changing): Promise<Set<string>> {
  const [steady] = nodes();
  const organisations = await Promise.all(
    Array.from({ length: ORGANISATIONS }, async (_, index) => {
      const added = await steady?.api('POST', '/organisations', { authorityId, legalName: `Partner ${index}` });
      return { id: added?.body.id as string, version: 1 };
    }),
  );
  let made = 0;
  const lane = async (lane: number): Promise<void> => {
    // Each lane has organisations of its own.
    const own = organisations.filter((_, index) => index % LANES === lane);
    for (let turn = 0; made < CHANGES; turn++) {
      made++;
      const organisation = own[turn % own.length];
      if (organisation === undefined) return;
      await renamed(organisation, `Partner ${lane} ${turn}`, nodes);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)));
  const events = new Set<string>();
  for (let after = String(beginning); ; ) {
    const { body } = (await steady?.api('GET', `/events?after=${after}&limit=500`)) ?? { body: { items: [] } };
    for (const { id } of body.items) events.add(id);
    if (body.items.length === 0) break;
    after = body.next;
  }
  expect(events.size).toBeGreaterThanOrEqual(CHANGES);
  return events;
}

/** At either node, again and again: one of them may be dead at the moment. */
async function renamed(
  organisation: { id: string; version: number },
  legalName: string,
  nodes: () => ServiceProcess[],
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const all = nodes();
    const node = all[attempt === 0 ? Math.floor(Math.random() * all.length) : 0];
    const path = `/organisations/${organisation.id}`;
    const headers = { 'if-match': `"${organisation.version}"` };
    const answer = await node?.api('PATCH', path, { legalName }, headers).catch(() => undefined);
    if (answer?.status === 200) {
      organisation.version = answer.body.version;
      return;
    }
    // The node died after the change and before the answer, or before both.
    const read = await nodes()[0]?.api('GET', path);
    organisation.version = read?.body.version;
    if (read?.body.legalName === legalName) return;
    if (attempt > 100) throw new Error(`not renamed: ${answer?.text}`);
  }
}
