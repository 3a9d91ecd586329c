/** Retires a role, or reinstates it. */
import { eq } from 'drizzle-orm';
import { roles } from '../../storage/schema/roles.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { lockRole, readRole, roleSnapshot } from './role.ts';
import { withRoleEffects } from './role-effects.ts';
import { liveHolders, lockHolders, requireMergeablePolicies, touchHolders } from './role-holders.ts';
import type { ChangedRole, RoleChangeOptions } from './update-role.ts';

export const ROLE_TRANSITIONS = {
  retire: { from: 'active', to: 'retired' },
  reinstate: { from: 'retired', to: 'active' },
} as const;

export type RoleTransition = keyof typeof ROLE_TRANSITIONS;

/**
 * Nobody holds a retired role, and nobody is given it; assignments stay on record, and count again once it is reinstated.
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, policy_conflict when a reinstated
 *   role's policy does not go any more with what is said about an entity that would hold it
 */
export async function transitionRole(
  context: ChangeContext,
  roleId: string,
  transition: RoleTransition,
  reason: string,
  { expectedVersion, isDryRun }: RoleChangeOptions = {},
): Promise<ChangedRole> {
  const { authorityId, domain } = await readRole(context.db, context.actor, roleId);
  authorise(context.actor, ACCESS[`${transition}Role`].roles, authorityId);
  return await changeRegistry(
    context,
    async (tx, record) => {
      const before = await lockRole(tx, roleId);
      const { from, to } = ROLE_TRANSITIONS[transition];
      if (before.state !== from) {
        throw new RegistryError('illegal_transition', `the role is ${before.state} already`, {
          from: before.state,
          to,
        });
      }
      requireVersion(before, expectedVersion);
      const after = { ...before, state: to, version: before.version + 1 };
      const holders = await lockHolders(tx, { roleId });
      const { affected } = await withRoleEffects(tx, { roleId }, context.now, () =>
        tx.update(roles).set(after).where(eq(roles.id, roleId)),
      );
      await requireMergeablePolicies(tx, authorityId, holders, '');
      await touchHolders(tx, { roleId }, context.now);
      record({
        action: `role.${transition}`,
        authorityId,
        subjectKind: 'role',
        subjectId: roleId,
        before: roleSnapshot(before),
        after: roleSnapshot(after),
        reason,
        affected,
      });
      return { role: { ...after, domain }, affected: liveHolders(holders) };
    },
    { isDryRun },
  );
}
