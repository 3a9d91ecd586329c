/** Deletes events that are too old, from the beginning of the stream on, and notes where it begins now. */
import { and, asc, eq, gt, inArray, lte, min, ne, or, type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { eventStream, events } from '../../storage/schema/events.ts';
import { webhookDeliveries, webhooks } from '../../storage/schema/webhooks.ts';

/** Events that one transaction deletes: others wait for it only briefly. A change is never divided. */
const BATCH_SIZE = 1_000;

/** For so long events wait for a webhook that is paused; then it cannot go on where it stopped. */
const PAUSED_DAYS = 30;

/**
 * Deletes what was written before a moment, by the clock of the database. What a receiver has still to be told of stays,
 * and with it everything later. Nodes that do so at once follow one another.
 * @returns how many are gone
 */
export async function pruneEvents(db: Db, before: Date, signal?: AbortSignal): Promise<number> {
  let pruned = 0;
  for (let gone = 1; gone > 0 && signal?.aborted !== true; pruned += gone) {
    gone = await db.transaction((tx) => pruneBatch(tx, before));
  }
  return pruned;
}

/** @returns how many events are gone; 0: all that can */
async function pruneBatch(tx: Tx, before: Date): Promise<number> {
  const [stream] = await tx.select().from(eventStream).where(eq(eventStream.id, 1)).for('update');
  if (stream === undefined) throw new Error('the event stream has lost its row; restore the database');
  const oldest = await tx
    .select({ seq: events.seq, writtenAt: events.writtenAt })
    .from(events)
    .where(gt(events.seq, stream.prunedThroughSeq))
    .orderBy(asc(events.seq), asc(events.ordinal))
    .limit(BATCH_SIZE);
  const young = oldest.find(({ writtenAt }) => writtenAt >= before);
  const old = young === undefined ? oldest : oldest.filter(({ seq }) => seq < young.seq);
  const lastOld = old.at(-1);
  if (lastOld === undefined) return 0;
  const throughSeq = Math.min(lastOld.seq, await toldThroughSeq(tx));
  if (throughSeq <= stream.prunedThroughSeq) return 0;
  await tx.update(eventStream).set({ prunedThroughSeq: throughSeq }).where(eq(eventStream.id, 1));
  await forgetDeliveries(tx, throughSeq);
  const gone = await tx.delete(events).where(lte(events.seq, throughSeq)).returning({ seq: events.seq });
  return gone.length;
}

/** Up to which no receiver has to be told of anything any more; Infinity without receivers. */
async function toldThroughSeq(tx: Tx): Promise<number> {
  const [planned] = await tx
    .select({ seq: min(webhooks.plannedThroughSeq) })
    .from(webhooks)
    .where(isWaitedFor());
  const waiting = await tx
    .select({ seq: min(webhookDeliveries.seq) })
    .from(webhooks)
    .innerJoin(webhookDeliveries, eq(webhookDeliveries.webhookId, webhooks.id))
    .where(and(isWaitedFor(), eq(webhookDeliveries.state, 'waiting')));
  const firstWaiting = waiting[0]?.seq ?? null;
  return Math.min(
    planned?.seq ?? Number.POSITIVE_INFINITY,
    firstWaiting === null ? Number.POSITIVE_INFINITY : firstWaiting - 1,
  );
}

/** By the clock of the database. One webhook that nobody sees to must not keep the events of all. */
function isWaitedFor(): SQL | undefined {
  const isPausedLately = gt(webhooks.stateChangedAt, sql`now() - make_interval(days => ${PAUSED_DAYS})`);
  return or(eq(webhooks.state, 'active'), and(eq(webhooks.state, 'paused'), isPausedLately));
}

/**
 * What became of deliveries goes with their events; by the key of each webhook. What still waits stays on record: it
 * shows, when a webhook is to go on, that it cannot.
 */
async function forgetDeliveries(tx: Tx, throughSeq: number): Promise<void> {
  const all = await tx.select({ id: webhooks.id }).from(webhooks);
  if (all.length === 0) return;
  const ids = all.map(({ id }) => id);
  await tx
    .delete(webhookDeliveries)
    .where(
      and(
        inArray(webhookDeliveries.webhookId, ids),
        lte(webhookDeliveries.seq, throughSeq),
        ne(webhookDeliveries.state, 'waiting'),
      ),
    );
}
