import { randomUUID } from 'node:crypto';
import { asc, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { pruneEvents } from '../../../src/registry/events/prune-events.ts';
import { prunedThroughSeq } from '../../../src/registry/events/read-events.ts';
import { requireStart } from '../../../src/registry/webhooks/kept-events.ts';
import { transitionWebhook } from '../../../src/registry/webhooks/transition-webhook.ts';
import { events } from '../../../src/storage/schema/events.ts';
import { type WebhookState, webhookDeliveries, webhooks } from '../../../src/storage/schema/webhooks.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { untilWaiting } from '../../support/postgres-locks.ts';
import { NOW_DATE, openRegistry, REASON, type TestRegistry } from '../../support/registry.ts';

const LONG_AGO = new Date(NOW_DATE.getTime() - 100 * 86_400_000);
const BEFORE = new Date(NOW_DATE.getTime() - 90 * 86_400_000);

describe.each(DATABASE_KINDS)('[F50] old events on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  /** Changes of which all but the last are old. @returns their seqs */
  async function history(changes: number): Promise<number[]> {
    const seqs: number[] = [];
    for (let index = 0; index < changes; index++) {
      await registry.organisation(authority, 'pending');
      seqs.push(await registry.seq());
    }
    await registry.db.update(events).set({ writtenAt: NOW_DATE });
    await registry.db
      .update(events)
      .set({ writtenAt: LONG_AGO })
      .where(sql`${events.seq} < ${seqs.at(-1) ?? 0}`);
    return seqs;
  }

  async function kept(): Promise<number[]> {
    const rows = await registry.db.select({ seq: events.seq }).from(events).orderBy(asc(events.seq));
    return rows.map(({ seq }) => seq);
  }

  async function webhook(plannedThroughSeq: number, state: WebhookState, since = NOW_DATE): Promise<string> {
    const id = randomUUID();
    await registry.db.insert(webhooks).values({
      ...{ id, name: 'ops', url: 'https://ops.example', sealedSecret: new Uint8Array(), state, plannedThroughSeq },
      ...{ stateChangedAt: since, version: 1, createdAt: NOW_DATE },
    });
    return id;
  }

  it('[F50] are deleted from the beginning on, and the stream says where it begins', async () => {
    const seqs = await history(4);
    const last = seqs.at(-1) ?? 0;
    expect(await pruneEvents(registry.db, BEFORE)).toBeGreaterThanOrEqual(3);
    expect(await kept()).toEqual([last]);
    expect(await prunedThroughSeq(registry.db)).toBe(last - 1);
    expect(await pruneEvents(registry.db, BEFORE)).toBe(0);
    // Nothing is deleted past one that is young, whatever its clock said of later ones.
    await registry.organisation(authority, 'pending');
    await registry.db.update(events).set({ writtenAt: LONG_AGO }).where(sql`${events.seq} > ${last}`);
    expect(await pruneEvents(registry.db, BEFORE)).toBe(0);
  });

  it('[F50] stay while a receiver has to be told of them, or of one before', async () => {
    const [first = 0, second = 0, third = 0, last = 0] = await history(4);
    const removed = await webhook(0, 'removed');
    const id = await webhook(third, 'active');
    const delivery = { webhookId: id, ordinal: 0, subjectId: 'x', plannedAt: NOW_DATE, nextAttemptAt: NOW_DATE };
    await registry.db.insert(webhookDeliveries).values([
      { ...delivery, seq: first, state: 'delivered' },
      { ...delivery, seq: second, state: 'waiting' },
      { ...delivery, webhookId: removed, seq: first, state: 'dead' },
    ]);
    await pruneEvents(registry.db, BEFORE);
    expect(await kept()).toEqual([second, third, last]);
    expect(await registry.db.$count(webhookDeliveries)).toBe(1);
    await registry.db.update(webhookDeliveries).set({ state: 'delivered' });
    await registry.db.update(webhooks).set({ plannedThroughSeq: second }).where(eq(webhooks.id, id));
    await pruneEvents(registry.db, BEFORE);
    expect(await kept()).toEqual([third, last]);
    expect(await prunedThroughSeq(registry.db)).toBe(second);
    await registry.db.update(webhooks).set({ plannedThroughSeq: last }).where(eq(webhooks.id, id));
    await pruneEvents(registry.db, BEFORE);
    expect(await kept()).toEqual([last]);
    await registry.db.delete(webhookDeliveries);
    await registry.db.delete(webhooks);
  });

  it('[F50] stay for a webhook paused lately, not for one paused long ago, which then cannot go on where it stopped', async () => {
    const [first = 0, second = 0, third = 0, last = 0] = await history(4);
    const days = (count: number) => new Date(Date.now() - count * 86_400_000);
    const id = await webhook(third, 'paused', days(29));
    const delivery = { webhookId: id, ordinal: 0, subjectId: 'x', plannedAt: NOW_DATE, nextAttemptAt: NOW_DATE };
    await registry.db.insert(webhookDeliveries).values([
      { ...delivery, seq: second, state: 'waiting' },
      { ...delivery, seq: last, state: 'waiting' },
    ]);
    await pruneEvents(registry.db, BEFORE);
    expect(await kept()).toEqual([second, third, last]);
    await registry.db.update(webhooks).set({ stateChangedAt: days(31) });
    await pruneEvents(registry.db, BEFORE);
    expect(await kept()).toEqual([last]);
    expect(first).toBeLessThan(second);
    await expect(transitionWebhook(registry.context(), id, 'resume', REASON)).rejects.toMatchObject({
      code: 'resync_required',
    });
    await transitionWebhook(registry.context(), id, 'resume', REASON, { afterSeq: third });
    await registry.db.delete(webhookDeliveries);
    await registry.db.delete(webhooks);
  });

  it('[F50] stay where a webhook is just told to go on from them', async () => {
    const [first = 0, second = 0, third = 0, last = 0] = await history(4);
    const id = await webhook(last, 'active');
    const before = await prunedThroughSeq(registry.db);
    let pruning: Promise<number> | undefined;
    await registry.db.transaction(async (tx) => {
      await requireStart(tx, first, '/afterSeq');
      pruning = pruneEvents(registry.db, BEFORE);
      // Embedded, one transaction follows the other anyway.
      if (kind === 'postgresql') await Promise.race([pruning, untilWaiting(registry.db)]);
      await tx.update(webhooks).set({ plannedThroughSeq: first }).where(eq(webhooks.id, id));
      expect(await prunedThroughSeq(tx)).toBe(before);
    });
    await pruning;
    expect(await kept()).toEqual([second, third, last]);
    await registry.db.delete(webhooks);
    await pruneEvents(registry.db, BEFORE);
  });

  it('[F50] of more changes than go at once, or of one large change, go in pieces', async () => {
    await registry.db.execute(sql`INSERT INTO events (seq, ordinal, type, subject_kind, subject_id, role_ids, data, at, written_at)
      SELECT 1000000 + place / 3, place, 'entity.updated', 'entity', 'x', '[]', '{}', now(), ${LONG_AGO.toISOString()}::timestamptz
      FROM generate_series(0, 2499) AS place`);
    await registry.db.update(events).set({ writtenAt: LONG_AGO });
    expect(await pruneEvents(registry.db, BEFORE)).toBe(2500 + 1);
    expect(await prunedThroughSeq(registry.db)).toBe(1_000_833);
    await registry.db.execute(sql`INSERT INTO events (seq, ordinal, type, subject_kind, subject_id, role_ids, data, at, written_at)
      SELECT 2000000, place, 'entity.updated', 'entity', 'x', '[]', '{}', now(), ${LONG_AGO.toISOString()}::timestamptz
      FROM generate_series(0, 1499) AS place`);
    expect(await pruneEvents(registry.db, BEFORE)).toBe(1500);
    expect(await kept()).toEqual([]);
  });
});
