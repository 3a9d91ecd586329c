/** Gives a webhook a new secret. */
import { createRoute } from '@hono/zod-openapi';
import { rotateWebhookSecret } from '../../../registry/webhooks/rotate-webhook-secret.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { requireNoIdempotencyKey } from '../tokens/token-schema.ts';
import { WebhookRotationSchema, WebhookWithSecretSchema, webhookBody } from './webhook-schema.ts';

export const rotateWebhookSecretOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/webhooks/{webhookId}/secret',
    operationId: 'rotateWebhookSecret',
    tags: ['Webhooks'],
    summary: 'Give a webhook a new secret',
    description: `For a day messages carry a signature by each of the two secrets, unless \`endPrevious\` is set. ${whoMayAsk('rotateWebhookSecret')}`,
    security: BEARER,
    request: { params: recordIdParam('webhookId'), body: jsonBody(WebhookRotationSchema) },
    responses: {
      200: jsonReply('The webhook with its new secret.', WebhookWithSecretSchema, ['ETag']),
      ...bodyProblems(404, 409),
    },
  }),
  ({ changeContext, sealWebhookSecret }) =>
    async (c) => {
      requireNoIdempotencyKey(c.req.header('idempotency-key'));
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { webhookId } = c.req.valid('param');
      const options = { isPreviousEnded: c.req.valid('json').endPrevious };
      const { webhook, secret } = await rotateWebhookSecret(context, webhookId, sealWebhookSecret, options);
      return c.json({ ...webhookBody(webhook), secret }, 200, { ETag: entityTag(webhook) });
    },
);
