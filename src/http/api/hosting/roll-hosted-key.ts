/** Begins to roll the key of a hosted entity. */
import { createRoute } from '@hono/zod-openapi';
import { rollHostedKey } from '../../../registry/hosting/roll-hosted-key.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { HostingReasonSchema, HostingSchema, hostingBody } from './hosting-schema.ts';

export const rollHostedKeyOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/hosting/keys',
    operationId: 'rollHostedKey',
    tags: ['Hosted entities'],
    summary: "Roll a hosted entity's key",
    description: `A new key is listed in its configuration and its Subordinate Statement. It signs by itself when no statement without it is in use; the present key then stays listed while a configuration lives that it signed. If the present key was marked compromised, the new one signs at once. ${whoMayAsk('rollHostedKey')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId'), body: jsonBody(HostingReasonSchema) },
    responses: { 201: jsonReply('How it is hosted now.', HostingSchema), ...bodyProblems(404, 409) },
  }),
  ({ changeContext, generateHostedKey }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { entityId } = c.req.valid('param');
      const hosting = await rollHostedKey(context, entityId, c.req.valid('json'), generateHostedKey);
      return c.json(hostingBody(hosting), 201);
    },
);
