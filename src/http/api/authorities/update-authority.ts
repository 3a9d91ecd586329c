/** Changes the settings of an authority. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateAuthority } from '../../../registry/authorities/update-authority.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { AuthorityChangesSchema, AuthoritySchema, authorityBody } from './authority-schema.ts';

export const updateAuthorityOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/authorities/{authorityId}',
    operationId: 'updateAuthority',
    tags: ['Authorities'],
    summary: 'Change an authority',
    description: `Each member given replaces the present one, \`endpointAuthentication\` endpoint by endpoint; its statements follow at once. ${whoMayAsk('updateAuthority')}`,
    security: BEARER,
    request: {
      params: recordIdParam('authorityId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(AuthorityChangesSchema),
    },
    responses: {
      200: jsonReply('The authority as it is now.', AuthoritySchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const authority = await updateAuthority(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').authorityId,
        c.req.valid('json'),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(authorityBody(authority), 200, { ETag: entityTag(authority) });
    },
);
