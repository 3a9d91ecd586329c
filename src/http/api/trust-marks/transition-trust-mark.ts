/** Approves, rejects or withdraws a Trust Mark. */
import { createRoute, z } from '@hono/zod-openapi';
import { transitionTrustMark } from '../../../registry/trust-marks/transition-trust-mark.ts';
import { TRUST_MARK_TRANSITION_NAMES, type TrustMarkTransition } from '../../../registry/trust-marks/trust-mark.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TransitionReasonSchema } from '../transition-schema.ts';
import { TrustMarkSchema, trustMarkBody } from './trust-mark-schema.ts';

const EFFECTS: Readonly<Record<TrustMarkTransition, string>> = {
  approve: 'The subject holds the mark from now on. It must be eligible.',
  reject: 'Final; the subject may ask again, and a person decides then.',
  withdraw: 'Final: at once the mark is `revoked`, whoever shows it, and its bearer is not listed.',
};

export const transitionTrustMarkOperations: readonly Operation[] = TRUST_MARK_TRANSITION_NAMES.map(transitionOperation);

function transitionOperation(transition: TrustMarkTransition): Operation {
  const route = createRoute({
    method: 'post',
    path: `/api/v1/trust-marks/{trustMarkId}/${transition}`,
    operationId: `${transition}TrustMark`,
    tags: ['Trust Marks'],
    summary: `${transition[0]?.toUpperCase()}${transition.slice(1)} a Trust Mark`,
    description: `${EFFECTS[transition]} ${whoMayAsk(`${transition}TrustMark`)}`,
    security: BEARER,
    request: {
      params: recordIdParam('trustMarkId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(TransitionReasonSchema),
    },
    responses: {
      200: jsonReply('The mark as it is now.', TrustMarkSchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const mark = await transitionTrustMark(
      changeContext(c.get('actor'), c.get('requestId')),
      c.req.valid('param').trustMarkId,
      transition,
      c.req.valid('json').reason,
      expectedVersion(c.req.valid('header')),
    );
    return c.json(trustMarkBody(mark), 200, { ETag: entityTag(mark) });
  });
}
