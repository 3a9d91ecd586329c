/** Records an authorization server. */
import { createRoute, z } from '@hono/zod-openapi';
import { addAuthorizationServer } from '../../../registry/authorization-servers/add-authorization-server.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { offerDates } from '../offer-schema.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import {
  AuthorizationServerSchema,
  authorizationServerBody,
  NewAuthorizationServerSchema,
} from './authorization-server-schema.ts';

export const addAuthorizationServerOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/authorization-servers',
    operationId: 'addAuthorizationServer',
    tags: ['APIs'],
    summary: 'Add an authorization server',
    description: `The one of an entity: there is no second while it is on record (\`authorization_server_exists\`). ${whoMayAsk('addAuthorizationServer')}`,
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewAuthorizationServerSchema) },
    responses: {
      201: jsonReply('The authorization server.', AuthorizationServerSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { entityId, supersededBy, ...dates } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const input = { entityId, supersededBy, ...offerDates(dates) };
      const server = await addAuthorizationServer(context, input, idempotencyOf(c.req.valid('header'), request));
      const headers = { ETag: entityTag(server), Location: `/api/v1/authorization-servers/${server.id}` };
      return c.json(authorizationServerBody(server, context.now), 201, headers);
    },
);
