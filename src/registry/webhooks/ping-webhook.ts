/** Sends a receiver something to try its verification with; no event, and no record of it. */
import { eq } from 'drizzle-orm';
import { webhooks } from '../../storage/schema/webhooks.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import type { ChangeContext } from '../change.ts';
import type { EventBody } from '../events/event-body.ts';
import { RegistryError } from '../registry-error.ts';
import { seqNow } from './kept-events.ts';
import { readWebhook } from './read-webhook.ts';
import type { WebhookRow } from './webhook.ts';

export interface PingOutcome {
  /** What the receiver answered; null: nothing. */
  status: number | null;
  /** null: it took it. */
  failure: string | null;
}

/** Signs and sends it as an event would be; filled by whoever composes the program. */
export type SendPing = (webhook: WebhookRow, event: EventBody) => Promise<PingOutcome>;

/** Also of one that is paused. @throws RegistryError not_found, role_missing, illegal_transition when it is removed */
export async function pingWebhook(context: ChangeContext, webhookId: string, send: SendPing): Promise<PingOutcome> {
  const { db, actor, now, newId } = context;
  const { authorityId } = await readWebhook(db, actor, webhookId);
  authorise(actor, ACCESS.pingWebhook.roles, authorityId);
  const [webhook] = await db.select().from(webhooks).where(eq(webhooks.id, webhookId));
  if (webhook === undefined || webhook.state === 'removed') {
    throw new RegistryError('illegal_transition', 'it is removed; add another one', { from: 'removed', allowed: [] });
  }
  const data = { webhook: { id: webhookId, name: webhook.name } };
  const event = { timestamp: now.toISOString(), seq: await seqNow(db), data };
  return await send(webhook, { id: `ping_${newId()}`, type: 'webhook.ping', ...event });
}
