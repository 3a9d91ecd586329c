/** Withdraws a delegation. */
import { createRoute, z } from '@hono/zod-openapi';
import { withdrawTrustMarkDelegation } from '../../../registry/trust-marks/withdraw-trust-mark-delegation.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TransitionReasonSchema } from '../transition-schema.ts';
import { TrustMarkDelegationSchema, trustMarkDelegationBody } from './trust-mark-delegation-schema.ts';

export const withdrawTrustMarkDelegationOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/trust-mark-delegations/{delegationId}/withdraw',
    operationId: 'withdrawTrustMarkDelegation',
    tags: ['Trust Marks'],
    summary: 'Withdraw a delegation',
    description: `It is not renewed any more. The standard cannot take back a JWT: until it expires only the Trust Anchor can stop it, by listing other owner keys or issuers. ${whoMayAsk('withdrawTrustMarkDelegation')}`,
    security: BEARER,
    request: {
      params: recordIdParam('delegationId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(TransitionReasonSchema),
    },
    responses: {
      200: jsonReply('The delegation as it is now.', TrustMarkDelegationSchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const delegation = await withdrawTrustMarkDelegation(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').delegationId,
        c.req.valid('json').reason,
        expectedVersion(c.req.valid('header')),
      );
      return c.json(trustMarkDelegationBody(delegation), 200, { ETag: entityTag(delegation) });
    },
);
