/** Retires a Trust Mark type, or reinstates it. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  TYPE_TRANSITIONS,
  type TypeTransition,
  transitionTrustMarkType,
} from '../../../registry/trust-marks/transition-trust-mark-type.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TransitionReasonSchema } from '../transition-schema.ts';
import { TrustMarkTypeSchema, trustMarkTypeBody } from './trust-mark-type-schema.ts';

const EFFECTS: Readonly<Record<TypeTransition, string>> = {
  retire: 'At once nothing of it is issued or listed, and every mark of it is `revoked`.',
  reinstate: 'Its marks stand again as they did.',
};

export const transitionTrustMarkTypeOperations: readonly Operation[] = (
  Object.keys(TYPE_TRANSITIONS) as TypeTransition[]
).map(transitionOperation);

function transitionOperation(transition: TypeTransition): Operation {
  const route = createRoute({
    method: 'post',
    path: `/api/v1/trust-mark-types/{typeId}/${transition}`,
    operationId: `${transition}TrustMarkType`,
    tags: ['Trust Marks'],
    summary: `${transition[0]?.toUpperCase()}${transition.slice(1)} a Trust Mark type`,
    description: `${EFFECTS[transition]} ${whoMayAsk(`${transition}TrustMarkType`)}`,
    security: BEARER,
    request: {
      params: recordIdParam('typeId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(TransitionReasonSchema),
    },
    responses: {
      200: jsonReply('The type as it is now.', TrustMarkTypeSchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const type = await transitionTrustMarkType(
      changeContext(c.get('actor'), c.get('requestId')),
      c.req.valid('param').typeId,
      transition,
      c.req.valid('json').reason,
      expectedVersion(c.req.valid('header')),
    );
    return c.json(trustMarkTypeBody(type), 200, { ETag: entityTag(type) });
  });
}
