/** Webhooks on the wire; their secrets come out once. */
import { z } from '@hono/zod-openapi';
import { parseEventId } from '../../../registry/events/event-body.ts';
import { isEventTypeFilter } from '../../../registry/events/event-types.ts';
import { DELIVERY_STATES, type Delivery } from '../../../registry/webhooks/list-deliveries.ts';
import { MAX_WEBHOOK_FILTERS, WEBHOOK_STATES, type Webhook } from '../../../registry/webhooks/webhook.ts';
import { textOf } from '../offer-schema.ts';
import { pageParameters, pageSchema } from '../paging.ts';
import { EACH_ONCE, NAMES_SOMETHING, RecordIdSchema, VersionSchema } from '../record-schema.ts';
import { NameSchema, ReasonSchema, TimeSchema } from '../text-schema.ts';

export const WebhookStateSchema = z.enum(WEBHOOK_STATES).openapi('WebhookState', {
  description: 'active ⇄ paused; removed for good. While it is paused, what happens waits.',
});

const FIELDS = {
  name: NameSchema.openapi({ description: 'For people.', example: 'gateway operations' }),
  url: z
    .string()
    .min(1)
    .max(2048)
    .openapi({
      ...{ format: 'uri', example: 'https://ops.bank.example/holdfast-events' },
      description: 'Where messages are posted: an https URL without user info and fragment.',
    }),
  types: z
    .array(
      z.string().refine(isEventTypeFilter, 'is neither a type of events nor all of a kind, such as organisation.*'),
    )
    .max(MAX_WEBHOOK_FILTERS)
    .refine(...EACH_ONCE)
    .openapi({
      description: 'Types of events, or all of a kind such as `organisation.*`; none: all.',
      example: ['organisation.suspended', 'entity.*'],
    }),
  roleIds: z
    .array(RecordIdSchema)
    .max(MAX_WEBHOOK_FILTERS)
    .refine(...EACH_ONCE)
    .openapi({ description: 'Only events of members that have one of these roles, or had it before; none: all.' }),
};

const AUTHORITY = RecordIdSchema.nullable().openapi({
  description: 'Whose events it tells of; null: all authorities, and the deployment itself.',
});

const SEQ = z.int().min(0).openapi({ example: 4711 });

export const NewWebhookSchema = z
  .strictObject({
    authorityId: AUTHORITY,
    name: FIELDS.name,
    url: FIELDS.url,
    types: FIELDS.types.optional(),
    roleIds: FIELDS.roleIds.optional(),
    afterSeq: SEQ.optional().openapi({
      description: 'Begins with the events after this `seq`; without it with what happens from now on.',
    }),
  })
  .openapi('NewWebhook');

export const WebhookChangesSchema = z
  .strictObject({
    name: FIELDS.name.optional(),
    url: FIELDS.url.optional(),
    types: FIELDS.types.optional(),
    roleIds: FIELDS.roleIds.optional(),
  })
  .refine(...NAMES_SOMETHING)
  .openapi('WebhookChanges');

export const WebhookResumptionSchema = z
  .strictObject({
    reason: ReasonSchema,
    afterSeq: SEQ.optional().openapi({
      description: 'Leaves out what happened up to this `seq`, as the receiver has read the state of then.',
    }),
  })
  .openapi('WebhookResumption');

export const WebhookReplaySchema = z
  .discriminatedUnion('what', [
    z.strictObject({ what: z.literal('dead') }),
    z.strictObject({ what: z.literal('since'), afterSeq: SEQ }),
  ])
  .openapi('WebhookReplay', {
    description: '`dead`: the deliveries given up. `since`: all events after a `seq`, whatever came of them.',
  });

export const WebhookRotationSchema = z
  .strictObject({
    endPrevious: z.boolean().default(false).openapi({
      description: 'Ends the secret before at once, as after a leak; else it signs as well for a day.',
    }),
  })
  .openapi('WebhookRotation');

export const PingOutcomeSchema = z
  .object({
    status: z.int().nullable().openapi({ description: 'What it answered; null: nothing.', example: 204 }),
    failure: z.string().nullable().openapi({ description: 'null: it took the message.' }),
  })
  .openapi('PingOutcome');

const LastFailureSchema = z.string().nullable().openapi({
  description: 'Why the last attempt failed, in our words.',
  example: 'timed_out: ops.bank.example gave no answer within 10000 ms',
});

const HealthSchema = z
  .object({
    lastSuccessAt: TimeSchema.nullable().openapi({ description: 'When the receiver last took an event; null: never.' }),
    waiting: z.int().openapi({ description: 'Deliveries that are to be made.', example: 0 }),
    dead: z.int().openapi({ description: 'Deliveries given up; they can be replayed.', example: 0 }),
    oldestWaiting: z
      .object({
        seq: SEQ,
        since: TimeSchema,
        attempts: z.int(),
        lastStatus: z.int().nullable(),
        lastFailure: LastFailureSchema,
      })
      .nullable()
      .openapi({ description: 'The first of those that wait.' }),
  })
  .openapi('WebhookHealth');

export const WebhookSchema = z
  .object({
    id: RecordIdSchema,
    authorityId: AUTHORITY,
    ...FIELDS,
    state: WebhookStateSchema,
    stateReason: z.string().nullable(),
    stateChangedAt: TimeSchema,
    previousSecretUntil: TimeSchema.nullable().openapi({
      description: 'Until when the secret before the last rotation signs as well.',
    }),
    plannedThroughSeq: SEQ.openapi({ description: 'Up to this `seq` it is known what there is to tell.' }),
    health: HealthSchema,
    version: VersionSchema,
    createdAt: TimeSchema,
  })
  .openapi('Webhook');

export const WebhookWithSecretSchema = WebhookSchema.extend({
  secret: z.string().openapi({
    description: 'Shown this once; verifies `webhook-signature` (Standard Webhooks, `v1`).',
    example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=',
  }),
}).openapi('WebhookWithSecret');

export const WebhookPageSchema = pageSchema('WebhookPage', WebhookSchema);

export const DeliveryStateSchema = z.enum(DELIVERY_STATES).openapi('DeliveryState');

const DeliverySchema = z
  .object({
    id: z.string().openapi({ description: 'Of the event; the `webhook-id` of each attempt.', example: 'evt_42_0' }),
    seq: SEQ,
    type: z.string().nullable().openapi({ description: 'null: the event is kept no more.' }),
    subjectId: z.string(),
    state: DeliveryStateSchema,
    attempts: z.int(),
    plannedAt: TimeSchema.openapi({ description: 'Since when it waits, or waited.' }),
    nextAttemptAt: TimeSchema.nullable().openapi({ description: 'null: there will be none.' }),
    lastAttemptAt: TimeSchema.nullable(),
    lastStatus: z.int().nullable().openapi({ description: 'What the receiver answered last; null: nothing.' }),
    lastFailure: LastFailureSchema,
    deliveredAt: TimeSchema.nullable(),
  })
  .openapi('WebhookDelivery');

export const DeliveryPageSchema = pageSchema('WebhookDeliveryPage', DeliverySchema);

export const DELIVERY_PAGE_PARAMETERS = pageParameters(
  (cursor) => parseEventId(Buffer.from(cursor, 'base64url').toString('latin1')) !== undefined,
);

export function webhookBody({ health, ...webhook }: Webhook): z.infer<typeof WebhookSchema> {
  const { oldestWaiting } = health;
  return {
    ...webhook,
    stateChangedAt: webhook.stateChangedAt.toISOString(),
    previousSecretUntil: textOf(webhook.previousSecretUntil),
    createdAt: webhook.createdAt.toISOString(),
    health: {
      ...health,
      lastSuccessAt: textOf(health.lastSuccessAt),
      oldestWaiting: oldestWaiting && { ...oldestWaiting, since: oldestWaiting.since.toISOString() },
    },
  };
}

export function deliveryBody(delivery: Delivery): z.infer<typeof DeliverySchema> {
  const { state, plannedAt, nextAttemptAt, lastAttemptAt, deliveredAt } = delivery;
  return {
    ...delivery,
    plannedAt: plannedAt.toISOString(),
    nextAttemptAt: state === 'waiting' ? nextAttemptAt.toISOString() : null,
    lastAttemptAt: textOf(lastAttemptAt),
    deliveredAt: textOf(deliveredAt),
  };
}
