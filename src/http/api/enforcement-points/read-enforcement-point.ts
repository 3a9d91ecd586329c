/** Reads an enforcement point. */
import { createRoute } from '@hono/zod-openapi';
import { readEnforcementPoint } from '../../../registry/enforcement-points/read-enforcement-point.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { EnforcementPointSchema, enforcementPointBody } from './enforcement-point-schema.ts';

export const readEnforcementPointOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/enforcement-points/{enforcementPointId}',
    operationId: 'readEnforcementPoint',
    tags: ['Admission'],
    summary: 'Read an enforcement point',
    description: `Also one that was removed; never its token. ${whoMayAsk('readEnforcementPoint')}`,
    security: BEARER,
    request: { params: recordIdParam('enforcementPointId') },
    responses: { 200: jsonReply('The enforcement point.', EnforcementPointSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const point = await readEnforcementPoint(db, c.get('actor'), c.req.valid('param').enforcementPointId);
      return c.json(enforcementPointBody(point), 200, { ETag: entityTag(point) });
    },
);
