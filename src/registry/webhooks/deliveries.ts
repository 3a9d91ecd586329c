/** Deliveries of a webhook, from the plan to how each came out: what whoever makes them reads and writes. */
import { and, asc, eq, getTableColumns, gt, lt, lte, not, notInArray, type SQL, sql } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { events } from '../../storage/schema/events.ts';
import { webhookDeliveries, webhooks } from '../../storage/schema/webhooks.ts';
import { type EventBody, type EventPlace, eventBody } from '../events/event-body.ts';
import { isWanted } from '../events/read-events.ts';
import { seqNow } from './kept-events.ts';
import type { WebhookRow } from './webhook.ts';

/** What is to be delivered next. */
export interface DueDelivery extends EventPlace {
  /** Events of one subject are delivered in their order. */
  subjectId: string;
  /** Before this one. */
  attempts: number;
  plannedAt: Date;
  /** Undefined once events of that time are kept no more. */
  event: EventBody | undefined;
}

/** How an attempt came out that did not succeed. */
export interface FailedAttempt {
  /** null: there was no answer. */
  status: number | null;
  failure: string;
  /** null: it was the last one. */
  nextAttemptAt: Date | null;
}

/** With its secrets, for whoever delivers. Undefined unless it is active. */
export async function readActiveWebhook(db: Db, id: string): Promise<WebhookRow | undefined> {
  const [webhook] = await db
    .select()
    .from(webhooks)
    .where(and(eq(webhooks.id, id), eq(webhooks.state, 'active')));
  return webhook;
}

export async function activeWebhookIds(db: Db): Promise<string[]> {
  const active = await db.select({ id: webhooks.id }).from(webhooks).where(eq(webhooks.state, 'active'));
  return active.map(({ id }) => id);
}

/** When any receiver last took an event; null: none that is still on record. Of each webhook by an index of its own. */
export async function lastDeliveredAt(db: Db): Promise<Date | null> {
  const ofOne = sql`(SELECT max(delivered_at) FROM webhook_deliveries
    WHERE webhook_id = webhooks.id AND state = 'delivered')`;
  const [last] = await db.select({ at: sql<string | null>`to_json(max(${ofOne})) #>> '{}'` }).from(webhooks);
  const at = last?.at ?? null;
  return at === null ? null : new Date(at);
}

/** Changes looked at in one transaction. */
const SEQS_AT_A_TIME = 1_000;

export interface Plan {
  plannedThroughSeq: number;
  /** How many deliveries it is about at most; those planned before count again. */
  planned: number;
  /** Whether there are further changes to plan for. */
  hasMore: boolean;
}

/**
 * Plans deliveries of what happened since the last plan, in one transaction with how far that goes. Undefined when the
 * webhook is not active.
 */
export async function planDeliveries(db: Db, webhookId: string, now: Date): Promise<Plan | undefined> {
  return await db.transaction(async (tx) => {
    const [webhook] = await tx
      .select()
      .from(webhooks)
      .where(and(eq(webhooks.id, webhookId), eq(webhooks.state, 'active')))
      .for('no key update');
    if (webhook === undefined) return undefined;
    const { authorityId, types, roleIds, plannedThroughSeq: after } = webhook;
    // Read before the events: all of them up to it can be seen.
    const latest = await seqNow(tx);
    const through = Math.min(latest, after + SEQS_AT_A_TIME);
    if (through <= after) return { plannedThroughSeq: after, planned: 0, hasMore: false };
    const filter = { authorityIds: authorityId === null ? ('all' as const) : [authorityId], types, roleIds };
    const planned = await tx
      .insert(webhookDeliveries)
      .select(
        tx
          .select({
            webhookId: sql<string>`${webhookId}::uuid`.as('webhook_id'),
            seq: events.seq,
            ordinal: events.ordinal,
            subjectId: events.subjectId,
            state: sql<'waiting'>`'waiting'`.as('state'),
            attempts: sql<number>`0`.as('attempts'),
            plannedAt: sql<Date>`${now.toISOString()}::timestamptz`.as('planned_at'),
            nextAttemptAt: sql<Date>`${now.toISOString()}::timestamptz`.as('next_attempt_at'),
            lastAttemptAt: sql<Date | null>`NULL::timestamptz`.as('last_attempt_at'),
            lastStatus: sql<number | null>`NULL::integer`.as('last_status'),
            lastFailure: sql<string | null>`NULL::text`.as('last_failure'),
            deliveredAt: sql<Date | null>`NULL::timestamptz`.as('delivered_at'),
          })
          .from(events)
          .where(and(gt(events.seq, after), sql`${events.seq} <= ${through}`, isWanted(filter))),
      )
      .onConflictDoNothing()
      .returning({ seq: webhookDeliveries.seq });
    await tx.update(webhooks).set({ plannedThroughSeq: through }).where(eq(webhooks.id, webhookId));
    return { plannedThroughSeq: through, planned: planned.length, hasMore: through < latest };
  });
}

export interface DueQuery {
  now: Date;
  limit: number;
  /** Subjects that are seen to already: theirs are left out. */
  busy: readonly string[];
}

/**
 * What can be delivered now, in order: of each subject from its first on, and nothing of a subject whose first waits
 * for another attempt.
 */
export async function dueDeliveries(db: Db, webhookId: string, { now, limit, busy }: DueQuery): Promise<DueDelivery[]> {
  const { seq, ordinal, subjectId, attempts, plannedAt } = getTableColumns(webhookDeliveries);
  const rows = await db
    .select({ seq, ordinal, subjectId, attempts, plannedAt, type: events.type, at: events.at, data: events.data })
    .from(webhookDeliveries)
    .leftJoin(events, and(eq(events.seq, seq), eq(events.ordinal, ordinal)))
    .where(
      and(
        waitingOf(webhookId),
        busy.length === 0 ? undefined : not(isAnyOf(subjectId, busy)),
        notInArray(
          subjectId,
          db.select({ id: webhookDeliveries.subjectId }).from(webhookDeliveries).where(triedLater(webhookId, now)),
        ),
      ),
    )
    .orderBy(asc(seq), asc(ordinal))
    .limit(limit);
  return rows.map(({ type, at, data, ...delivery }) => ({
    ...delivery,
    event: type === null || at === null || data === null ? undefined : eventBody({ ...delivery, type, at, data }),
  }));
}

function waitingOf(webhookId: string): SQL | undefined {
  return and(eq(webhookDeliveries.webhookId, webhookId), eq(webhookDeliveries.state, 'waiting'));
}

/** Further ahead than any pause between two attempts. */
const LONGEST_PAUSE_MS = 5 * 3_600_000;

/**
 * What waits for another attempt that is not due yet. What was never tried is due whatever its date says, and so is what
 * lies too far ahead: the clock that wrote it was ahead, or was set back since.
 */
function triedLater(webhookId: string, now: Date): SQL | undefined {
  const { attempts, nextAttemptAt } = webhookDeliveries;
  const latest = new Date(now.getTime() + LONGEST_PAUSE_MS);
  return and(waitingOf(webhookId), gt(attempts, 0), gt(nextAttemptAt, now), lte(nextAttemptAt, latest));
}

/** When the next attempt is due that is not due yet; undefined: none. */
export async function nextAttempt(db: Db, webhookId: string, now: Date): Promise<Date | undefined> {
  const [next] = await db
    .select({ at: webhookDeliveries.nextAttemptAt })
    .from(webhookDeliveries)
    .where(triedLater(webhookId, now))
    .orderBy(asc(webhookDeliveries.nextAttemptAt))
    .limit(1);
  return next?.at;
}

/** The first of those that wait. */
export async function firstWaiting(db: Db | Tx, webhookId: string): Promise<EventPlace | undefined> {
  const [first] = await db
    .select({ seq: webhookDeliveries.seq, ordinal: webhookDeliveries.ordinal })
    .from(webhookDeliveries)
    .where(waitingOf(webhookId))
    .orderBy(asc(webhookDeliveries.seq), asc(webhookDeliveries.ordinal))
    .limit(1);
  return first;
}

type PlannedDelivery = Pick<DueDelivery, 'seq' | 'ordinal' | 'plannedAt'>;

/** None once it was planned anew: what came of an attempt before that says nothing about the one to be made. */
function oneWaiting(webhookId: string, { seq, ordinal, plannedAt }: PlannedDelivery): SQL | undefined {
  const { seq: ofSeq, ordinal: ofOrdinal, plannedAt: ofPlan } = webhookDeliveries;
  return and(waitingOf(webhookId), eq(ofSeq, seq), eq(ofOrdinal, ordinal), eq(ofPlan, plannedAt));
}

export async function recordDelivered(
  db: Db,
  webhookId: string,
  delivery: PlannedDelivery,
  { status, now }: { status: number; now: Date },
): Promise<void> {
  await db
    .update(webhookDeliveries)
    .set({
      ...{ state: 'delivered', deliveredAt: now, lastAttemptAt: now, lastStatus: status, lastFailure: null },
      attempts: sql`${webhookDeliveries.attempts} + 1`,
    })
    .where(oneWaiting(webhookId, delivery));
}

export async function recordFailed(
  db: Db,
  webhookId: string,
  delivery: PlannedDelivery,
  { status, failure, nextAttemptAt, now }: FailedAttempt & { now: Date },
): Promise<void> {
  await db
    .update(webhookDeliveries)
    .set({
      ...(nextAttemptAt === null ? { state: 'dead' as const } : { nextAttemptAt }),
      ...{ lastAttemptAt: now, lastStatus: status, lastFailure: failure },
      attempts: sql`${webhookDeliveries.attempts} + 1`,
    })
    .where(oneWaiting(webhookId, delivery));
}

/** Gives up, without an attempt, what waits since before a moment. */
export async function giveUpOverdue(
  db: Db,
  webhookId: string,
  { plannedBefore, failure }: { plannedBefore: Date; failure: string },
): Promise<void> {
  await db
    .update(webhookDeliveries)
    .set({ state: 'dead', lastFailure: sql`coalesce(${webhookDeliveries.lastFailure}, ${failure})` })
    .where(and(waitingOf(webhookId), lt(webhookDeliveries.plannedAt, plannedBefore)));
}

/** Lets everything that waits for another attempt be tried now. */
export async function hasten(db: Db, webhookId: string, now: Date): Promise<void> {
  await db
    .update(webhookDeliveries)
    .set({ nextAttemptAt: now })
    .where(and(waitingOf(webhookId), gt(webhookDeliveries.nextAttemptAt, now)));
}
