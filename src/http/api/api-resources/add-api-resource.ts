/** Records a version of an API. */
import { createRoute, z } from '@hono/zod-openapi';
import { addApiResource } from '../../../registry/api-resources/add-api-resource.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { ApiResourceSchema, apiResourceBody, apiResourceFields, NewApiResourceSchema } from './api-resource-schema.ts';

export const addApiResourceOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/api-resources',
    operationId: 'addApiResource',
    tags: ['APIs'],
    summary: 'Add a version of an API',
    description: `Once for each family and version of an authorization server (\`api_resource_exists\`). ${whoMayAsk('addApiResource')}`,
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewApiResourceSchema) },
    responses: {
      201: jsonReply('The API resource.', ApiResourceSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { authorizationServerId, family, apiVersion, ...fields } = c.req.valid('json');
      const input = { authorizationServerId, family, apiVersion, ...apiResourceFields(fields) };
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const api = await addApiResource(context, input, idempotencyOf(c.req.valid('header'), request));
      const headers = { ETag: entityTag(api), Location: `/api/v1/api-resources/${api.id}` };
      return c.json(apiResourceBody(api, context.now), 201, headers);
    },
);
