/** Changes the configuration of a hosted entity. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateHosted } from '../../../enrolment/update-hosted.ts';
import { EntitySchema, entityBody } from '../entities/entity-schema.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { HostingChangesSchema } from './hosting-schema.ts';

export const updateHostingOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/entities/{entityId}/hosting',
    operationId: 'updateHosting',
    tags: ['Hosted entities'],
    summary: "Change a hosted entity's configuration",
    description: `Each member given replaces the present one. It is published at once, as what an entity publishes itself is; the checks then look at it, and their outcome stands in the answer. ${whoMayAsk('updateHosting')}`,
    security: BEARER,
    request: {
      params: recordIdParam('entityId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(HostingChangesSchema),
    },
    responses: {
      200: jsonReply('The entity with its checks.', EntitySchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext, retrieveConfiguration }) =>
    async (c) => {
      const { metadata, configurationLifetimeSeconds } = c.req.valid('json');
      const changes = {
        ...(metadata !== undefined && { metadata }),
        ...(configurationLifetimeSeconds !== undefined && { configurationLifetimeSeconds }),
      };
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const version = requiredVersion(c.req.valid('header'));
      const { entityId } = c.req.valid('param');
      const entity = await updateHosted(context, entityId, changes, version, retrieveConfiguration);
      return c.json(entityBody(entity), 200, { ETag: entityTag(entity) });
    },
);
