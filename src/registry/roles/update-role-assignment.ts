/** Changes how and for how long an organisation has a role. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { roleAssignments } from '../../storage/schema/role-assignments.ts';
import { ACCESS } from '../access.ts';
import { authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { lockRole } from './role.ts';
import {
  datedState,
  type RoleAssignment,
  type RoleAssignmentFields,
  type RoleAssignmentRow,
  readRoleAssignment,
  requireValidAssignment,
  roleAssignmentSnapshot,
} from './role-assignment.ts';
import { withRoleEffects } from './role-effects.ts';
import { lockHolders, touchHolders } from './role-holders.ts';

/**
 * Policies were found to go together whatever the clock says, so that other dates make no conflict. What is so already
 * changes nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, version_mismatch, illegal_transition when it is removed
 */
export async function updateRoleAssignment(
  context: ChangeContext,
  organisationId: string,
  assignmentId: string,
  changes: Partial<RoleAssignmentFields>,
  expectedVersion?: number,
): Promise<RoleAssignment> {
  const seen = await readRoleAssignment(context.db, context.actor, organisationId, assignmentId);
  const { authorityId, roleId, role } = seen;
  authorise(context.actor, ACCESS.updateOrganisationRole.roles, authorityId, organisationId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockAssignment(tx, assignmentId, roleId);
    requireVersion(before, expectedVersion);
    const changed = { ...withChanges(before, changes), version: before.version + 1 };
    const after: RoleAssignmentRow = { ...changed, recordedState: datedState(changed, context.now) };
    requireValidAssignment(after);
    if (jsonEquals(roleAssignmentSnapshot(before, role), roleAssignmentSnapshot(after, role))) return;
    await lockHolders(tx, { roleAssignmentId: assignmentId });
    const { affected } = await withRoleEffects(tx, { roleAssignmentId: assignmentId }, context.now, () =>
      tx.update(roleAssignments).set(after).where(eq(roleAssignments.id, assignmentId)),
    );
    await touchHolders(tx, { roleAssignmentId: assignmentId }, context.now);
    record({
      action: 'role_assignment.update',
      authorityId,
      subjectKind: 'role_assignment',
      subjectId: assignmentId,
      before: roleAssignmentSnapshot(before, role),
      after: roleAssignmentSnapshot(after, role),
      affected,
    });
  });
  return readRoleAssignment(context.db, context.actor, organisationId, assignmentId);
}

/** With its role, which nobody gives to anybody until the transaction ends. @throws RegistryError illegal_transition */
export async function lockAssignment(tx: Tx, assignmentId: string, roleId: string): Promise<RoleAssignmentRow> {
  await lockRole(tx, roleId);
  const [assignment] = await tx.select().from(roleAssignments).where(eq(roleAssignments.id, assignmentId));
  if (assignment === undefined) throw notFound('role assignment', assignmentId);
  if (assignment.state === 'active') return assignment;
  const message = 'the role was removed from the organisation; assign it anew';
  throw new RegistryError('illegal_transition', message, { from: assignment.state, allowed: [] });
}
