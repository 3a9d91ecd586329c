/** Reads an entity. */
import { createRoute } from '@hono/zod-openapi';
import { readEntity } from '../../../registry/entities/read-entity.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { EntitySchema, entityBody } from './entity-schema.ts';

export const readEntityOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/entities/{entityId}',
    operationId: 'readEntity',
    tags: ['Entities'],
    summary: 'Read an entity',
    description: `Its checks and their evidence, its state, its keys, and what its superior says about it. ${whoMayAsk('readEntity')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId') },
    responses: { 200: jsonReply('The entity.', EntitySchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const entity = await readEntity(db, c.get('actor'), c.req.valid('param').entityId);
      return c.json(entityBody(entity), 200, { ETag: entityTag(entity) });
    },
);
