/** Changes an enforcement point. */
import { createRoute, z } from '@hono/zod-openapi';
import { updateEnforcementPoint } from '../../../registry/enforcement-points/update-enforcement-point.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import {
  EnforcementPointChangesSchema,
  EnforcementPointSchema,
  enforcementPointBody,
  enforcementPointFields,
} from './enforcement-point-schema.ts';

export const updateEnforcementPointOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/enforcement-points/{enforcementPointId}',
    operationId: 'updateEnforcementPoint',
    tags: ['Admission'],
    summary: 'Change an enforcement point',
    description: `Each member given replaces the present one; mode and environment stay. ${whoMayAsk('updateEnforcementPoint')}`,
    security: BEARER,
    request: {
      params: recordIdParam('enforcementPointId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(EnforcementPointChangesSchema),
    },
    responses: {
      200: jsonReply('The enforcement point as it is now.', EnforcementPointSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const point = await updateEnforcementPoint(
        context,
        c.req.valid('param').enforcementPointId,
        enforcementPointFields(c.req.valid('json'), context.now),
        requiredVersion(c.req.valid('header')),
      );
      return c.json(enforcementPointBody(point), 200, { ETag: entityTag(point) });
    },
);
