/** Moves an entity from one state to another: an operation for each transition but approval. */
import { createRoute, z } from '@hono/zod-openapi';
import { rejectEntity } from '../../../enrolment/decide-entity.ts';
import { transitionEntity } from '../../../registry/entities/transition-entity.ts';
import type { Transition } from '../../../registry/states.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { decisionOfBody, decisionSchema, transitionedBody } from '../transition-schema.ts';
import { entityBody, TransitionedEntitySchema } from './entity-schema.ts';

type DecidedAlone = Exclude<Transition, 'approve'>;

const EFFECTS: Readonly<Record<DecidedAlone, string>> = {
  reject: 'Final.',
  suspend: 'At once it is not vouched for: fetch says `not_found`, list leaves it out, nothing resolves through us.',
  reinstate: 'It is vouched for again, unless its organisation is not active.',
  withdraw: 'Final: it left. Its identifier may be enrolled anew.',
  revoke: 'Final: it lost our trust. Its identifier may be enrolled anew.',
};

export const transitionEntityOperations: readonly Operation[] = (Object.keys(EFFECTS) as DecidedAlone[]).map(
  transitionOperation,
);

function transitionOperation(transition: DecidedAlone): Operation {
  const route = createRoute({
    method: 'post',
    path: `/api/v1/entities/{entityId}/${transition}`,
    operationId: `${transition}Entity`,
    tags: ['Entities'],
    summary: `${transition[0]?.toUpperCase()}${transition.slice(1)} an entity`,
    description: `${EFFECTS[transition]} ${whoMayAsk(`${transition}Entity`)}`,
    security: BEARER,
    request: {
      params: recordIdParam('entityId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(decisionSchema(transition)),
    },
    responses: {
      200: jsonReply('The entity as it is now, and what is affected.', TransitionedEntitySchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const context = changeContext(c.get('actor'), c.get('requestId'));
    const { entityId } = c.req.valid('param');
    const decision = decisionOfBody(c.req.valid('json'));
    const version = expectedVersion(c.req.valid('header'));
    const entity =
      transition === 'reject'
        ? await rejectEntity(context, entityId, decision, version)
        : await transitionEntity(context, entityId, transition, decision, version);
    return c.json({ ...entityBody(entity), ...transitionedBody(entity) }, 200, { ETag: entityTag(entity) });
  });
}
