/** Gives an enforcement point a new token. */
import { createRoute } from '@hono/zod-openapi';
import { rotateEnforcementPointToken } from '../../../registry/enforcement-points/rotate-enforcement-point-token.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { requireNoIdempotencyKey } from '../tokens/token-schema.ts';
import { EnforcementPointWithTokenSchema, enforcementPointBody } from './enforcement-point-schema.ts';

export const rotateEnforcementPointTokenOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enforcement-points/{enforcementPointId}/token',
    operationId: 'rotateEnforcementPointToken',
    tags: ['Admission'],
    summary: 'Give an enforcement point a new token',
    description: `The old one ends at once. Where nothing may be denied meanwhile, add a second enforcement point, move over to its token, and remove the first. ${whoMayAsk('rotateEnforcementPointToken')}`,
    security: BEARER,
    request: { params: recordIdParam('enforcementPointId') },
    responses: {
      200: jsonReply('The enforcement point with its new token.', EnforcementPointWithTokenSchema, ['ETag']),
      ...problems(400, 404, 409),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      requireNoIdempotencyKey(c.req.header('idempotency-key'));
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { enforcementPointId } = c.req.valid('param');
      const { point, token } = await rotateEnforcementPointToken(context, enforcementPointId);
      return c.json({ ...enforcementPointBody(point), token }, 200, { ETag: entityTag(point) });
    },
);
