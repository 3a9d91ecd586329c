/** Renews a Trust Mark. */
import { createRoute, z } from '@hono/zod-openapi';
import { renewTrustMark } from '../../../registry/trust-marks/renew-trust-mark.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { entityTag, REQUIRED_IF_MATCH, requiredVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { endOf, TrustMarkRenewalSchema, TrustMarkSchema, trustMarkBody } from './trust-mark-schema.ts';

export const renewTrustMarkOperation = defineOperation(
  createRoute({
    method: 'patch',
    path: '/api/v1/trust-marks/{trustMarkId}',
    operationId: 'renewTrustMark',
    tags: ['Trust Marks'],
    summary: 'Renew a Trust Mark',
    description: `Another end of the grant, or other claims of its own. The subject must be eligible now; the mark goes over to its present record, where it was enrolled anew. ${whoMayAsk('renewTrustMark')}`,
    security: BEARER,
    request: {
      params: recordIdParam('trustMarkId'),
      headers: z.object(REQUIRED_IF_MATCH),
      body: jsonBody(TrustMarkRenewalSchema),
    },
    responses: {
      200: jsonReply('The mark as it is now.', TrustMarkSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 428),
    },
  }),
  ({ changeContext }) =>
    async (c) => {
      const { expiresAt, ...renewal } = c.req.valid('json');
      const mark = await renewTrustMark(
        changeContext(c.get('actor'), c.get('requestId')),
        c.req.valid('param').trustMarkId,
        { ...renewal, ...endOf({ expiresAt }) },
        requiredVersion(c.req.valid('header')),
      );
      return c.json(trustMarkBody(mark), 200, { ETag: entityTag(mark) });
    },
);
