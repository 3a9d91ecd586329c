/** What a change of a role, or of an organisation's, does to whoever has it: what others are told of it. */
import { and, asc, eq, ne } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { entityRoleAssignments, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';
import type { Affected } from '../life-cycle/effects.ts';
import { assignmentState } from './role-assignment.ts';
import type { Held } from './role-holders.ts';

export type RoleBelow = Pick<Affected, 'kind' | 'id' | 'name'> & { state: string };

/** Looks at it before and after `change`; whom the caller holds still keeps what is found true. */
export async function withRoleEffects<T>(
  tx: Tx,
  held: Held,
  now: Date,
  change: () => Promise<T>,
): Promise<{ result: T; affected: Affected[] }> {
  const before = new Map((await rolesBelow(tx, held, now)).map(({ id, state }) => [id, state]));
  const result = await change();
  const affected = (await rolesBelow(tx, held, now)).flatMap(({ state, ...one }) => {
    const stateBefore = before.get(one.id) ?? state;
    return stateBefore === state ? [] : [{ ...one, stateBefore, stateAfter: state }];
  });
  return { result, affected };
}

/** By the role alone, whatever becomes of who has it. */
async function rolesBelow(tx: Tx, held: Held, now: Date): Promise<RoleBelow[]> {
  const organisationRoles = 'roleId' in held ? await assignedBelow(tx, held.roleId, now) : [];
  return [...organisationRoles, ...(await givenBelow(tx, held, now))];
}

async function assignedBelow(tx: Tx, roleId: string, now: Date): Promise<RoleBelow[]> {
  const rows = await tx
    .select({ assignment: roleAssignments, role: roles, holder: organisations.legalName })
    .from(roleAssignments)
    .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
    .innerJoin(organisations, eq(organisations.id, roleAssignments.organisationId))
    .where(and(eq(roleAssignments.roleId, roleId), eq(roleAssignments.state, 'active')))
    .orderBy(asc(roleAssignments.id));
  return rows.map(({ assignment, role, holder }) => ({
    kind: 'role_assignment',
    id: assignment.id,
    name: `${role.name} of ${holder}`,
    state: assignmentState(assignment, role, now),
  }));
}

/** Those given to entities, with the state in which each is now. */
export async function givenBelow(tx: Tx, held: Held, now: Date): Promise<RoleBelow[]> {
  const isIts =
    'roleId' in held ? eq(roleAssignments.roleId, held.roleId) : eq(roleAssignments.id, held.roleAssignmentId);
  const rows = await tx
    .select({
      given: entityRoleAssignments,
      assignment: roleAssignments,
      role: roles,
      holder: entities.entityIdentifier,
    })
    .from(entityRoleAssignments)
    .innerJoin(roleAssignments, eq(roleAssignments.id, entityRoleAssignments.roleAssignmentId))
    .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
    .innerJoin(entities, eq(entities.id, entityRoleAssignments.entityId))
    .where(and(isIts, ne(entityRoleAssignments.state, 'removed')))
    .orderBy(asc(entityRoleAssignments.id));
  return rows.map(({ given, assignment, role, holder }) => ({
    kind: 'entity_role_assignment',
    id: given.id,
    name: `${role.name} of ${holder}`,
    state: given.state === 'active' ? assignmentState(assignment, role, now) : given.state,
  }));
}
