/** Lists a token issuer. */
import { createRoute } from '@hono/zod-openapi';
import { invalidField } from '../../../registry/registry-error.ts';
import { addTokenIssuer } from '../../../registry/token-issuers/add-token-issuer.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { NewTokenIssuerSchema, TokenIssuerSchema, tokenIssuerBody } from './token-issuer-schema.ts';

export const addTokenIssuerOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/token-issuers',
    operationId: 'addTokenIssuer',
    tags: ['Admission'],
    summary: 'List a token issuer',
    description: `An authorization server whose access tokens count at the enforcement points of the authority: verified with its keys, by asking it, or both. It is listed once (\`token_issuer_exists\`), so no \`Idempotency-Key\` is taken. ${whoMayAsk('addTokenIssuer')}`,
    security: BEARER,
    request: { body: jsonBody(NewTokenIssuerSchema) },
    responses: {
      201: jsonReply('The token issuer.', TokenIssuerSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409),
    },
  }),
  ({ changeContext, sealClientSecret }) =>
    async (c) => {
      if (c.req.header('idempotency-key') !== undefined) {
        // A digest of the request would be one of the secret in it.
        throw invalidField('/header/Idempotency-Key', 'is not taken here: the same issuer is never listed twice');
      }
      const { authorityId, ...input } = c.req.valid('json');
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const issuer = await addTokenIssuer(context, authorityId, input, sealClientSecret);
      const headers = { ETag: entityTag(issuer), Location: `/api/v1/token-issuers/${issuer.id}` };
      return c.json(tokenIssuerBody(issuer), 201, headers);
    },
);
