/** Changes a version of an API. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateApiResource } from '../../../registry/api-resources/update-api-resource.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import {
  ApiResourceChangesSchema,
  ApiResourceSchema,
  apiResourceBody,
  apiResourceFields,
} from './api-resource-schema.ts';

export const updateApiResourceOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/api-resources/{apiResourceId}',
    operationId: 'updateApiResource',
    tags: ['APIs'],
    summary: 'Change a version of an API',
    description: `Where it is, what is certified of it, how long it is offered. Each member given replaces the present one. ${whoMayAsk('updateApiResource')}`,
    security: BEARER,
    request: {
      params: recordIdParam('apiResourceId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(ApiResourceChangesSchema),
    },
    responses: {
      200: jsonReply('The API resource as it is now.', ApiResourceSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const api = await updateApiResource(
        context,
        c.req.valid('param').apiResourceId,
        apiResourceFields(c.req.valid('json')),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(apiResourceBody(api, context.now), 200, { ETag: entityTag(api) });
    },
);
