/** Reads an authority. */
import { createRoute } from '@hono/zod-openapi';
import { readAuthority } from '../../../registry/authorities/read-authority.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { AuthoritySchema, authorityBody } from './authority-schema.ts';

export const readAuthorityOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/authorities/{authorityId}',
    operationId: 'readAuthority',
    tags: ['Authorities'],
    summary: 'Read an authority',
    description: `Its settings and where its endpoints are. ${whoMayAsk('readAuthority')}`,
    security: BEARER,
    request: { params: recordIdParam('authorityId') },
    responses: { 200: jsonReply('The authority.', AuthoritySchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const authority = await readAuthority(db, c.get('actor'), c.req.valid('param').authorityId);
      return c.json(authorityBody(authority), 200, { ETag: entityTag(authority) });
    },
);
