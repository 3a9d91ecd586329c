/** Changes a webhook. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateWebhook } from '../../../registry/webhooks/update-webhook.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { WebhookChangesSchema, WebhookSchema, webhookBody } from './webhook-schema.ts';

export const updateWebhookOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/webhooks/{webhookId}',
    operationId: 'updateWebhook',
    tags: ['Webhooks'],
    summary: 'Change a webhook',
    description: `Each member given replaces the present one. Other \`types\` and \`roleIds\` count for what was not planned yet; another \`url\` for all that waits. ${whoMayAsk('updateWebhook')}`,
    security: BEARER,
    request: {
      params: recordIdParam('webhookId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(WebhookChangesSchema),
    },
    responses: {
      200: jsonReply('The webhook as it is now.', WebhookSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const webhook = await updateWebhook(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').webhookId,
        c.req.valid('json'),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(webhookBody(webhook), 200, { ETag: entityTag(webhook) });
    },
);
