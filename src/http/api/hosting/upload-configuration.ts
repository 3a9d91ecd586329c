/** Takes a configuration that a hosted entity signed itself. */
import { createRoute } from '@hono/zod-openapi';
import { uploadConfiguration } from '../../../enrolment/upload-configuration.ts';
import { EntitySchema, entityBody } from '../entities/entity-schema.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { UploadSchema } from './hosting-schema.ts';

export const uploadConfigurationOperation = defineOperation(
  createRoute({
    method: 'put',
    path: '/api/v1/entities/{entityId}/configuration',
    operationId: 'uploadConfiguration',
    tags: ['Hosted entities'],
    summary: 'Upload the configuration of a hosted entity',
    description: `Signed by a registered key that the entity took or brought, naming its authority among its hints, and issued later than the one before it. It is served from now on until it expires, and followed like one that was fetched: new keys in it are proposed. ${whoMayAsk('uploadConfiguration')}`,
    security: BEARER,
    request: { params: recordIdParam('entityId'), body: jsonBody(UploadSchema) },
    responses: { 200: jsonReply('The entity with its checks.', EntitySchema, ['ETag']), ...bodyProblems(404, 409) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { configuration } = c.req.valid('json');
      const entity = await uploadConfiguration(context, c.req.valid('param').entityId, configuration);
      return c.json(entityBody(entity), 200, { ETag: entityTag(entity) });
    },
);
