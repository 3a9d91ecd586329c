/** Takes a role from an entity. */
import { eq } from 'drizzle-orm';
import { entities } from '../../storage/schema/entities.ts';
import { entityRoleAssignments } from '../../storage/schema/role-assignments.ts';
import { ACCESS } from '../access.ts';
import { authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { lockOpenEntity } from '../entities/lock-entity.ts';
import { RegistryError } from '../registry-error.ts';
import { entityRoleSnapshot, readEntityRole, requireEntity } from './entity-role.ts';
import { type EntityRoles, entityRoles, policiesOf } from './give-role.ts';
import { givenRolesOf } from './given-roles.ts';
import type { RoleChangeOptions } from './update-role.ts';

/**
 * Its Subordinate Statement follows at once.
 * @param options.expectedVersion of the entity's record
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when the record is closed, or the
 *   role was taken already
 */
export async function takeRole(
  context: ChangeContext,
  entityId: string,
  entityRoleId: string,
  reason: string,
  { expectedVersion, isDryRun }: RoleChangeOptions = {},
): Promise<EntityRoles> {
  const { authorityId, organisationId } = await requireEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.takeEntityRole.roles, authorityId, organisationId, entityId);
  const { role } = await readEntityRole(context.db, context.actor, entityId, entityRoleId);
  return await changeRegistry(
    context,
    async (tx, record) => {
      const entity = await lockOpenEntity(tx, entityId);
      requireVersion(entity, expectedVersion);
      const [taken] = await tx.select().from(entityRoleAssignments).where(eq(entityRoleAssignments.id, entityRoleId));
      if (taken === undefined) throw notFound('role of the entity', entityRoleId);
      if (taken.state === 'removed') {
        throw new RegistryError('illegal_transition', 'the role was taken already', { from: taken.state, allowed: [] });
      }
      const before = await givenRolesOf(tx, entityId);
      const moved = { state: 'removed' as const, stateReason: reason, stateChangedAt: context.now };
      const after = { ...taken, ...moved, version: taken.version + 1 };
      await tx.update(entityRoleAssignments).set(after).where(eq(entityRoleAssignments.id, entityRoleId));
      const changed = { ...entity, version: entity.version + 1 };
      await tx.update(entities).set({ version: changed.version }).where(eq(entities.id, entityId));
      const come = await entityRoles(tx, changed, entityRoleId);
      record({
        action: 'entity.take_role',
        authorityId,
        subjectKind: 'entity',
        subjectId: entityId,
        before: { ...entityRoleSnapshot(taken, role, entity.entityIdentifier), rolePolicies: policiesOf(before) },
        after: { ...entityRoleSnapshot(after, role, entity.entityIdentifier), rolePolicies: policiesOf(come.roles) },
        reason,
      });
      return come;
    },
    { isDryRun },
  );
}
