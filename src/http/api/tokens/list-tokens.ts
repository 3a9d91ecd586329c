/** Lists API tokens, without their secrets. */
import { createRoute, z } from '@hono/zod-openapi';
import { listTokens } from '../../../registry/tokens/list-tokens.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { TokenPageSchema, tokenBody } from './token-schema.ts';

export const listTokensOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/tokens',
    operationId: 'listTokens',
    tags: ['Tokens'],
    summary: 'List API tokens',
    description: `Expired and revoked ones too, oldest first. Those that reach no further than yours. ${whoMayAsk('listTokens')}`,
    security: BEARER,
    request: { query: z.strictObject(PAGE_PARAMETERS) },
    responses: { 200: jsonReply('A page of tokens.', TokenPageSchema), ...problems(400) },
  }),
  ({ db }) =>
    async (c) => {
      const { items, ...rest } = await listTokens(db, c.get('actor'), c.req.valid('query'));
      return c.json({ items: items.map(tokenBody), ...rest }, 200);
    },
);
