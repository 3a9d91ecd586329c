/** Webhooks as the API gives them, how one is found, and how they are shown. */
import { z } from 'zod';
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { only } from '../find-record.ts';
import type { Report } from '../report.ts';
import { momentText, shortMoment } from '../times.ts';

export const webhookSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string().nullable(),
  name: z.string(),
  url: z.string(),
  types: z.array(z.string()),
  roleIds: z.array(z.string()),
  state: z.string(),
  stateReason: z.string().nullable(),
  previousSecretUntil: z.string().nullable(),
  plannedThroughSeq: z.number(),
  health: z.looseObject({
    lastSuccessAt: z.string().nullable(),
    waiting: z.number(),
    dead: z.number(),
    oldestWaiting: z
      .looseObject({
        seq: z.number(),
        since: z.string(),
        attempts: z.number(),
        lastFailure: z.string().nullable(),
      })
      .nullable(),
  }),
  version: z.number(),
});

export type WebhookRecord = z.infer<typeof webhookSchema>;

export const webhookWithSecretSchema = webhookSchema.extend({ secret: z.string() });

export const deliverySchema = z.looseObject({
  id: z.string(),
  type: z.string().nullable(),
  state: z.string(),
  attempts: z.number(),
  nextAttemptAt: z.string().nullable(),
  lastStatus: z.number().nullable(),
  lastFailure: z.string().nullable(),
  deliveredAt: z.string().nullable(),
});

export const WEBHOOK_ARGUMENT = 'id, or name if unique';

/** @throws CommandError refused, usage */
export async function findWebhook(client: ApiClient, given: string): Promise<WebhookRecord> {
  const path = 'webhooks';
  if (isRecordId(given)) return await client.send({ method: 'GET', path: `${path}/${given}` }, webhookSchema);
  const { items } = await client.list(path, { name: given }, webhookSchema, { limit: Number.POSITIVE_INFINITY });
  return only(items, 'webhook', given);
}

export const WEBHOOK_COLUMNS = ['ID', 'NAME', 'STATE', 'WAITING', 'DEAD', 'LAST SUCCESS'];

export function webhookRow({ id, name, state, health }: WebhookRecord): string[] {
  const { waiting, dead, lastSuccessAt } = health;
  return [
    id,
    name,
    state,
    String(waiting),
    String(dead),
    lastSuccessAt === null ? 'never' : shortMoment(lastSuccessAt),
  ];
}

export const DELIVERY_COLUMNS = ['EVENT', 'TYPE', 'STATE', 'ATTEMPTS', 'STATUS', 'WHEN'];

export function deliveryRow(delivery: z.infer<typeof deliverySchema>): string[] {
  const { id, type, state, attempts, lastStatus, deliveredAt, nextAttemptAt } = delivery;
  const when = deliveredAt ?? nextAttemptAt;
  return [
    ...[id, type ?? 'kept no more', state, String(attempts)],
    ...[lastStatus === null ? '' : String(lastStatus), when === null ? '' : shortMoment(when)],
  ];
}

export function describeWebhook(report: Report, webhook: WebhookRecord): void {
  const { health, types, roleIds, previousSecretUntil, state, stateReason } = webhook;
  const { oldestWaiting, lastSuccessAt } = health;
  report.heading(webhook.name);
  report.facts([
    ['id', webhook.id],
    ['authority', webhook.authorityId ?? 'all'],
    ['posts to', webhook.url],
    ['events', types.length === 0 ? 'all' : types.join(', ')],
    ['roles', roleIds.length === 0 ? 'any' : roleIds.join(', ')],
    ['state', stateReason === null ? state : `${state}: ${stateReason}`],
    ['former secret', previousSecretUntil === null ? undefined : `signs until ${momentText(previousSecretUntil)}`],
    ['last success', lastSuccessAt === null ? 'never' : momentText(lastSuccessAt)],
    ['waiting', String(health.waiting)],
    ['oldest', oldestWaiting === null ? undefined : oldestText(oldestWaiting)],
    ['dead', String(health.dead)],
    ['version', String(webhook.version)],
  ]);
}

function oldestText({
  seq,
  since,
  attempts,
  lastFailure,
}: NonNullable<WebhookRecord['health']['oldestWaiting']>): string {
  const tried = attempts === 0 ? 'not tried yet' : `tried ${attempts} times: ${lastFailure ?? 'no answer'}`;
  return `seq ${seq}, since ${momentText(since)}, ${tried}`;
}
