/** Registers a key that the configuration of an entity proposes. */
import { createRoute } from '@hono/zod-openapi';
import { decideProposedKey } from '../../../registry/entities/keys/decide-proposed-key.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { KeyAcceptanceSchema } from './entity-key-schema.ts';
import { EntitySchema, entityBody } from './entity-schema.ts';

export const acceptEntityKeyOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/keys/accept',
    operationId: 'acceptEntityKey',
    tags: ['Entities'],
    summary: 'Register a proposed key',
    description: `Registers a key that its configuration proposes, beside those that there are. Never one that was removed or is compromised (\`key_barred\`), nor another one than you looked at (\`evidence_changed\`), and only while the entity is active (\`entity_not_active\`). ${whoMayAsk('acceptEntityKey')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId'), body: jsonBody(KeyAcceptanceSchema) },
    responses: {
      200: jsonReply('The entity as it is now.', EntitySchema, ['ETag']),
      ...bodyProblems(404, 409),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const decision = { decision: 'accept', ...c.req.valid('json') } as const;
      const entity = await decideProposedKey(context, c.req.valid('param').entityId, decision);
      return c.json(entityBody(entity), 200, { ETag: entityTag(entity) });
    },
);
