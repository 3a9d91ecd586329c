/** Gives roles to an entity inside the transaction of the verb that calls it: one that gives, or one that enrols. */
import { and, eq, inArray } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { entityRoleAssignments } from '../../storage/schema/role-assignments.ts';
import type { ChangeContext } from '../change.ts';
import { type EntityRow, entityTypes } from '../entities/entity.ts';
import { invalidField } from '../registry-error.ts';
import type { EntityRoleRow } from './entity-role.ts';
import type { RoleRow } from './role.ts';
import { type RoleAssignmentRow, requireHeld } from './role-assignment.ts';
import { requireMergeablePolicies } from './role-holders.ts';

/** A role that an entity was given, by the assignment of its organisation. */
export interface AddedRole {
  added: EntityRoleRow;
  role: RoleRow;
  assignment: RoleAssignmentRow;
}

/**
 * The roles are held still already (holdRoles), then the entity was locked: in this order. Those that it has are left.
 * @returns what was added, in the order of `roles`
 * @throws RegistryError role_not_held, validation_failed for a role of an Entity Type that it does not play,
 *   policy_conflict
 */
export async function insertEntityRoles(
  tx: Tx,
  context: Pick<ChangeContext, 'now' | 'newId'>,
  entity: EntityRow,
  roles: readonly RoleRow[],
): Promise<AddedRole[]> {
  if (roles.length === 0) return [];
  const assignments = await requireHeld(tx, entity.organisationId, roles, context.now);
  const had = await assignmentsOf(tx, entity.id, assignments);
  const given = roles.flatMap((role, index) => {
    const assignment = assignments[index];
    return assignment === undefined || had.has(assignment.id) ? [] : [{ role, assignment }];
  });
  const rows = given.map(({ role, assignment }) => {
    requireSuitable(entity, role);
    const added: EntityRoleRow = {
      id: context.newId(),
      entityId: entity.id,
      roleAssignmentId: assignment.id,
      state: 'active',
      stateReason: null,
      stateChangedAt: context.now,
      version: 1,
      createdAt: context.now,
    };
    return { added, role, assignment };
  });
  if (rows.length === 0) return [];
  await tx.insert(entityRoleAssignments).values(rows.map(({ added }) => added));
  await requireMergeablePolicies(tx, entity.authorityId, [entity], '/roleId');
  return rows;
}

async function assignmentsOf(
  tx: Tx,
  entityId: string,
  assignments: readonly RoleAssignmentRow[],
): Promise<ReadonlySet<string>> {
  const ids = assignments.map(({ id }) => id);
  const found = await tx
    .select({ id: entityRoleAssignments.roleAssignmentId })
    .from(entityRoleAssignments)
    .where(
      and(
        eq(entityRoleAssignments.entityId, entityId),
        inArray(entityRoleAssignments.roleAssignmentId, ids),
        eq(entityRoleAssignments.state, 'active'),
      ),
    );
  return new Set(found.map(({ id }) => id));
}

/** Before its configuration was seen nobody knows what it plays. @throws RegistryError validation_failed */
function requireSuitable(entity: EntityRow, { name, entityType }: RoleRow): void {
  const played = entityTypes(entity);
  if (entityType === null || played.length === 0 || played.includes(entityType)) return;
  throw invalidField('/roleId', `${name} is for ${entityType}, and the entity plays ${played.join(', ')}`);
}
