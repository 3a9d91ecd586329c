/** Changes an authorization server. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateAuthorizationServer } from '../../../registry/authorization-servers/update-authorization-server.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { offerDates } from '../offer-schema.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import {
  AuthorizationServerChangesSchema,
  AuthorizationServerSchema,
  authorizationServerBody,
} from './authorization-server-schema.ts';

export const updateAuthorizationServerOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/authorization-servers/{authorizationServerId}',
    operationId: 'updateAuthorizationServer',
    tags: ['APIs'],
    summary: 'Change an authorization server',
    description: `How long it is offered, and what takes its place. Each member given replaces the present one. ${whoMayAsk('updateAuthorizationServer')}`,
    security: BEARER,
    request: {
      params: recordIdParam('authorizationServerId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(AuthorizationServerChangesSchema),
    },
    responses: {
      200: jsonReply('The authorization server as it is now.', AuthorizationServerSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { supersededBy, ...dates } = c.req.valid('json');
      const server = await updateAuthorizationServer(
        context,
        c.req.valid('param').authorizationServerId,
        { supersededBy, ...offerDates(dates) },
        requiredVersion(c.req.valid('header')),
      );
      return c.json(authorizationServerBody(server, context.now), 200, { ETag: entityTag(server) });
    },
);
