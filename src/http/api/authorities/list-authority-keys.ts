/** Lists the keys of an authority. */
import { createRoute } from '@hono/zod-openapi';
import { listAuthorityKeys } from '../../../registry/authorities/read-authority.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { recordIdParam } from '../record-schema.ts';
import { AuthorityKeysSchema, authorityKeyBody } from './authority-key-schema.ts';

export const listAuthorityKeysOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/authorities/{authorityId}/keys',
    operationId: 'listAuthorityKeys',
    tags: ['Authorities'],
    summary: "List an authority's keys",
    description: `Its Federation Entity Keys, past ones too, oldest first; public halves only. An announced key shows superior by superior what it waits for. ${whoMayAsk('listAuthorityKeys')}`,
    security: BEARER,
    request: { params: recordIdParam('authorityId') },
    responses: { 200: jsonReply('All keys.', AuthorityKeysSchema), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const keys = await listAuthorityKeys(db, c.get('actor'), c.req.valid('param').authorityId);
      return c.json({ items: keys.map((key) => authorityKeyBody(key, key.superiors)) }, 200);
    },
);
