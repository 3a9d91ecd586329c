/** Removes an enforcement point. */
import { createRoute, z } from '@hono/zod-openapi';
import { removeEnforcementPoint } from '../../../registry/enforcement-points/remove-enforcement-point.ts';
import { BEARER, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';

export const removeEnforcementPointOperation = defineOperation(
  createRoute({
    method: 'delete',
    path: '/api/v1/enforcement-points/{enforcementPointId}',
    operationId: 'removeEnforcementPoint',
    tags: ['Admission'],
    summary: 'Remove an enforcement point',
    description: `For good, and at once; it can be read on. ${whoMayAsk('removeEnforcementPoint')}`,
    security: BEARER,
    request: { params: recordIdParam('enforcementPointId'), headers: z.object(OPTIONAL_IF_MATCH) },
    responses: { 204: { description: 'It is removed.' }, ...problems(400, 404, 409, 412) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { enforcementPointId } = c.req.valid('param');
      await removeEnforcementPoint(context, enforcementPointId, expectedVersion(c.req.valid('header')));
      return c.body(null, 204);
    },
);
