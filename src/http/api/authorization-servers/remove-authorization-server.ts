/** Removes an authorization server. */
import { createRoute, z } from '@hono/zod-openapi';
import { removeAuthorizationServer } from '../../../registry/authorization-servers/remove-authorization-server.ts';
import { BEARER, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';

export const removeAuthorizationServerOperation = defineOperation(
  createRoute({
    method: 'delete',
    path: '/api/v1/authorization-servers/{authorizationServerId}',
    operationId: 'removeAuthorizationServer',
    tags: ['APIs'],
    summary: 'Remove an authorization server',
    description: `Its APIs count as removed with it; both can be read on. ${whoMayAsk('removeAuthorizationServer')}`,
    security: BEARER,
    request: { params: recordIdParam('authorizationServerId'), headers: z.object(REQUIRED_IF_MATCH) },
    responses: { 204: { description: 'It is removed.' }, ...problems(400, 404, 409, 412, 428) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { authorizationServerId } = c.req.valid('param');
      await removeAuthorizationServer(context, authorizationServerId, requiredVersion(c.req.valid('header')));
      return c.body(null, 204);
    },
);
