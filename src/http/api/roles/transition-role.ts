/** Retires a role, or reinstates it. */
import { createRoute, z } from '@hono/zod-openapi';
import { ROLE_TRANSITIONS, type RoleTransition, transitionRole } from '../../../registry/roles/transition-role.ts';
import { BEARER, bodyProblems, jsonBody, jsonReply, whoMayAsk } from '../exchange.ts';
import { defineOperation, type Operation } from '../operation.ts';
import { entityTag, expectedVersion, OPTIONAL_IF_MATCH } from '../preconditions.ts';
import { recordIdParam } from '../record-schema.ts';
import { RoleRemovalSchema } from './role-assignment-schema.ts';
import { affectedBody, ChangedRoleSchema, roleBody } from './role-schema.ts';

const EFFECTS: Readonly<Record<RoleTransition, string>> = {
  retire: 'At once nobody holds it; assignments stay on record.',
  reinstate: 'It is held again by those who held it, if its policy still goes with theirs (`policy_conflict`).',
};

export const transitionRoleOperations: readonly Operation[] = (Object.keys(ROLE_TRANSITIONS) as RoleTransition[]).map(
  transitionOperation,
);

function transitionOperation(transition: RoleTransition): Operation {
  const route = createRoute({
    method: 'post',
    path: `/api/v1/roles/{roleId}/${transition}`,
    operationId: `${transition}Role`,
    tags: ['Roles'],
    summary: `${transition[0]?.toUpperCase()}${transition.slice(1)} a role`,
    description: `${EFFECTS[transition]} ${whoMayAsk(`${transition}Role`)}`,
    security: BEARER,
    request: {
      params: recordIdParam('roleId'),
      headers: z.object(OPTIONAL_IF_MATCH),
      body: jsonBody(RoleRemovalSchema),
    },
    responses: {
      200: jsonReply('The role as it is now, and whom it concerns.', ChangedRoleSchema, ['ETag']),
      ...bodyProblems(404, 409, 412),
    },
  });
  return defineOperation(route, ({ changeContext }) => async (c) => {
    const { reason, dryRun } = c.req.valid('json');
    const { role, affected } = await transitionRole(
      changeContext(c.get('actor'), c.get('requestId')),
      c.req.valid('param').roleId,
      transition,
      reason,
      { expectedVersion: expectedVersion(c.req.valid('header')), isDryRun: dryRun },
    );
    return c.json({ ...roleBody(role), ...affectedBody(affected) }, 200, { ETag: entityTag(role) });
  });
}
