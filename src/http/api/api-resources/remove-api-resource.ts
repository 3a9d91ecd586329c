/** Removes a version of an API. */
import { createRoute, z } from '@hono/zod-openapi';
import { removeApiResource } from '../../../registry/api-resources/remove-api-resource.ts';
import { BEARER, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';

export const removeApiResourceOperation = defineOperation(
  createRoute({
    method: 'delete',
    path: '/api/v1/api-resources/{apiResourceId}',
    operationId: 'removeApiResource',
    tags: ['APIs'],
    summary: 'Remove a version of an API',
    description: `It can be read on. ${whoMayAsk('removeApiResource')}`,
    security: BEARER,
    request: { params: recordIdParam('apiResourceId'), headers: z.object(REQUIRED_IF_MATCH) },
    responses: { 204: { description: 'It is removed.' }, ...problems(400, 404, 409, 412, 428) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      await removeApiResource(context, c.req.valid('param').apiResourceId, requiredVersion(c.req.valid('header')));
      return c.body(null, 204);
    },
);
