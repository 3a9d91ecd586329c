/** Lets an authority no longer show a Trust Mark. */
import { createRoute, z } from '@hono/zod-openapi';
import { dropHeldTrustMark } from '../../../registry/trust-marks/drop-held-trust-mark.ts';
import { BEARER, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';

export const dropHeldTrustMarkOperation = defineOperation(
  createRoute({
    method: 'delete',
    path: '/api/v1/held-trust-marks/{heldId}',
    operationId: 'dropHeldTrustMark',
    tags: ['Trust Marks'],
    summary: 'Show a Trust Mark no longer',
    description: `The Entity Configuration goes without it at once. ${whoMayAsk('dropHeldTrustMark')}`,
    security: BEARER,
    request: { params: recordIdParam('heldId'), headers: z.object(OPTIONAL_IF_MATCH) },
    responses: { 204: { description: 'It is shown no longer.' }, ...problems(400, 404, 412) },
  }),
  ({ changeContext }) =>
    async (c) => {
      const context = changeContext(c.get('actor'), c.get('requestId'));
      await dropHeldTrustMark(context, c.req.valid('param').heldId, expectedVersion(c.req.valid('header')));
      return c.body(null, 204);
    },
);
