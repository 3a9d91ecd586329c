/** Reads a delegation that we gave. */
import { createRoute } from '@hono/zod-openapi';
import { readTrustMarkDelegation } from '../../../registry/trust-marks/trust-mark-delegation.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TrustMarkDelegationSchema, trustMarkDelegationBody } from './trust-mark-delegation-schema.ts';

export const readTrustMarkDelegationOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/trust-mark-delegations/{delegationId}',
    operationId: 'readTrustMarkDelegation',
    tags: ['Trust Marks'],
    summary: 'Read a delegation that we gave',
    description: `With the JWT for the issuer. ${whoMayAsk('readTrustMarkDelegation')}`,
    security: BEARER,
    request: { params: recordIdParam('delegationId') },
    responses: { 200: jsonReply('The delegation.', TrustMarkDelegationSchema, ['ETag']), ...problems(404) },
  }),
  ({ db }) =>
    async (c) => {
      const delegation = await readTrustMarkDelegation(db, c.get('actor'), c.req.valid('param').delegationId);
      return c.json(trustMarkDelegationBody(delegation), 200, { ETag: entityTag(delegation) });
    },
);
