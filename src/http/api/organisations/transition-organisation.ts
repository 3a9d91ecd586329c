/** Moves an organisation from one state to another: an operation for each transition. */
import { createRoute, z } from '@hono/zod-openapi';
import { transitionOrganisation } from '../../../registry/organisations/transition-organisation.ts';
import { TRANSITION_NAMES, type Transition } from '../../../registry/states.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH, REQUIRED_IF_MATCH, seenVersion } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { decisionOfBody, decisionSchema, transitionedBody } from '../transition-schema.ts';
import { organisationBody, TransitionedOrganisationSchema } from './organisation-schema.ts';

const EFFECTS: Readonly<Record<Transition, string>> = {
  approve: 'Its approved entities are vouched for from now on. It needs the contacts that its authority asks for.',
  reject: 'Final.',
  suspend: 'At once none of its entities is vouched for; their own states stay.',
  reinstate: 'Brings back what this suspension stopped, and nothing else.',
  withdraw: 'Final: it left. None of its entities is vouched for.',
  revoke: 'Final: it lost our trust. None of its entities is vouched for.',
};

export const transitionOrganisationOperations: readonly Operation[] = TRANSITION_NAMES.map(transitionOperation);

function transitionOperation(transition: Transition): Operation {
  const needsVersion = transition === 'approve';
  const route = createRoute({
    method: 'post',
    path: `/api/v1/organisations/{organisationId}/${transition}`,
    operationId: `${transition}Organisation`,
    tags: ['Organisations'],
    summary: `${transition[0]?.toUpperCase()}${transition.slice(1)} an organisation`,
    description: `${EFFECTS[transition]} ${whoMayAsk(`${transition}Organisation`)}`,
    security: BEARER,
    request: {
      params: recordIdParam('organisationId'),
      headers: z.object(needsVersion ? REQUIRED_IF_MATCH : OPTIONAL_IF_MATCH),
      body: jsonBody(decisionSchema(transition)),
    },
    responses: {
      200: jsonReply('The organisation as it is now, and what is affected.', TransitionedOrganisationSchema, ['ETag']),
      ...bodyProblems(404, 409, 412, 422, ...(needsVersion ? [428 as const] : [])),
    },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const headers = c.req.valid('header');
    const organisation = await transitionOrganisation(
      changeContext(c.get('actor'), c.get('requestId')),
      c.req.valid('param').organisationId,
      transition,
      decisionOfBody(c.req.valid('json')),
      needsVersion ? seenVersion(headers) : expectedVersion(headers),
    );
    const body = { ...organisationBody(organisation), ...transitionedBody(organisation) };
    return c.json(body, 200, { ETag: entityTag(organisation) });
  });
}
