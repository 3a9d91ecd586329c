/** Suspends an enforcement point, or reinstates it. */
import { createRoute, z } from '@hono/zod-openapi';
import {
  ENFORCEMENT_POINT_TRANSITIONS,
  type EnforcementPointTransition,
  transitionEnforcementPoint,
} from '../../../registry/enforcement-points/transition-enforcement-point.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { TransitionReasonSchema } from '../transition-schema.ts';
import { EnforcementPointSchema, enforcementPointBody } from './enforcement-point-schema.ts';

const EFFECTS: Readonly<Record<EnforcementPointTransition, string>> = {
  suspend: 'At once it is answered as if nobody knew it, so that it lets nobody in.',
  reinstate: 'It is answered again; its token and certificate are what they were.',
};

export const transitionEnforcementPointOperations: readonly Operation[] = (
  Object.keys(ENFORCEMENT_POINT_TRANSITIONS) as EnforcementPointTransition[]
).map(transitionOperation);

function transitionOperation(transition: EnforcementPointTransition): Operation {
  const route = createRoute({
    method: 'post',
    path: `/api/v1/enforcement-points/{enforcementPointId}/${transition}`,
    operationId: `${transition}EnforcementPoint`,
    tags: ['Admission'],
    summary: `${transition[0]?.toUpperCase()}${transition.slice(1)} an enforcement point`,
    description: `${EFFECTS[transition]} ${whoMayAsk(`${transition}EnforcementPoint`)}`,
    security: BEARER,
    request: {
      params: recordIdParam('enforcementPointId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(TransitionReasonSchema),
    },
    responses: {
      200: jsonReply('The enforcement point as it is now.', EnforcementPointSchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const point = await transitionEnforcementPoint(
      changeContext(c.get('actor'), c.get('requestId')),
      c.req.valid('param').enforcementPointId,
      transition,
      c.req.valid('json').reason,
      expectedVersion(c.req.valid('header')),
    );
    return c.json(enforcementPointBody(point), 200, { ETag: entityTag(point) });
  });
}
