/** Removes a token issuer. */
import { createRoute, z } from '@hono/zod-openapi';
import { removeTokenIssuer } from '../../../registry/token-issuers/remove-token-issuer.ts';
import { BEARER, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';

export const removeTokenIssuerOperation = defineOperation(
  createRoute({
    method: 'delete',
    path: '/api/v1/token-issuers/{tokenIssuerId}',
    operationId: 'removeTokenIssuer',
    tags: ['Admission'],
    summary: 'Remove a token issuer',
    description: `Its tokens let nobody in any more, at once; its secret is deleted. ${whoMayAsk('removeTokenIssuer')}`,
    security: BEARER,
    request: { params: recordIdParam('tokenIssuerId'), headers: z.object(OPTIONAL_IF_MATCH) },
    responses: { 204: { description: 'It is removed.' }, ...problems(400, 404, 412) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { tokenIssuerId } = c.req.valid('param');
      await removeTokenIssuer(context, tokenIssuerId, expectedVersion(c.req.valid('header')));
      return c.body(null, 204);
    },
);
