/** Defines a Trust Mark type. */
import { createRoute, z } from '@hono/zod-openapi';
import { defineTrustMarkType } from '../../../registry/trust-marks/define-trust-mark-type.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { NewTrustMarkTypeSchema, TrustMarkTypeSchema, trustMarkTypeBody } from './trust-mark-type-schema.ts';

export const defineTrustMarkTypeOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/trust-mark-types',
    operationId: 'defineTrustMarkType',
    tags: ['Trust Marks'],
    summary: 'Define a Trust Mark type',
    description: `The authority issues marks of it from now on; with the first type its Entity Configuration names the Trust Mark endpoints. That a federation recognises the type is said by its Trust Anchor, in \`trustMarkIssuers\` of that authority. ${whoMayAsk('defineTrustMarkType')}`,
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewTrustMarkTypeSchema) },
    responses: {
      201: jsonReply('The type.', TrustMarkTypeSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { authorityId, ...input } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const type = await defineTrustMarkType(
        changeContext(c.get('actor'), c.get('requestId')),
        authorityId,
        input,
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(type), Location: `/api/v1/trust-mark-types/${type.id}` };
      return c.json(trustMarkTypeBody(type), 201, headers);
    },
);
