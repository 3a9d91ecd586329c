/** Begins to roll an authority's key. */
import { createRoute } from '@hono/zod-openapi';
import { announceAuthorityKey } from '../../../registry/authorities/keys/announce-authority-key.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { AuthorityKeySchema, authorityKeyBody, KeyRollSchema } from './authority-key-schema.ts';

export const rollAuthorityKeyOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/authorities/{authorityId}/keys',
    operationId: 'rollAuthorityKey',
    tags: ['Authorities'],
    summary: "Roll an authority's key",
    description: `A new key is published, or the one that is kept ready gets its turn. It signs by itself once it was announced for long enough and every superior lists it; the present key then stays published while anything lives that it signed. ${whoMayAsk('rollAuthorityKey')}`,
    security: BEARER,
    request: { params: recordIdParam('authorityId'), body: jsonBody(KeyRollSchema) },
    responses: { 201: jsonReply('The key that signs next.', AuthorityKeySchema), ...bodyProblems(404, 409) },
  }),
  ({ changeContext, generateAuthorityKey }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { authorityId } = c.req.valid('param');
      const key = await announceAuthorityKey(context, authorityId, c.req.valid('json'), generateAuthorityKey);
      return c.json(authorityKeyBody(key), 201);
    },
);
