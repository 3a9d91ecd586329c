/** Pauses a webhook, lets it go on, or removes it. */
import { createRoute, z } from '@hono/zod-openapi';
import { removeWebhook } from '../../../registry/webhooks/remove-webhook.ts';
import { transitionWebhook } from '../../../registry/webhooks/transition-webhook.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TransitionReasonSchema } from '../transition-schema.ts';
import { WebhookResumptionSchema, WebhookSchema, webhookBody } from './webhook-schema.ts';

export const pauseWebhookOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/webhooks/{webhookId}/pause',
    operationId: 'pauseWebhook',
    tags: ['Webhooks'],
    summary: 'Pause a webhook',
    description: `At once nothing is sent any more; what happens meanwhile waits. ${whoMayAsk('pauseWebhook')}`,
    security: BEARER,
    request: {
      params: recordIdParam('webhookId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(TransitionReasonSchema),
    },
    responses: {
      200: jsonReply('The webhook as it is now.', WebhookSchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const options = { expectedVersion: expectedVersion(c.req.valid('header')) };
      const { webhookId } = c.req.valid('param');
      const webhook = await transitionWebhook(context, webhookId, 'pause', c.req.valid('json').reason, options);
      return c.json(webhookBody(webhook), 200, { ETag: entityTag(webhook) });
    },
);

export const resumeWebhookOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/webhooks/{webhookId}/resume',
    operationId: 'resumeWebhook',
    tags: ['Webhooks'],
    summary: 'Let a webhook go on',
    description: `Goes on where it stopped. Where events of that time are kept no more (\`resync_required\`), the receiver has to read the whole state, and \`afterSeq\` says of which \`seq\` it was. ${whoMayAsk('resumeWebhook')}`,
    security: BEARER,
    request: {
      params: recordIdParam('webhookId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(WebhookResumptionSchema),
    },
    responses: {
      200: jsonReply('The webhook as it is now.', WebhookSchema, ['ETag']),
      ...bodyProblems(404, 409, 410, 412),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { reason, afterSeq } = c.req.valid('json');
      const options = { expectedVersion: expectedVersion(c.req.valid('header')), afterSeq };
      const { webhookId } = c.req.valid('param');
      const webhook = await transitionWebhook(context, webhookId, 'resume', reason, options);
      return c.json(webhookBody(webhook), 200, { ETag: entityTag(webhook) });
    },
);

export const removeWebhookOperation = defineOperation(
  createRoute({
    method: 'delete',
    path: '/api/v1/webhooks/{webhookId}',
    operationId: 'removeWebhook',
    tags: ['Webhooks'],
    summary: 'Remove a webhook',
    description: `At once nothing is sent any more; its secrets and deliveries are deleted. ${whoMayAsk('removeWebhook')}`,
    security: BEARER,
    request: { params: recordIdParam('webhookId'), headers: z.object(OPTIONAL_IF_MATCH) },
    responses: { 204: { description: 'It is removed.' }, ...problems(400, 404, 409, 412) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      await removeWebhook(context, c.req.valid('param').webhookId, expectedVersion(c.req.valid('header')));
      return c.body(null, 204);
    },
);
