/** What became of each event at a receiver; and how to let it be told again, or try it. */
import { createRoute, z } from '@hono/zod-openapi';
import { listDeliveries } from '../../../registry/webhooks/list-deliveries.ts';
import { pingWebhook } from '../../../registry/webhooks/ping-webhook.ts';
import { replayDeliveries } from '../../../registry/webhooks/replay-deliveries.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import {
  DELIVERY_PAGE_PARAMETERS,
  DeliveryPageSchema,
  DeliveryStateSchema,
  deliveryBody,
  PingOutcomeSchema,
  WebhookReplaySchema,
  WebhookSchema,
  webhookBody,
} from './webhook-schema.ts';

export const listWebhookDeliveriesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/webhooks/{webhookId}/deliveries',
    operationId: 'listWebhookDeliveries',
    tags: ['Webhooks'],
    summary: 'List deliveries',
    description: `In the order of the events, as long as these are kept. ${whoMayAsk('listWebhookDeliveries')}`,
    security: BEARER,
    request: {
      params: recordIdParam('webhookId'),
      query: z.strictObject({ state: DeliveryStateSchema.optional(), ...DELIVERY_PAGE_PARAMETERS }),
    },
    responses: { 200: jsonReply('A page of deliveries.', DeliveryPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { webhookId } = c.req.valid('param');
      const { items, ...rest } = await listDeliveries(db, c.get('actor'), webhookId, filter, { limit, cursor });
      return c.json({ items: items.map(deliveryBody), ...rest }, 200);
    },
);

export const replayWebhookOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/webhooks/{webhookId}/replay',
    operationId: 'replayWebhook',
    tags: ['Webhooks'],
    summary: 'Deliver again',
    description: `With the \`webhook-id\` of before, in order. ${whoMayAsk('replayWebhook')}`,
    security: BEARER,
    request: { params: recordIdParam('webhookId'), body: jsonBody(WebhookReplaySchema) },
    responses: {
      200: jsonReply('The webhook as it is now.', WebhookSchema, ['ETag']),
      ...bodyProblems(404, 409, 410),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const webhook = await replayDeliveries(context, c.req.valid('param').webhookId, c.req.valid('json'));
      return c.json(webhookBody(webhook), 200, { ETag: entityTag(webhook) });
    },
);

export const pingWebhookOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/webhooks/{webhookId}/ping',
    operationId: 'pingWebhook',
    tags: ['Webhooks'],
    summary: 'Try a receiver',
    description: `Posts a signed message of the type \`webhook.ping\`, once and now, also to one that is paused, and says how the receiver answered. It is no event. ${whoMayAsk('pingWebhook')}`,
    security: BEARER,
    request: { params: recordIdParam('webhookId') },
    responses: { 200: jsonReply('How it went.', PingOutcomeSchema), ...problems(404, 409) },
  }),
  ({ changeContext, sendPing }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      return c.json(await pingWebhook(context, c.req.valid('param').webhookId, sendPing), 200);
    },
);
