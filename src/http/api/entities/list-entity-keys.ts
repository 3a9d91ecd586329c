/** Lists the keys of an entity with their history. */
import { createRoute } from '@hono/zod-openapi';
import { readEntityKeys } from '../../../registry/entities/keys/read-entity-keys.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { EntityKeysSchema, entityKeysBody } from './entity-key-schema.ts';

export const listEntityKeysOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/entities/{entityId}/keys',
    operationId: 'listEntityKeys',
    tags: ['Entities'],
    summary: "List an entity's keys",
    description: `All keys that it ever had in this record, where each came from and how it went, and the keys that its configuration proposes. ${whoMayAsk('listEntityKeys')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId') },
    responses: { 200: jsonReply('The keys.', EntityKeysSchema), ...problems(404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const keys = await readEntityKeys(db, actor, c.req.valid('param').entityId);
      return c.json(await entityKeysBody(keys, now), 200);
    },
);
