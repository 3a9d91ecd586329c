/** Grants a Trust Mark. */
import { createRoute, z } from '@hono/zod-openapi';
import { grantTrustMark } from '../../../registry/trust-marks/grant-trust-mark.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { endOf, NewTrustMarkSchema, TrustMarkSchema, trustMarkBody } from './trust-mark-schema.ts';

export const grantTrustMarkOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/trust-marks',
    operationId: 'grantTrustMark',
    tags: ['Trust Marks'],
    summary: 'Grant a Trust Mark',
    description: `From now on the subject holds the mark: the Trust Mark endpoint gives it out, fresh each time. The rules of the type hold. ${whoMayAsk('grantTrustMark')}`,
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewTrustMarkSchema) },
    responses: {
      201: jsonReply('The mark.', TrustMarkSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const input = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const mark = await grantTrustMark(
        changeContext(c.get('actor'), c.get('requestId')),
        { ...input, expiresAt: endOf(input).expiresAt ?? null },
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(mark), Location: `/api/v1/trust-marks/${mark.id}` };
      return c.json(trustMarkBody(mark), 201, headers);
    },
);
