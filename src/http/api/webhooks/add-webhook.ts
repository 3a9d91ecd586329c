/** Adds a webhook. */
import { createRoute } from '@hono/zod-openapi';
import { addWebhook } from '../../../registry/webhooks/add-webhook.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { requireNoIdempotencyKey } from '../tokens/token-schema.ts';
import { NewWebhookSchema, WebhookWithSecretSchema, webhookBody } from './webhook-schema.ts';

export const addWebhookOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/webhooks',
    operationId: 'addWebhook',
    tags: ['Webhooks'],
    summary: 'Add a webhook',
    description: `Events are posted to its \`url\` as Standard Webhooks: at least once, of one subject in order, again and again until a 2xx. The answer holds its secret, once; so this request cannot be repeated with an \`Idempotency-Key\`. With \`authorityId\` null it needs a token that reaches all authorities. ${whoMayAsk('addWebhook')}`,
    security: BEARER,
    request: { body: jsonBody(NewWebhookSchema) },
    responses: {
      201: jsonReply('The webhook with its secret.', WebhookWithSecretSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 410),
    },
  }),
  ({ changeContext, sealWebhookSecret }) =>
    async (c) => {
      requireNoIdempotencyKey(c.req.header('idempotency-key'));
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { webhook, secret } = await addWebhook(context, c.req.valid('json'), sealWebhookSecret);
      const headers = { ETag: entityTag(webhook), Location: `/api/v1/webhooks/${webhook.id}` };
      return c.json({ ...webhookBody(webhook), secret }, 201, headers);
    },
);
