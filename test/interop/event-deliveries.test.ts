/**
 * Two nodes tell receivers of thousands of changes, while one node is killed again and again, receivers fail at random,
 * and one of them is away for a third of the changes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Webhook as Signer } from 'standardwebhooks';
import { expect, it } from 'vitest';
import { freePort } from '../support/cli.ts';
import { createTestDatabase } from '../support/databases.ts';
import { FlakyReceiver } from '../support/flaky-receiver.ts';
import { ServiceProcess } from '../support/service-process.ts';

/** All of them: `EVENT_CHANGES=10000 npm run test:interop -- test/interop/event-deliveries.test.ts` */
const CHANGES = Number(process.env['EVENT_CHANGES'] ?? '1500');
const RECEIVERS = 3;
const ORGANISATIONS = 40;
const KILLED_EVERY_MS = 10_000;
/** How many times at least, so that the run says something: the full one takes minutes. */
const KILLS = CHANGES >= 10_000 ? 3 : 1;
/** One receiver is away from the first number of changes to the second. */
const AWAY = { from: Math.ceil(CHANGES / 3), until: Math.ceil((CHANGES * 2) / 3) };
/** Changes under way at once. */
const LANES = 6;

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
    const receivers: FlakyReceiver[] = [];
    const secrets: string[] = [];
    let beginning = 0;
    for (let index = 0; index < RECEIVERS; index++) {
      const receiver = stack.use(await FlakyReceiver.start());
      const added = await steady.api('POST', '/webhooks', { authorityId, name: 'receiver', url: receiver.url });
      expect(added.status).toBe(201);
      receiver.secret = added.body.secret;
      receivers.push(receiver);
      secrets.push(added.body.secret);
      beginning = added.body.plannedThroughSeq;
    }
    const [leaving] = receivers as [FlakyReceiver];
    const absence = { taken: 0, missed: 0 };
    const comeAndGo = async (made: number): Promise<void> => {
      if (made === AWAY.from) {
        await leaving.leave();
        absence.taken = leaving.taken.length;
      } else if (made === AWAY.until) {
        absence.taken = leaving.taken.length - absence.taken;
        absence.missed = missingOf(leaving, await eventsAfter(beginning, steady));
        await leaving.comeBack();
      }
    };

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
    // Told below, when the changes are over.
    killing.catch(() => undefined);

    let changed: Set<string>;
    try {
      await makeChanges({ authorityId, nodes: () => [steady, victim], afterEach: comeAndGo });
      changed = await eventsAfter(beginning, steady);
      for (const receiver of receivers) receiver.mayFail = false;
      const giveUpAt = Date.now() + 120_000;
      while (receivers.some((one) => missingOf(one, changed) > 0) && Date.now() < giveUpAt) await pause(100);
    } finally {
      done.abort();
      await killing;
    }

    const refused = receivers.map((receiver) => receiver.refused);
    process.stdout.write(
      `events: ${changed.size} told to each of ${RECEIVERS}, one node killed ${kills} times, refused ${refused.join(', ')}, one receiver missed ${absence.missed} while away\n`,
    );
    expect(changed.size).toBeGreaterThanOrEqual(CHANGES);
    expect(kills).toBeGreaterThanOrEqual(KILLS);
    for (const count of refused) expect(count).toBeGreaterThan(0);
    expect(absence.taken).toBe(0);
    // Of a change that each lane had under way then it may have been told already.
    expect(absence.missed).toBeGreaterThan(AWAY.until - AWAY.from - LANES);

    const missing = receivers.map((receiver) => missingOf(receiver, changed));
    const twice = receivers.map(({ twiceAtATime }) => twiceAtATime);
    expect({ missing, twice }).toEqual({ missing: [0, 0, 0], twice: [0, 0, 0] });
    for (const { taken } of receivers) {
      const last = new Map<string, number>();
      for (const { seq, data } of taken) {
        expect(seq).toBeGreaterThan(last.get(data.subject.id) ?? 0);
        last.set(data.subject.id, seq);
      }
    }
    const job = await steady.api('GET', '/jobs/deliver_events');
    expect(job.body).toMatchObject({ everySeconds: null, lastSucceededAt: expect.stringMatching(/Z$/) });
    for (const [index, receiver] of receivers.entries()) await expectVerified(receiver, secrets[index] as string);
  },
  CHANGES * 100 + 240_000,
);

/** How many of the events it has not taken. */
function missingOf({ taken }: FlakyReceiver, events: ReadonlySet<string>): number {
  return events.difference(new Set(taken.map(({ id }) => id))).size;
}

/** A forged event is refused, and not counted; signed with the secret of the webhook, the same one is taken. */
async function expectVerified(receiver: FlakyReceiver, secret: string): Promise<void> {
  const id = 'evt_forged';
  const body = JSON.stringify({ id, type: 'forged', seq: 0, data: { subject: {} } });
  const at = new Date();
  const post = async (signature: string, content = body): Promise<number> => {
    const timestamp = String(Math.floor(at.getTime() / 1000));
    const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature };
    return (await fetch(receiver.url, { method: 'POST', headers, body: content })).status;
  };
  const ofAnother = new Signer(Buffer.alloc(32, 7).toString('base64')).sign(id, at, body);
  const genuine = new Signer(secret).sign(id, at, body);
  const before = receiver.taken.length;
  expect([await post(ofAnother), await post(genuine, `${body} `)]).toEqual([401, 401]);
  expect(receiver.taken).toHaveLength(before);
  expect(await post(genuine)).toBe(204);
  expect(receiver.taken).toHaveLength(before + 1);
}

/** @returns the ids of all events after a seq */
async function eventsAfter(seq: number, node: ServiceProcess): Promise<Set<string>> {
  const events = new Set<string>();
  for (let after = String(seq); ; ) {
    const { body } = await node.api('GET', `/events?after=${after}&limit=500`);
    for (const { id } of body.items) events.add(id);
    if (body.items.length === 0) return events;
    after = body.next;
  }
}

interface Changing {
  authorityId: string;
  nodes: () => ServiceProcess[];
  /** Called with how many were acknowledged, once for each number. */
  afterEach: (made: number) => Promise<void>;
}

/** Resolves when all changes were acknowledged. */
async function makeChanges({ authorityId, nodes, afterEach }: Changing): Promise<void> {
  const [steady] = nodes();
  const organisations = await Promise.all(
    Array.from({ length: ORGANISATIONS }, async (_, index) => {
      const added = await steady?.api('POST', '/organisations', { authorityId, legalName: `Partner ${index}` });
      return { id: added?.body.id as string, version: 1 };
    }),
  );
  let begun = 0;
  let made = 0;
  const lane = async (lane: number): Promise<void> => {
    // Each lane has organisations of its own.
    const own = organisations.filter((_, index) => index % LANES === lane);
    for (let turn = 0; begun < CHANGES; turn++) {
      begun++;
      const organisation = own[turn % own.length];
      if (organisation === undefined) return;
      await renamed(organisation, `Partner ${lane} ${turn}`, nodes);
      await afterEach(++made);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)));
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
