/** Takes a role from an organisation, and in the same moment from every entity of it that has it. */
import { and, asc, eq, sql } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { entityRoleAssignments, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { entityRoleSnapshot } from './entity-role.ts';
import { policiesOf } from './give-role.ts';
import { givenRoles } from './given-roles.ts';
import { type RoleAssignment, readRoleAssignment, roleAssignmentSnapshot } from './role-assignment.ts';
import { withRoleEffects } from './role-effects.ts';
import { type Holder, liveHolders, lockHolders, touchHolders } from './role-holders.ts';
import type { RoleChangeOptions } from './update-role.ts';
import { lockAssignment } from './update-role-assignment.ts';

export interface RemovedRoleAssignment {
  assignment: RoleAssignment;
  /** The entities that have the role no more: given anew, it counts again. */
  affected: Holder[];
}

/**
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when it is removed already
 */
export async function removeRoleAssignment(
  context: ChangeContext,
  organisationId: string,
  assignmentId: string,
  reason: string,
  { expectedVersion, isDryRun }: RoleChangeOptions = {},
): Promise<RemovedRoleAssignment> {
  const seen = await readRoleAssignment(context.db, context.actor, organisationId, assignmentId);
  const { authorityId, roleId, role, domain } = seen;
  authorise(context.actor, ACCESS.removeOrganisationRole.roles, authorityId, organisationId);
  return await changeRegistry(
    context,
    async (tx, record) => {
      const before = await lockAssignment(tx, assignmentId, roleId);
      requireVersion(before, expectedVersion);
      const holders = await lockHolders(tx, { roleAssignmentId: assignmentId });
      const moved = { state: 'removed' as const, stateReason: reason, stateChangedAt: context.now };
      const after = { ...before, ...moved, version: before.version + 1 };
      const locking = { assignmentId, role: { id: roleId, name: role.name }, holders, reason, context };
      const effects = await withRoleEffects(tx, { roleAssignmentId: assignmentId }, context.now, async () => {
        const entries = await lockRoles(tx, locking);
        await tx.update(roleAssignments).set(after).where(eq(roleAssignments.id, assignmentId));
        return entries;
      });
      record({
        action: 'role_assignment.remove',
        authorityId,
        subjectKind: 'role_assignment',
        subjectId: assignmentId,
        before: roleAssignmentSnapshot(before, role),
        after: roleAssignmentSnapshot(after, role),
        reason,
        affected: effects.affected,
      });
      for (const entry of effects.result) record({ ...entry, authorityId });
      return { assignment: { ...after, role, domain }, affected: liveHolders(holders) };
    },
    { isDryRun },
  );
}

interface Locking {
  assignmentId: string;
  role: { id: string; name: string };
  holders: readonly Holder[];
  reason: string;
  context: Pick<ChangeContext, 'now'>;
}

/** @returns what the audit keeps of each entity */
async function lockRoles(
  tx: Tx,
  { assignmentId, role, holders, reason, context }: Locking,
): Promise<Omit<AuditEntry, 'authorityId'>[]> {
  if (holders.length === 0) return [];
  const given = await givenRoles(
    tx,
    holders.map(({ id }) => id),
  );
  const isGiven = and(
    eq(entityRoleAssignments.roleAssignmentId, assignmentId),
    eq(entityRoleAssignments.state, 'active'),
  );
  const identifiers = new Map(holders.map(({ id, entityIdentifier }) => [id, entityIdentifier]));
  const rows = await tx
    .select()
    .from(entityRoleAssignments)
    .where(isGiven)
    .orderBy(asc(entityRoleAssignments.entityId));
  await touchHolders(tx, { roleAssignmentId: assignmentId }, context.now);
  const moved = { state: 'locked' as const, stateReason: reason, stateChangedAt: context.now };
  const version = sql`${entityRoleAssignments.version} + 1`;
  await tx
    .update(entityRoleAssignments)
    .set({ ...moved, version })
    .where(isGiven);
  return rows.map((row) => {
    const had = given.get(row.entityId) ?? [];
    const entityIdentifier = identifiers.get(row.entityId) ?? row.entityId;
    const kept = had.filter(({ roleId }) => roleId !== role.id);
    return {
      action: 'entity.lock_role',
      subjectKind: 'entity',
      subjectId: row.entityId,
      before: { ...entityRoleSnapshot(row, role, entityIdentifier), rolePolicies: policiesOf(had) },
      after: { ...entityRoleSnapshot({ ...row, ...moved }, role, entityIdentifier), rolePolicies: policiesOf(kept) },
      reason,
    };
  });
}
