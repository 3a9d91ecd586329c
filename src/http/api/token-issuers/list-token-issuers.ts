/** Lists token issuers. */
import { createRoute, z } from '@hono/zod-openapi';
import { listTokenIssuers } from '../../../registry/token-issuers/token-issuer.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { IdentifierFilterSchema, RecordIdSchema } from '../record-schema.ts';
import { TokenIssuerPageSchema, tokenIssuerBody } from './token-issuer-schema.ts';

export const listTokenIssuersOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/token-issuers',
    operationId: 'listTokenIssuers',
    tags: ['Admission'],
    summary: 'List token issuers',
    description: `Those of the authorities that the token reaches, oldest first; without their secrets. ${whoMayAsk('listTokenIssuers')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        issuer: IdentifierFilterSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: { 200: jsonReply('A page of token issuers.', TokenIssuerPageSchema), ...problems(400, 404) },
  }),
  ({ db }) =>
    async (c) => {
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listTokenIssuers(db, c.get('actor'), filter, { limit, cursor });
      return c.json({ items: items.map(tokenIssuerBody), ...rest }, 200);
    },
);
