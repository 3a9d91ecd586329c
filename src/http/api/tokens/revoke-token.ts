/** Revokes an API token. */
import { createRoute } from '@hono/zod-openapi';
import { revokeToken } from '../../../registry/tokens/revoke-token.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { TokenSchema, tokenBody } from './token-schema.ts';

export const revokeTokenOperation = defineOperation(
  createRoute({
    method: 'delete',
    path: '/api/v1/tokens/{tokenId}',
    operationId: 'revokeToken',
    tags: ['Tokens'],
    summary: 'Revoke an API token',
    description: `It stops at once; to revoke it again changes nothing. ${whoMayAsk('revokeToken')}`,
    security: BEARER,
    request: { params: recordIdParam('tokenId') },
    responses: { 200: jsonReply('The revoked token.', TokenSchema), ...problems(404) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      return c.json(tokenBody(await revokeToken(context, c.req.valid('param').tokenId)), 200);
    },
);
