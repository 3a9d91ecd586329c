/** Pauses a webhook, or lets it go on where it stopped. */
import { and, eq, lte } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { webhookDeliveries, webhooks } from '../../storage/schema/webhooks.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { firstWaiting } from './deliveries.ts';
import { requireStart } from './kept-events.ts';
import { readWebhook } from './read-webhook.ts';
import { auditedWebhook, lockWebhook, type Webhook, type WebhookRow, webhookSnapshot } from './webhook.ts';

export const WEBHOOK_TRANSITIONS = {
  pause: { from: 'active', to: 'paused' },
  resume: { from: 'paused', to: 'active' },
} as const;

export type WebhookTransition = keyof typeof WEBHOOK_TRANSITIONS;

export interface TransitionOptions {
  expectedVersion?: number | undefined;
  /** For `resume`: leaves out what happened up to this seq, as the receiver knows it otherwise. */
  afterSeq?: number | undefined;
}

/**
 * What happens while it is paused is told once it goes on, unless events of that time are kept no more.
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition, resync_required
 */
export async function transitionWebhook(
  context: ChangeContext,
  webhookId: string,
  transition: WebhookTransition,
  reason: string,
  { expectedVersion, afterSeq }: TransitionOptions = {},
): Promise<Webhook> {
  const { authorityId } = await readWebhook(context.db, context.actor, webhookId);
  authorise(context.actor, ACCESS[`${transition}Webhook`].roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockWebhook(tx, webhookId);
    const { from, to } = WEBHOOK_TRANSITIONS[transition];
    if (before.state !== from) {
      const message = `cannot ${transition} a webhook that is ${before.state}`;
      throw new RegistryError('illegal_transition', message, { from: before.state, to });
    }
    requireVersion(before, expectedVersion);
    const plannedThroughSeq =
      transition === 'resume' ? await continuation(tx, before, afterSeq, context.now) : before.plannedThroughSeq;
    const state = { state: to, stateReason: reason, stateChangedAt: context.now };
    const after = { ...before, ...state, plannedThroughSeq, version: before.version + 1 };
    await tx.update(webhooks).set(after).where(eq(webhooks.id, webhookId));
    record({
      action: `webhook.${transition}`,
      ...auditedWebhook(after),
      before: webhookSnapshot(before),
      after: { ...webhookSnapshot(after), ...(afterSeq !== undefined && { afterSeq }) },
      reason,
    });
  });
  return readWebhook(context.db, context.actor, webhookId);
}

/** Where it goes on. What waited then waits from now: it was nobody's failure. */
async function continuation(tx: Tx, webhook: WebhookRow, afterSeq: number | undefined, now: Date): Promise<number> {
  const waiting = await firstWaiting(tx, webhook.id);
  const stopped = waiting === undefined ? webhook.plannedThroughSeq : waiting.seq - 1;
  await requireStart(tx, afterSeq ?? Math.min(stopped, webhook.plannedThroughSeq), '/afterSeq');
  const ofWebhook = and(eq(webhookDeliveries.webhookId, webhook.id), eq(webhookDeliveries.state, 'waiting'));
  if (afterSeq !== undefined) {
    await tx.delete(webhookDeliveries).where(and(ofWebhook, lte(webhookDeliveries.seq, afterSeq)));
  }
  await tx.update(webhookDeliveries).set({ plannedAt: now, nextAttemptAt: now }).where(ofWebhook);
  return Math.max(webhook.plannedThroughSeq, afterSeq ?? 0);
}
