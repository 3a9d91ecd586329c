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
  const rows = addedRoles(context, entity, roles, assignments).filter(({ assignment }) => !had.has(assignment.id));
  if (rows.length === 0) return [];
  await insertAdded(tx, entity, rows);
  await requireMergeablePolicies(tx, entity.authorityId, [entity], '/roleId');
  return rows;
}

/**
 * The same for an entity that is made in this transaction, where its policies have been merged already.
 * @throws RegistryError role_not_held, validation_failed for a role of an Entity Type that it does not play
 */
export async function insertRolesOfNewEntity(
  tx: Tx,
  context: Pick<ChangeContext, 'now' | 'newId'>,
  entity: EntityRow,
  roles: readonly RoleRow[],
): Promise<AddedRole[]> {
  if (roles.length === 0) return [];
  const rows = addedRoles(context, entity, roles, await requireHeld(tx, entity.organisationId, roles, context.now));
  await insertAdded(tx, entity, rows);
  return rows;
}

/** @param assignments of the roles, in their order */
function addedRoles(
  { now, newId }: Pick<ChangeContext, 'now' | 'newId'>,
  { id: entityId }: EntityRow,
  roles: readonly RoleRow[],
  assignments: readonly RoleAssignmentRow[],
): AddedRole[] {
  return roles.flatMap((role, index) => {
    const assignment = assignments[index];
    if (assignment === undefined) return [];
    const added: EntityRoleRow = {
      id: newId(),
      ...{ entityId, roleAssignmentId: assignment.id },
      ...{ state: 'active', stateReason: null, stateChangedAt: now },
      ...{ version: 1, createdAt: now },
    };
    return [{ added, role, assignment }];
  });
}

/** @throws RegistryError validation_failed */
async function insertAdded(tx: Tx, entity: EntityRow, rows: readonly AddedRole[]): Promise<void> {
  for (const { role } of rows) requireSuitable(entity, role);
  await tx.insert(entityRoleAssignments).values(rows.map(({ added }) => added));
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
