/** Changes what a role is and implies; what is said about those who hold it follows at once. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { roles } from '../../storage/schema/roles.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import {
  lockRole,
  type Role,
  type RoleFields,
  type RoleRow,
  readRole,
  requireValidRole,
  roleSnapshot,
  withUniqueRoleName,
} from './role.ts';
import { type Holder, liveHolders, lockHolders, requireMergeablePolicies, touchHolders } from './role-holders.ts';

/** A role with the entities that a change of it concerns. */
export interface ChangedRole {
  role: Role;
  /** Those that hold it, or will, and about whom something else is said now. */
  affected: Holder[];
}

export interface RoleChangeOptions {
  expectedVersion?: number | undefined;
  /** Nothing is changed: the answer, or the refusal, is what would come of it. */
  isDryRun?: boolean | undefined;
}

/**
 * What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, version_mismatch, role_exists, policy_conflict when
 *   its policy does not go with what is said about an entity that holds it
 */
export async function updateRole(
  context: ChangeContext,
  roleId: string,
  changes: Partial<RoleFields>,
  { expectedVersion, isDryRun }: RoleChangeOptions = {},
): Promise<ChangedRole> {
  const { authorityId, domain } = await readRole(context.db, context.actor, roleId);
  authorise(context.actor, ACCESS.updateRole.roles, authorityId);
  return await changeRegistry(
    context,
    async (tx, record) => {
      const before = await lockRole(tx, roleId);
      requireVersion(before, expectedVersion);
      const after: RoleRow = { ...withChanges(before, changes), version: before.version + 1 };
      requireValidRole(after);
      if (jsonEquals(roleSnapshot(before), roleSnapshot(after))) return { role: { ...before, domain }, affected: [] };
      // What else there is to a role is not said about those who hold it.
      const isSaid = !jsonEquals(before.metadataPolicy, after.metadataPolicy) || before.name !== after.name;
      const holders = isSaid ? await lockHolders(tx, { roleId }) : [];
      await withUniqueRoleName(after.name, () => tx.update(roles).set(after).where(eq(roles.id, roleId)));
      await requireMergeablePolicies(tx, authorityId, holders, '/metadataPolicy');
      if (isSaid) await touchHolders(tx, { roleId }, context.now);
      record({
        action: 'role.update',
        authorityId,
        subjectKind: 'role',
        subjectId: roleId,
        before: roleSnapshot(before),
        after: roleSnapshot(after),
      });
      return { role: { ...after, domain }, affected: liveHolders(holders) };
    },
    { isDryRun },
  );
}
