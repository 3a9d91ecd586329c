/** What a registrar does with the keys of an entity, beside accepting one: an operation for each. */
import { createRoute, type z } from '@hono/zod-openapi';
import type { AccessibleOperation } from '../../../registry/access.ts';
import type { ChangeContext } from '../../../registry/change.ts';
import type { Entity } from '../../../registry/entities/entity.ts';
import { decideProposedKey } from '../../../registry/entities/keys/decide-proposed-key.ts';
import { markKeyCompromised } from '../../../registry/entities/keys/mark-key-compromised.ts';
import { removeEntityKey } from '../../../registry/entities/keys/remove-entity-key.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { KeyCompromiseSchema, KeyRefusalSchema, KeyRemovalSchema } from './entity-key-schema.ts';
import { EntitySchema, entityBody } from './entity-schema.ts';

type KeyChange = z.infer<typeof KeyRemovalSchema>;

interface KeyOperation {
  /** Last part of the path. */
  name: string;
  operationId: AccessibleOperation;
  summary: string;
  description: string;
  schema: typeof KeyRefusalSchema | typeof KeyRemovalSchema | typeof KeyCompromiseSchema;
  change: (context: ChangeContext, entityId: string, change: KeyChange) => Promise<Entity>;
}

const CHANGES: readonly KeyOperation[] = [
  {
    name: 'refuse',
    operationId: 'refuseEntityKey',
    summary: 'Refuse a proposed key',
    description: 'It is not registered, and not proposed again, under whatever `kid`.',
    schema: KeyRefusalSchema,
    change: (context, entityId, { kid, reason }) =>
      decideProposedKey(context, entityId, { decision: 'refuse', kid, reason }),
  },
  {
    name: 'remove',
    operationId: 'removeEntityKey',
    summary: 'Remove a registered key',
    description:
      'It leaves the Subordinate Statement at once and does not return. The last key that counts stays (`last_key`), unless `allowNoKeys` says that this is meant.',
    schema: KeyRemovalSchema,
    change: removeEntityKey,
  },
  {
    name: 'compromise',
    operationId: 'markEntityKeyCompromised',
    summary: 'Mark a key as compromised',
    description:
      'Somebody else may have it. It leaves the Subordinate Statement at once, even as the last one and whatever the state of the entity; it authorises nothing any more, no pushed set, no configuration, no client assertion; and it never returns, under whatever `kid`. Keys that it proposed are proposed no longer. An entity that has no key left, `jwks` in the answer is empty, is not vouched for any more, and has to be enrolled anew with other keys.',
    schema: KeyCompromiseSchema,
    change: markKeyCompromised,
  },
];

export const changeEntityKeysOperations: readonly Operation[] = CHANGES.map(keyOperation);

function keyOperation({ name, operationId, summary, description, schema, change }: KeyOperation): Operation {
  const route = createRoute({
    method: 'post',
    path: `/api/v1/entities/{entityId}/keys/${name}`,
    operationId,
    tags: ['Entities'],
    summary,
    description: `${description} ${whoMayAsk(operationId)}`,
    security: BEARER,
    request: { params: recordIdParam('entityId'), body: jsonBody(schema) },
    responses: {
      200: jsonReply('The entity as it is now.', EntitySchema, ['ETag']),
      ...bodyProblems(404, 409),
    },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const context = changeContext(c.get('actor'), c.get('requestId'));
    const entity = await change(context, c.req.valid('param').entityId, c.req.valid('json'));
    return c.json(entityBody(entity), 200, { ETag: entityTag(entity) });
  });
}
