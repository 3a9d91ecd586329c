/** Lists authorization servers. */
import { createRoute, z } from '@hono/zod-openapi';
import { listAuthorizationServers } from '../../../registry/authorization-servers/read-authorization-server.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { OfferStateSchema } from '../offer-schema.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { IdentifierFilterSchema, RecordIdSchema } from '../record-schema.ts';
import { AuthorizationServerPageSchema, authorizationServerBody } from './authorization-server-schema.ts';

export const listAuthorizationServersOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/authorization-servers',
    operationId: 'listAuthorizationServers',
    tags: ['APIs'],
    summary: 'List authorization servers',
    description: `Those of the authorities that the token reaches, oldest first; what is offered no more only with \`state=retired\` or \`state=removed\`. ${whoMayAsk('listAuthorizationServers')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authorityId: RecordIdSchema.optional(),
        organisationId: RecordIdSchema.optional(),
        entityId: RecordIdSchema.optional(),
        issuer: IdentifierFilterSchema.optional(),
        state: OfferStateSchema.optional(),
        ...PAGE_PARAMETERS,
      }),
    },
    responses: {
      200: jsonReply('A page of authorization servers.', AuthorizationServerPageSchema),
      ...problems(400, 404),
    },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const { limit, cursor, ...filter } = c.req.valid('query');
      const { items, ...rest } = await listAuthorizationServers(db, actor, filter, { limit, cursor }, now);
      return c.json({ items: items.map((server) => authorizationServerBody(server, now)), ...rest }, 200);
    },
);
