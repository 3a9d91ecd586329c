/** Lets an entity on its own host name go elsewhere with it. */
import { createRoute } from '@hono/zod-openapi';
import { stopHosting } from '../../../registry/hosting/stop-hosting.ts';
import { EntitySchema, entityBody } from '../entities/entity-schema.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { HostingReasonSchema } from './hosting-schema.ts';

export const stopHostingOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/hosting/stop',
    operationId: 'stopHosting',
    tags: ['Hosted entities'],
    summary: 'Let an entity publish itself',
    description: `For an entity on a host name of its own that uploads its configurations: from now on they are fetched from where its name points, and nothing is served for it here. ${whoMayAsk('stopHosting')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId'), body: jsonBody(HostingReasonSchema) },
    responses: { 200: jsonReply('The entity as it is now.', EntitySchema, ['ETag']), ...bodyProblems(404, 409) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const entity = await stopHosting(context, c.req.valid('param').entityId, c.req.valid('json'));
      return c.json(entityBody(entity), 200, { ETag: entityTag(entity) });
    },
);
