/** Reads an API resource. */
import { createRoute } from '@hono/zod-openapi';
import { readApiResource } from '../../../registry/api-resources/read-api-resource.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { ApiResourceSchema, apiResourceBody } from './api-resource-schema.ts';

export const readApiResourceOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/api-resources/{apiResourceId}',
    operationId: 'readApiResource',
    tags: ['APIs'],
    summary: 'Read a version of an API',
    description: `Also one that was removed. ${whoMayAsk('readApiResource')}`,
    security: BEARER,
    request: { params: recordIdParam('apiResourceId') },
    responses: { 200: jsonReply('The API resource.', ApiResourceSchema, ['ETag']), ...problems(404) },
  }),
  ({ db, changeContext }) =>
    async (c) => {
      const { now, actor } = changeContext(c.get('actor'), c.get('requestId'));
      const api = await readApiResource(db, actor, c.req.valid('param').apiResourceId);
      return c.json(apiResourceBody(api, now), 200, { ETag: entityTag(api) });
    },
);
