/** Reads a token issuer. */
import { createRoute } from '@hono/zod-openapi';
import { readTokenIssuer } from '../../../registry/token-issuers/token-issuer.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TokenIssuerSchema, tokenIssuerBody } from './token-issuer-schema.ts';

export const readTokenIssuerOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/token-issuers/{tokenIssuerId}',
    operationId: 'readTokenIssuer',
    tags: ['Admission'],
    summary: 'Read a token issuer',
    description: `Without its secret. ${whoMayAsk('readTokenIssuer')}`,
    security: BEARER,
    request: { params: recordIdParam('tokenIssuerId') },
    responses: { 200: jsonReply('The token issuer.', TokenIssuerSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const issuer = await readTokenIssuer(db, c.get('actor'), c.req.valid('param').tokenIssuerId);
      return c.json(tokenIssuerBody(issuer), 200, { ETag: entityTag(issuer) });
    },
);
