/** Lists the deliveries of a webhook: what became of each event. */
import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { events } from '../../storage/schema/events.ts';
import { type DeliveryState, webhookDeliveries } from '../../storage/schema/webhooks.ts';
import { ACCESS } from '../access.ts';
import { type Actor, requireRole } from '../actor.ts';
import { eventId, parseEventId } from '../events/event-body.ts';
import { type Page, type PageRequest, pageOf } from '../page.ts';
import { invalidField } from '../registry-error.ts';
import { readWebhook } from './read-webhook.ts';

export const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const satisfies readonly DeliveryState[];

export interface Delivery extends Omit<typeof webhookDeliveries.$inferSelect, 'webhookId' | 'ordinal'> {
  /** Of the event; `webhook-id` of each attempt. */
  id: string;
  /** null: it is kept no more. */
  type: string | null;
}

/** In the order of the events. @throws RegistryError not_found, role_missing, validation_failed */
export async function listDeliveries(
  db: Db,
  actor: Actor,
  webhookId: string,
  { state }: { state?: DeliveryState },
  request: PageRequest,
): Promise<Page<Delivery>> {
  requireRole(actor, ACCESS.listWebhookDeliveries.roles);
  await readWebhook(db, actor, webhookId);
  const after = placeOf(request);
  const { webhookId: _, ...columns } = getTableColumns(webhookDeliveries);
  const { seq, ordinal } = webhookDeliveries;
  const rows = await db
    .select({ ...columns, type: events.type })
    .from(webhookDeliveries)
    .leftJoin(events, and(eq(events.seq, seq), eq(events.ordinal, ordinal)))
    .where(
      and(
        eq(webhookDeliveries.webhookId, webhookId),
        state === undefined ? undefined : eq(webhookDeliveries.state, state),
        after && sql`(${seq}, ${ordinal}) > (${after.seq}, ${after.ordinal})`,
      ),
    )
    .orderBy(asc(seq), asc(ordinal))
    .limit(request.limit + 1);
  const deliveries = rows.map(({ ordinal: position, ...row }) => ({
    ...{ id: eventId({ seq: row.seq, ordinal: position }) },
    ...row,
  }));
  return pageOf(deliveries, request);
}

function placeOf({ cursor }: PageRequest) {
  if (cursor === undefined) return undefined;
  const place = parseEventId(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (place === undefined) throw invalidField('/cursor', 'is no cursor of ours; use `next` of the page before');
  return place;
}
