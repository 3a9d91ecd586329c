/** Reads webhooks, one or in pages. */
import { createRoute, z } from '@hono/zod-openapi';
import { listWebhooks, readWebhook } from '../../../registry/webhooks/read-webhook.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { entityTag } from '../preconditions.ts';
import { RecordIdSchema, recordIdParam } from '../record-schema.ts';
import { NameSchema } from '../text-schema.ts';
import { WebhookPageSchema, WebhookSchema, WebhookStateSchema, webhookBody } from './webhook-schema.ts';

export const listWebhooksOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/webhooks',
    operationId: 'listWebhooks',
    tags: ['Webhooks'],
    summary: 'List webhooks',
    description: `Those of the authorities that the token reaches, oldest first, each with how far it has come; those removed only with \`state\`. ${whoMayAsk('listWebhooks')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        name: NameSchema.optional(),
        state: WebhookStateSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of webhooks.', WebhookPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listWebhooks(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(webhookBody), ...rest }, 200);
    },
);

export const readWebhookOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/webhooks/{webhookId}',
    operationId: 'readWebhook',
    tags: ['Webhooks'],
    summary: 'Read a webhook',
    description: `With how far it has come; without its secret. ${whoMayAsk('readWebhook')}`,
    security: BEARER,
    request: { params: recordIdParam('webhookId') },
    responses: { 200: jsonReply('The webhook.', WebhookSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const webhook = await readWebhook(db, c.get('actor'), c.req.valid('param').webhookId);
      return c.json(webhookBody(webhook), 200, { ETag: entityTag(webhook) });
    },
);
