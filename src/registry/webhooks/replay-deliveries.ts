/** Lets deliveries be made again: those given up, or everything since a seq. */
import { and, eq, exists, gt, type SQL } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { events } from '../../storage/schema/events.ts';
import { webhookDeliveries, webhooks } from '../../storage/schema/webhooks.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { requireStart } from './kept-events.ts';
import { readWebhook } from './read-webhook.ts';
import { auditedWebhook, lockWebhook, type Webhook } from './webhook.ts';

/** Those given up, or everything after a seq whatever came of it. */
export type Replay = { what: 'dead' } | { what: 'since'; afterSeq: number };

/**
 * They go out with their `webhook-id` of before, in their order. Of a webhook that is paused they wait.
 * @throws RegistryError not_found, role_missing, illegal_transition when it is removed, resync_required, validation_failed
 */
export async function replayDeliveries(context: ChangeContext, webhookId: string, replay: Replay): Promise<Webhook> {
  const { authorityId } = await readWebhook(context.db, context.actor, webhookId);
  authorise(context.actor, ACCESS.replayWebhook.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const webhook = await lockWebhook(tx, webhookId);
    const after = replay.what === 'since' ? replay.afterSeq : undefined;
    if (after !== undefined) {
      await requireStart(tx, after, '/afterSeq');
      // What is older than the webhook, or did not interest it then, is planned anew.
      const plannedThroughSeq = Math.min(webhook.plannedThroughSeq, after);
      await tx.update(webhooks).set({ plannedThroughSeq }).where(eq(webhooks.id, webhookId));
    }
    const which = after === undefined ? eq(webhookDeliveries.state, 'dead') : gt(webhookDeliveries.seq, after);
    const deliveries = await waitAgain(tx, and(eq(webhookDeliveries.webhookId, webhookId), which), context.now);
    record({
      action: 'webhook.replay',
      ...auditedWebhook(webhook),
      after: { what: replay.what, ...(after !== undefined && { afterSeq: after }), deliveries },
    });
  });
  return readWebhook(context.db, context.actor, webhookId);
}

/** What is kept no more stays given up. @returns how many wait again */
async function waitAgain(tx: Tx, which: SQL | undefined, now: Date): Promise<number> {
  const { seq, ordinal } = webhookDeliveries;
  const kept = tx
    .select({ seq: events.seq })
    .from(events)
    .where(and(eq(events.seq, seq), eq(events.ordinal, ordinal)));
  const waiting = await tx
    .update(webhookDeliveries)
    .set({
      ...{ state: 'waiting', attempts: 0, plannedAt: now, nextAttemptAt: now, deliveredAt: null },
      ...{ lastFailure: null, lastStatus: null },
    })
    .where(and(which, exists(kept)))
    .returning({ seq });
  return waiting.length;
}
