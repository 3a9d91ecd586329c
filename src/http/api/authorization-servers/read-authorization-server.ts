/** Reads an authorization server. */
import { createRoute } from '@hono/zod-openapi';
import { readAuthorizationServer } from '../../../registry/authorization-servers/read-authorization-server.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { AuthorizationServerSchema, authorizationServerBody } from './authorization-server-schema.ts';

export const readAuthorizationServerOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/authorization-servers/{authorizationServerId}',
    operationId: 'readAuthorizationServer',
    tags: ['APIs'],
    summary: 'Read an authorization server',
    description: `Also one that was removed. ${whoMayAsk('readAuthorizationServer')}`,
    security: BEARER,
    request: { params: recordIdParam('authorizationServerId') },
    responses: {
      200: jsonReply('The authorization server.', AuthorizationServerSchema, ['ETag']),
      ...problems(404),
    },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const server = await readAuthorizationServer(db, actor, c.req.valid('param').authorizationServerId);
      return c.json(authorizationServerBody(server, now), 200, { ETag: entityTag(server) });
    },
);
