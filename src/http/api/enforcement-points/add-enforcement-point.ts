/** Adds an enforcement point. */
import { createRoute } from '@hono/zod-openapi';
import { addEnforcementPoint } from '../../../registry/enforcement-points/add-enforcement-point.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { requireNoIdempotencyKey } from '../tokens/token-schema.ts';
import {
  EnforcementPointWithTokenSchema,
  enforcementPointBody,
  enforcementPointFields,
  NewEnforcementPointSchema,
} from './enforcement-point-schema.ts';

export const addEnforcementPointOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enforcement-points',
    operationId: 'addEnforcementPoint',
    tags: ['Admission'],
    summary: 'Add an enforcement point',
    description: `A gateway or server that asks \`POST /api/v1/admission\` who may pass. The answer holds its token, once; so this request cannot be repeated with an \`Idempotency-Key\`. The name of another one of the authority, or without a token the client certificate of another one that has none: \`enforcement_point_exists\`. ${whoMayAsk('addEnforcementPoint')}`,
    security: BEARER,
    request: { body: jsonBody(NewEnforcementPointSchema) },
    responses: {
      201: jsonReply('The enforcement point with its token.', EnforcementPointWithTokenSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      requireNoIdempotencyKey(c.req.header('idempotency-key'));
      const context = changeContext(c.get('actor'), c.get('requestId'));
      const { authorityId, ...body } = c.req.valid('json');
      const input = enforcementPointFields(body, context.now);
      const { point, token } = await addEnforcementPoint(context, authorityId, input);
      const headers = { ETag: entityTag(point), Location: `/api/v1/enforcement-points/${point.id}` };
      return c.json({ ...enforcementPointBody(point), token }, 201, headers);
    },
);
