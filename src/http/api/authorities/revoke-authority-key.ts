/** Revokes a key of an authority. */
import { createRoute } from '@hono/zod-openapi';
import { revokeAuthorityKey } from '../../../registry/authorities/keys/revoke-authority-key.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { AuthorityKeyParams, KeyRevocationSchema, RevokedKeySchema, revokedKeyBody } from './authority-key-schema.ts';

export const revokeAuthorityKeyOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/authorities/{authorityId}/keys/{kid}/revoke',
    operationId: 'revokeAuthorityKey',
    tags: ['Authorities'],
    summary: "Revoke an authority's key",
    description: `At once nothing is signed with it and it is published as revoked; final. If it is the active key, the announced one takes its place, else a new one that superiors and whoever pins the old one have to learn first. Everything is signed anew. The answer says what is affected and who has to be told. ${whoMayAsk('revokeAuthorityKey')}`,
    security: BEARER,
    request: { params: AuthorityKeyParams, body: jsonBody(KeyRevocationSchema) },
    responses: { 200: jsonReply('What became of it.', RevokedKeySchema), ...bodyProblems(404, 409) },
  }),
  ({ changeContext, generateAuthorityKey, signedByKey }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { authorityId, kid } = c.req.valid('param');
      const result = await revokeAuthorityKey(context, authorityId, kid, c.req.valid('json'), {
        generateKey: generateAuthorityKey,
        signedByKey,
      });
      return c.json(revokedKeyBody(result), 200);
    },
);
