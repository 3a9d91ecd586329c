/** Gives a delegation anew. */
import { createRoute, z } from '@hono/zod-openapi';
import { renewTrustMarkDelegation } from '../../../registry/trust-marks/renew-trust-mark-delegation.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { endOf } from '../trust-marks/trust-mark-schema.ts';
import {
  TrustMarkDelegationRenewalSchema,
  TrustMarkDelegationSchema,
  trustMarkDelegationBody,
} from './trust-mark-delegation-schema.ts';

export const renewTrustMarkDelegationOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/trust-mark-delegations/{delegationId}/renew',
    operationId: 'renewTrustMarkDelegation',
    tags: ['Trust Marks'],
    summary: 'Renew a delegation',
    description: `Signed anew, with the present key and with the terms given; the issuer has to take over the new JWT. ${whoMayAsk('renewTrustMarkDelegation')}`,
    security: BEARER,
    request: {
      params: recordIdParam('delegationId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(TrustMarkDelegationRenewalSchema),
    },
    responses: {
      200: jsonReply('The delegation as it is now.', TrustMarkDelegationSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext, signDelegation }) =>
    async (c) => {
      const { expiresAt, ...terms } = c.req.valid('json');
      const delegation = await renewTrustMarkDelegation(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').delegationId,
        { ...terms, ...endOf({ expiresAt }) },
        signDelegation,
        requiredVersion(c.req.valid('header')),
      );
      return c.json(trustMarkDelegationBody(delegation), 200, { ETag: entityTag(delegation) });
    },
);
