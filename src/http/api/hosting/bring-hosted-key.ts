/** Announces a key that a hosted entity brings. */
import { createRoute } from '@hono/zod-openapi';
import { bringHostedKey } from '../../../enrolment/bring-hosted-key.ts';
import { HandOverSchema } from '../entities/entity-schema.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { HostingSchema, hostingBody } from './hosting-schema.ts';

export const bringHostedKeyOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/hosting/bring',
    operationId: 'bringHostedKey',
    tags: ['Hosted entities'],
    summary: 'Announce a key that a hosted entity brings',
    description: `The entity proves one key as at an enrolment with keys handed over. The key is listed beside the one that is kept here; what it signs may be uploaded when no Subordinate Statement without it is in use, and with the first upload the key kept here retires. ${whoMayAsk('bringHostedKey')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId'), body: jsonBody(HandOverSchema) },
    responses: { 201: jsonReply('How it is hosted now.', HostingSchema), ...bodyProblems(404, 409) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const hosting = await bringHostedKey(context, c.req.valid('param').entityId, c.req.valid('json'));
      return c.json(hostingBody(hosting), 201);
    },
);
