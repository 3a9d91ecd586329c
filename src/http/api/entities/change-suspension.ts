/** Changes when the suspension of an entity ends by itself. */
import { createRoute, z } from '@hono/zod-openapi';
import { changeEntitySuspension } from '../../../registry/entities/change-suspension.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { SuspensionChangeSchema, suspensionChangeOfBody } from '../transition-schema.ts';
import { EntitySchema, entityBody } from './entity-schema.ts';

export const changeEntitySuspensionOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/entities/{entityId}/suspension',
    operationId: 'changeEntitySuspension',
    tags: ['Entities'],
    summary: 'Change when a suspension ends',
    description: `Sooner, later, or not by itself; all else of the suspension stays. What is not suspended itself has none (\`illegal_transition\`). ${whoMayAsk('changeEntitySuspension')}`,
    security: BEARER,
    request: {
      params: recordIdParam('entityId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(SuspensionChangeSchema),
    },
    responses: {
      200: jsonReply('The entity as it is now.', EntitySchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const entity = await changeEntitySuspension(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').entityId,
        suspensionChangeOfBody(c.req.valid('json')),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(entityBody(entity), 200, { ETag: entityTag(entity) });
    },
);
