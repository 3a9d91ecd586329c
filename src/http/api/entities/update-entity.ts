/** Changes what is recorded of an entity and said about it, and its registered keys. */
import { createRoute, z } from '@hono/zod-openapi';
import { inputJwkSet } from '../../../registry/claims-input.ts';
import { updateEntity } from '../../../registry/entities/update-entity.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { EntityChangesSchema, EntitySchema, entityBody } from './entity-schema.ts';

export const updateEntityOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/entities/{entityId}',
    operationId: 'updateEntity',
    tags: ['Entities'],
    summary: 'Change an entity',
    description: `Each member given replaces the present one; the Subordinate Statement follows at once. A key that is added to a published entity must be in the Entity Configuration that the last checks verified (\`key_not_published\`). ${whoMayAsk('updateEntity')}`,
    security: BEARER,
    request: {
      params: recordIdParam('entityId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(EntityChangesSchema),
    },
    responses: {
      200: jsonReply('The entity as it is now.', EntitySchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 422, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { jwks, ...settings } = c.req.valid('json');
      const entity = await updateEntity(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').entityId,
        jwks === undefined ? settings : { ...settings, jwks: inputJwkSet(jwks, '/jwks') },
        requiredVersion(c.req.valid('header')),
      );
      return c.json(entityBody(entity), 200, { ETag: entityTag(entity) });
    },
);
