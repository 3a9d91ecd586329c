/** Lists the authorities that the caller reaches. */
import { createRoute, z } from '@hono/zod-openapi';
import { listAuthorities } from '../../../registry/authorities/read-authority.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { AuthorityPageSchema, authorityBody } from './authority-schema.ts';

export const listAuthoritiesOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/authorities',
    operationId: 'listAuthorities',
    tags: ['Authorities'],
    summary: 'List authorities',
    description: `Those that the token reaches, oldest first. ${whoMayAsk('listAuthorities')}`,
    security: BEARER,
    request: { query: z.strictObject(PAGE_PARAMETERS) },
    responses: { 200: jsonReply('A page of authorities.', AuthorityPageSchema), ...problems(400) },
  }),
  ({ db }) =>
    async (c) => {
      const { items, ...rest } = await listAuthorities(db, c.get('actor'), c.req.valid('query'));
      return c.json({ items: items.map(authorityBody), ...rest }, 200);
    },
);
