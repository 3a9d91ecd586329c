/** Hands the key of a hosted entity to the entity. */
import { createRoute } from '@hono/zod-openapi';
import { takeHostedKey } from '../../../registry/hosting/take-hosted-key.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { TakeHostedKeySchema, TakenKeySchema, takenKeyBody } from './hosting-schema.ts';

export const takeHostedKeyOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/entities/{entityId}/hosting/take',
    operationId: 'takeHostedKey',
    tags: ['Hosted entities'],
    summary: 'Hand a hosted entity its key',
    description: `Encrypted to a key of the entity: from then on it signs its configurations itself and uploads them, and its private key is destroyed here. Asked again for the same recipient before the first upload, the answer is the same. What was published last is served until it expires. A key that was announced to follow it is given up (\`droppedKid\`). A key in a PKCS#11 token stays there (\`key_not_exportable\`): then the entity brings one of its own. ${whoMayAsk('takeHostedKey')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId'), body: jsonBody(TakeHostedKeySchema) },
    responses: { 200: jsonReply('The key, for the entity alone.', TakenKeySchema), ...bodyProblems(404, 409) },
  }),
  ({ changeContext, hostedKeyTools }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { entityId } = c.req.valid('param');
      const taken = await takeHostedKey(context, entityId, c.req.valid('json'), hostedKeyTools);
      return c.json(takenKeyBody(taken), 200);
    },
);
