/** Gives a delegation. */
import { createRoute, z } from '@hono/zod-openapi';
import { makeTrustMarkDelegation } from '../../../registry/trust-marks/make-trust-mark-delegation.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { IDEMPOTENCY_KEY, idempotencyOf } from '../idempotency.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { endOf } from '../trust-marks/trust-mark-schema.ts';
import {
  NewTrustMarkDelegationSchema,
  TrustMarkDelegationSchema,
  trustMarkDelegationBody,
} from './trust-mark-delegation-schema.ts';

export const makeTrustMarkDelegationOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/trust-mark-delegations',
    operationId: 'makeTrustMarkDelegation',
    tags: ['Trust Marks'],
    summary: 'Delegate a Trust Mark type',
    description: `As its owner the authority lets an issuer give out marks of the type (§7.2). It counts where a Trust Anchor lists the authority as owner. ${whoMayAsk('makeTrustMarkDelegation')}`,
    security: BEARER,
    request: { headers: z.object(IDEMPOTENCY_KEY), body: jsonBody(NewTrustMarkDelegationSchema) },
    responses: {
      201: jsonReply('The delegation.', TrustMarkDelegationSchema, ['ETag', 'Location']),
      ...bodyProblems(404, 409, 422),
    },
  }),
  ({ changeContext, signDelegation }) =>
    async (c) => {
      const { authorityId, expiresAt, ...terms } = c.req.valid('json');
      const request = { method: c.req.method, path: c.req.path, body: c.get('body') };
      const delegation = await makeTrustMarkDelegation(
        changeContext(c.get('actor'), c.get('requestId')),
        authorityId,
        { ...terms, ...endOf({ expiresAt }) },
        signDelegation,
        idempotencyOf(c.req.valid('header'), request),
      );
      const headers = { ETag: entityTag(delegation), Location: `/api/v1/trust-mark-delegations/${delegation.id}` };
      return c.json(trustMarkDelegationBody(delegation), 201, headers);
    },
);
