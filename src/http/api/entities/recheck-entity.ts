/** Runs the checks of an entity again. */
import { createRoute } from '@hono/zod-openapi';
import { recheckEntity } from '../../../enrolment/recheck-entity.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { EntitySchema, entityBody } from './entity-schema.ts';

export const recheckEntityOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/checks',
    operationId: 'recheckEntity',
    tags: ['Entities'],
    summary: 'Run the checks again',
    description: `Fetches the Entity Configuration and keeps what is found; nothing of a record that changed meanwhile (\`version_mismatch\`). The Entity Types that it declares become those of the record; of one that was approved only if somebody of the authority asks, and under an enrolment flow only an admin. ${whoMayAsk('recheckEntity')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId') },
    responses: {
      200: jsonReply('The entity with its checks.', EntitySchema, ['ETag']),
      ...problems(400, 404, 409, 412),
    },
  }),
  ({ changeContext, retrieveConfiguration }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const entity = await recheckEntity(context, c.req.valid('param').entityId, retrieveConfiguration);
      return c.json(entityBody(entity), 200, { ETag: entityTag(entity) });
    },
);
