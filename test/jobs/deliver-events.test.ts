import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { and, eq } from 'drizzle-orm';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createReceiver, type ReceivedEvent } from '../../examples/receiver/receiver.js';
import { EventDeliveries } from '../../src/jobs/deliver-events.ts';
import type { FailingReceiver } from '../../src/jobs/webhook-drain.ts';
import { parseOutboundAllow } from '../../src/outbound/address-rules.ts';
import { createMessagePost, type MessagePost } from '../../src/outbound/message-post.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import type { Organisation } from '../../src/registry/organisations/organisation.ts';
import { updateOrganisation } from '../../src/registry/organisations/update-organisation.ts';
import type { NewWebhook, WebhookWithSecret } from '../../src/registry/webhooks/add-webhook.ts';
import { lastDeliveredAt, planDeliveries } from '../../src/registry/webhooks/deliveries.ts';
import { listDeliveries } from '../../src/registry/webhooks/list-deliveries.ts';
import { readWebhook } from '../../src/registry/webhooks/read-webhook.ts';
import { replayDeliveries } from '../../src/registry/webhooks/replay-deliveries.ts';
import { rotateWebhookSecret } from '../../src/registry/webhooks/rotate-webhook-secret.ts';
import { transitionWebhook } from '../../src/registry/webhooks/transition-webhook.ts';
import { openWebhookSecret } from '../../src/signer/webhook-secrets.ts';
import { webhookDeliveries } from '../../src/storage/schema/webhooks.ts';
import { actor, openRegistry, TEST_MASTER_KEY, type TestRegistry } from '../support/registry.ts';
import { addTestWebhook, sealTestWebhookSecret } from '../support/webhooks.ts';

let registry: TestRegistry;
let authority: Authority;
let post: MessagePost;
beforeAll(async () => {
  registry = await openRegistry('embedded');
  authority = await registry.authority();
  post = createMessagePost({
    ...{ allow: parseOutboundAllow('127.0.0.0/8, ::1'), allowHttp: false, extraCas: [], userAgent: 'holdfast/test' },
    timeoutMs: 5_000,
  });
});
afterAll(async () => {
  await post[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const started: { stop: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const one of started.splice(0).reverse()) await one.stop();
});

async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  started.push({
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, server };
}

/** One node, as far as it delivers. */
class Deliverer {
  readonly failing: FailingReceiver[] = [];
  readonly #deliveries: EventDeliveries;
  readonly #stop = new AbortController();
  readonly #runs: Promise<void>[] = [];

  constructor(random: () => number = () => 0.5, now: () => Date = () => new Date()) {
    this.#deliveries = new EventDeliveries({
      db: registry.db,
      post: post.post,
      openSecret: (sealed, webhookId) => openWebhookSecret(TEST_MASTER_KEY, sealed, webhookId),
      now,
      pause: async (webhookId, reason) => {
        await transitionWebhook(registry.context(), webhookId, 'pause', reason);
      },
      onFailing: (report) => this.failing.push(report),
      random,
    });
    started.push(this);
  }

  /** Ends when it is stopped, or when the webhook is over. */
  run(webhookId: string): Promise<void> {
    const run = this.#deliveries.run(webhookId, this.#stop.signal);
    this.#runs.push(run);
    return run;
  }

  /** Something changed, perhaps a webhook. */
  async announce(webhookId = ''): Promise<void> {
    this.#deliveries.announce([{ seq: await registry.seq(), subjectKind: 'webhook', subjectId: webhookId }]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#runs);
  }
}

/** Waits for a condition that other work brings about; a test that waits in vain ends by its own time. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

async function webhookTo(url: string, settings: Partial<NewWebhook> = {}): Promise<WebhookWithSecret> {
  return await addTestWebhook(registry, { authorityId: authority.id, url, ...settings });
}

/** A change about an organisation; its event is `organisation.updated`. */
let names = 0;
async function change({ id }: Organisation): Promise<void> {
  await updateOrganisation(registry.context(), id, { legalName: `Name ${++names}` });
}

async function deliveriesOf(webhookId: string) {
  return (await listDeliveries(registry.db, actor(), webhookId, {}, { limit: 500 })).items;
}

/** By the clock that deliveries go by. */
const nowadays = () => registry.context(actor(), { now: new Date() });

/** As if the time of the next attempts had come. */
async function makeDue(webhookId: string): Promise<void> {
  await registry.db
    .update(webhookDeliveries)
    .set({ nextAttemptAt: new Date(0) })
    .where(and(eq(webhookDeliveries.webhookId, webhookId), eq(webhookDeliveries.state, 'waiting')));
}

/** As if everything that waits had waited for so long. */
async function age(webhookId: string, hours: number): Promise<void> {
  const plannedAt = new Date(Date.now() - hours * 3_600_000);
  await registry.db.update(webhookDeliveries).set({ plannedAt }).where(eq(webhookDeliveries.webhookId, webhookId));
}

const health = async (id: string) => (await readWebhook(registry.db, actor(), id)).health;

/** What came, by the reference receiver, in the order in which it was taken; `refuses` says which are not. */
async function receiver(webhook: () => WebhookWithSecret, refuses: (event: ReceivedEvent) => boolean = () => false) {
  const taken: ReceivedEvent[] = [];
  let listener: RequestListener | undefined;
  const { url } = await serve((request, response) => {
    listener ??= createReceiver({
      secret: webhook().secret,
      handle: (event) => {
        if (refuses(event)) throw new Error('refused');
        taken.push(event);
      },
    });
    return listener(request, response);
  });
  return { url, taken };
}

describe('[F50] deliveries of events', () => {
  it('reach the reference receiver verified, each once, with the filter of the webhook', async () => {
    const { url, taken } = await receiver(() => webhook);
    const webhook = await webhookTo(url, { types: ['organisation.*'] });
    const organisation = await registry.organisation(authority);
    await registry.entity(organisation);
    const node = new Deliverer();
    node.run(webhook.webhook.id);
    await until(() => taken.length === 2);
    await change(organisation);
    await node.announce();
    await until(() => taken.length === 3);
    expect(taken.map(({ type }) => type)).toEqual([
      ...['organisation.added', 'organisation.approved', 'organisation.updated'],
    ]);
    expect(new Set(taken.map(({ data }) => data.subject.id))).toEqual(new Set([organisation.id]));
    await until(async () => (await health(webhook.webhook.id)).waiting === 0);
    const { lastSuccessAt, ...rest } = await health(webhook.webhook.id);
    expect(rest).toMatchObject({ dead: 0, oldestWaiting: null });
    expect(lastSuccessAt).not.toBeNull();
    expect(await lastDeliveredAt(registry.db)).toEqual(lastSuccessAt);
  });

  it('keep the order of each subject while attempts fail at random, and lose nothing', async () => {
    // Linear congruential: the same failures each time.
    let state = 4711;
    const random = () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647;
    };
    const { url, taken } = await receiver(
      () => webhook,
      () => random() < 0.4,
    );
    const webhook = await webhookTo(url, { types: ['organisation.updated'] });
    const organisations = [];
    for (let index = 0; index < 5; index++) organisations.push(await registry.organisation(authority));
    for (let index = 0; index < 40; index++) {
      const organisation = organisations[Math.floor(random() * 5)];
      if (organisation !== undefined) await change(organisation);
    }
    const node = new Deliverer(random);
    node.run(webhook.webhook.id);
    await until(async () => {
      await makeDue(webhook.webhook.id);
      await node.announce(webhook.webhook.id);
      return taken.length === 40;
    });
    for (const { id } of organisations) {
      const seqs = taken.filter(({ data }) => data.subject.id === id).map(({ seq }) => seq);
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    }
    expect(new Set(taken.map(({ id }) => id)).size).toBe(40);
  });

  it('are signed with both secrets after a rotation, and with the new one alone where the old one ended', async () => {
    const signatures: string[] = [];
    const messages: { body: string; headers: Record<string, string> }[] = [];
    const { url } = await serve(async (request, response) => {
      const body = await text(request);
      messages.push({ body, headers: request.headers as Record<string, string> });
      signatures.push(String(request.headers['webhook-signature']));
      response.end();
    });
    const first = await webhookTo(url);
    const { id } = first.webhook;
    const organisation = await registry.organisation(authority);
    const node = new Deliverer();
    node.run(id);
    await until(() => messages.length === 2);
    const context = nowadays();
    const second = await rotateWebhookSecret(context, id, sealTestWebhookSecret);
    await node.announce(id);
    await change(organisation);
    await node.announce();
    await until(() => messages.length === 3);
    const third = await rotateWebhookSecret(context, id, sealTestWebhookSecret, { isPreviousEnded: true });
    await node.announce(id);
    await change(organisation);
    await node.announce();
    await until(() => messages.length === 4);
    expect(signatures.map((signature) => signature.split(' ').length)).toEqual([1, 1, 2, 1]);
    const verifies =
      ({ secret }: WebhookWithSecret) =>
      (message: (typeof messages)[number]) => {
        try {
          new Verifier(secret).verify(message.body, message.headers);
          return true;
        } catch {
          return false;
        }
      };
    expect(messages.map(verifies(first))).toEqual([true, true, true, false]);
    expect(messages.map(verifies(second))).toEqual([false, false, true, false]);
    expect(messages.map(verifies(third))).toEqual([false, false, false, true]);
  });

  it('are tried for three days, then given up; what was given up is told of, seen, and replayed with its webhook-id', async () => {
    let isUp = false;
    const ids: string[] = [];
    const { url } = await serve((request, response) => {
      ids.push(String(request.headers['webhook-id']));
      response.writeHead(isUp ? 204 : 500).end();
    });
    const { webhook } = await webhookTo(url);
    const organisation = await registry.organisation(authority);
    const node = new Deliverer();
    node.run(webhook.id);
    await until(async () => (await health(webhook.id)).oldestWaiting?.attempts === 1);
    expect(await health(webhook.id)).toMatchObject({
      waiting: 2,
      oldestWaiting: { lastStatus: 500, lastFailure: 'it answered 500' },
    });
    expect(node.failing).toEqual([]);
    await age(webhook.id, 71);
    await makeDue(webhook.id);
    await node.announce(webhook.id);
    await until(async () => (await health(webhook.id)).oldestWaiting?.attempts === 2);
    expect(node.failing).toMatchObject([{ webhookId: webhook.id, failure: 'it answered 500' }]);
    await age(webhook.id, 73);
    await makeDue(webhook.id);
    await node.announce(webhook.id);
    await until(async () => (await health(webhook.id)).dead === 2);
    // The second was not tried before the first was given up.
    const [first, second] = await deliveriesOf(webhook.id);
    expect(ids).toEqual([first?.id, first?.id, first?.id, second?.id]);
    isUp = true;
    await replayDeliveries(nowadays(), webhook.id, { what: 'dead' });
    await node.announce(webhook.id);
    await until(async () => (await health(webhook.id)).waiting === 0);
    expect(ids.slice(4)).toEqual([first?.id, second?.id]);
    const seq = await registry.seq();
    await change(organisation);
    await replayDeliveries(nowadays(), webhook.id, { what: 'since', afterSeq: seq });
    await node.announce(webhook.id);
    await until(() => ids.length === 7);
    expect(ids.at(-1)).toBe(`evt_${seq + 1}_0`);
  });

  it('are made anew and in order where they were under way when they were replayed', async () => {
    const ids: string[] = [];
    const asked = Promise.withResolvers<void>();
    const replayed = Promise.withResolvers<void>();
    const { url } = await serve(async (request, response) => {
      ids.push(String(request.headers['webhook-id']));
      if (ids.length === 2) {
        asked.resolve();
        await replayed.promise;
      }
      response.writeHead(204).end();
    });
    const { webhook } = await webhookTo(url);
    await registry.organisation(authority);
    const node = new Deliverer();
    node.run(webhook.id);
    await asked.promise;
    await replayDeliveries(nowadays(), webhook.id, { what: 'since', afterSeq: webhook.plannedThroughSeq });
    await node.announce(webhook.id);
    replayed.resolve();
    await until(async () => (await health(webhook.id)).waiting === 0);
    const [first, second] = await deliveriesOf(webhook.id);
    expect(ids).toEqual([first?.id, second?.id, first?.id, second?.id]);
  });

  it('go on at once when the clock is set back', async () => {
    let aheadMs = 3_600_000;
    let taken = 0;
    // The reference receiver takes nothing that lies an hour ahead.
    const { url } = await serve((_request, response) => {
      taken++;
      response.writeHead(204).end();
    });
    const { webhook } = await webhookTo(url, { types: ['organisation.updated'] });
    const organisations = [await registry.organisation(authority), await registry.organisation(authority)];
    const node = new Deliverer(undefined, () => new Date(Date.now() + aheadMs));
    node.run(webhook.id);
    await change(organisations[0] as Organisation);
    await node.announce();
    await until(() => taken === 1);
    await until(async () => (await health(webhook.id)).waiting === 0);
    aheadMs = 0;
    await change(organisations[0] as Organisation);
    await node.announce();
    await until(() => taken === 2);
    // Planned before, and never tried.
    await node.stop();
    await change(organisations[1] as Organisation);
    await planDeliveries(registry.db, webhook.id, new Date(Date.now() + 3_600_000));
    new Deliverer().run(webhook.id);
    await until(() => taken === 3);
  });

  it('pause the webhook of a receiver that is gone (410), and end at once when somebody pauses it', async () => {
    let answered = 0;
    const { url } = await serve((_request, response) => {
      answered++;
      response.writeHead(410).end();
    });
    const { webhook } = await webhookTo(url);
    await registry.organisation(authority);
    await new Deliverer().run(webhook.id);
    const gone = await readWebhook(registry.db, actor(), webhook.id);
    expect(gone).toMatchObject({ state: 'paused', stateReason: 'the receiver answered 410: it is gone' });
    expect(answered).toBe(1);

    const asked = Promise.withResolvers<void>();
    const brokenOff = Promise.withResolvers<void>();
    const slow = await serve((request) => {
      asked.resolve();
      request.socket.once('close', () => brokenOff.resolve());
    });
    const { webhook: hanging } = await webhookTo(slow.url, { afterSeq: webhook.plannedThroughSeq });
    const node = new Deliverer();
    const run = node.run(hanging.id);
    await asked.promise;
    await transitionWebhook(registry.context(), hanging.id, 'pause', 'by a test');
    await node.announce(hanging.id);
    await run;
    await brokenOff.promise;
    expect((await deliveriesOf(hanging.id)).map(({ attempts }) => attempts)).toEqual([0, 0]);
  });

  it('are sent again with the same webhook-id by the next node, where one ends before the answer is on record', async () => {
    const ids: string[] = [];
    const asked = Promise.withResolvers<void>();
    const { url } = await serve((request, response) => {
      ids.push(String(request.headers['webhook-id']));
      // The answer to the first is never seen.
      if (ids.length === 1) return asked.resolve();
      response.writeHead(200).end();
    });
    const { webhook } = await webhookTo(url);
    await registry.organisation(authority);
    const first = new Deliverer();
    first.run(webhook.id);
    await asked.promise;
    await first.stop();
    new Deliverer().run(webhook.id);
    await until(() => ids.length === 3);
    expect(ids[1]).toBe(ids[0]);
    await until(async () => (await health(webhook.id)).waiting === 0);
  });

  it('reach a healthy receiver while others hang, redirect, or pour without end; each of these only harms itself', async () => {
    const { url, taken } = await receiver(() => healthy);
    const hanging = await serve(() => undefined);
    const redirecting = await serve((_request, response) => {
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    });
    const pouring = await serve((_request, response) => {
      response.writeHead(200);
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) {
          // Until the other side is full.
        }
      };
      response.on('drain', pour);
      pour();
    });
    const types = ['organisation.updated'];
    const bad = await Promise.all([hanging, redirecting, pouring].map((one) => webhookTo(one.url, { types })));
    const healthy = await webhookTo(url, { types });
    const organisations = [await registry.organisation(authority), await registry.organisation(authority)];
    const node = new Deliverer();
    for (const { webhook } of [...bad, healthy]) node.run(webhook.id);
    for (const organisation of [...organisations, ...organisations]) await change(organisation);
    await node.announce();
    await until(() => taken.length === 4);
    const [ofHanging, ofRedirecting, ofPouring] = bad.map(({ webhook }) => webhook.id);
    await until(async () => (await health(ofRedirecting ?? '')).oldestWaiting?.attempts === 1);
    expect((await health(ofRedirecting ?? '')).oldestWaiting).toMatchObject({ lastStatus: 302 });
    expect(await health(ofHanging ?? '')).toMatchObject({ waiting: 4, lastSuccessAt: null });
    // A status that says yes is a yes, whatever comes after it.
    await until(async () => (await health(ofPouring ?? '')).waiting === 0);
  });
});
