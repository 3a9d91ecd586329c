/** Changes a token issuer. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateTokenIssuer } from '../../../registry/token-issuers/update-token-issuer.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TokenIssuerChangesSchema, TokenIssuerSchema, tokenIssuerBody } from './token-issuer-schema.ts';

export const updateTokenIssuerOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/token-issuers/{tokenIssuerId}',
    operationId: 'updateTokenIssuer',
    tags: ['Admission'],
    summary: 'Change a token issuer',
    description: `Each member given replaces the present one; \`issuer\` stays. Another \`introspection.endpoint\` or \`clientId\` needs \`clientSecret\` as well. ${whoMayAsk('updateTokenIssuer')}`,
    security: BEARER,
    request: {
      params: recordIdParam('tokenIssuerId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(TokenIssuerChangesSchema),
    },
    responses: {
      200: jsonReply('The token issuer as it is now.', TokenIssuerSchema, ['ETag']),
      ...bodyProblems(404, 412, 428),
    },
  }),
  ({ changeContext, sealClientSecret }) =>
    async (c) => {
      const issuer = await updateTokenIssuer(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').tokenIssuerId,
        c.req.valid('json'),
        sealClientSecret,
        requiredVersion(c.req.valid('header')),
      );
      return c.json(tokenIssuerBody(issuer), 200, { ETag: entityTag(issuer) });
    },
);
