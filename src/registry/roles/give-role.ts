/** Gives an entity a role that its organisation has. */
import { and, eq } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { entities } from '../../storage/schema/entities.ts';
import { entityRoleAssignments, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { mergedPolicy } from '../claims-input.ts';
import type { EntityRow } from '../entities/entity.ts';
import { lockOpenEntity } from '../entities/lock-entity.ts';
import { RegistryError } from '../registry-error.ts';
import { entityRoleSnapshot, requireEntity } from './entity-role.ts';
import { type GivenRole, givenRolesOf } from './given-roles.ts';
import { type AddedRole, insertEntityRoles } from './insert-entity-roles.ts';
import { holdRoles } from './role.ts';
import type { RoleChangeOptions } from './update-role.ts';

/** What the entity's roles come to. */
export interface EntityRoles {
  /** Of what was given or taken; null where nothing was given yet. */
  entityRoleId: string | null;
  /** Of its record. */
  version: number;
  /** In the order in which their policies are merged. */
  roles: GivenRole[];
  /** What its Subordinate Statement says once each of them counts. */
  metadataPolicy: JsonObject;
}

/**
 * Its Subordinate Statement follows at once. Of a role that it has already nothing changes.
 * @param options.expectedVersion of the entity's record
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when the record is closed,
 *   role_retired, role_not_held, four_eyes, validation_failed, policy_conflict
 */
export async function giveRole(
  context: ChangeContext,
  entityId: string,
  roleId: string,
  { expectedVersion, isDryRun }: RoleChangeOptions = {},
): Promise<EntityRoles> {
  const { authorityId, organisationId } = await requireEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.giveEntityRole.roles, authorityId, organisationId, entityId);
  return await changeRegistry(
    context,
    async (tx, record) => {
      const roles = await holdRoles(tx, authorityId, [roleId]);
      const entity = await lockOpenEntity(tx, entityId);
      requireVersion(entity, expectedVersion);
      const before = await givenRolesOf(tx, entityId);
      const [given] = await insertEntityRoles(tx, context, entity, roles);
      if (given === undefined) return await entityRoles(tx, entity, await entityRoleIdOf(tx, entityId, roleId));
      requireSecondPerson(given, context);
      const after = { ...entity, version: entity.version + 1 };
      await tx.update(entities).set({ version: after.version }).where(eq(entities.id, entityId));
      const come = await entityRoles(tx, after, isDryRun === true ? null : given.added.id);
      record({
        action: 'entity.give_role',
        authorityId,
        subjectKind: 'entity',
        subjectId: entityId,
        before: { rolePolicies: policiesOf(before) },
        after: {
          ...entityRoleSnapshot(given.added, given.role, entity.entityIdentifier),
          rolePolicies: policiesOf(come.roles),
        },
      });
      return come;
    },
    { isDryRun },
  );
}

/** An enrolment counts who approves the role; here it must not come from one person alone. @throws RegistryError four_eyes */
function requireSecondPerson({ role, assignment }: AddedRole, { actor }: Pick<ChangeContext, 'actor'>): void {
  if (role.approvals === 1 || actor.id !== assignment.assignedBy) return;
  const message = `the role ${role.name} asks for two people: who assigned it to the organisation cannot give it to an entity`;
  throw new RegistryError('four_eyes', message);
}

/** As things stand in the transaction. */
export async function entityRoles(tx: Tx, entity: EntityRow, entityRoleId: string | null): Promise<EntityRoles> {
  const [authority] = await tx
    .select({ defaultMetadataPolicy: authorities.defaultMetadataPolicy })
    .from(authorities)
    .where(eq(authorities.id, entity.authorityId));
  const roles = await givenRolesOf(tx, entity.id);
  const authorityDefault = authority?.defaultMetadataPolicy ?? {};
  const policies = { authorityDefault, roles, own: entity.metadataPolicy };
  const metadataPolicy = mergedPolicy(policies, entity.entityIdentifier);
  return { entityRoleId, version: entity.version, roles, metadataPolicy };
}

async function entityRoleIdOf(tx: Tx, entityId: string, roleId: string): Promise<string | null> {
  const [found] = await tx
    .select({ id: entityRoleAssignments.id })
    .from(entityRoleAssignments)
    .innerJoin(roleAssignments, eq(roleAssignments.id, entityRoleAssignments.roleAssignmentId))
    .where(
      and(
        eq(entityRoleAssignments.entityId, entityId),
        eq(roleAssignments.roleId, roleId),
        eq(entityRoleAssignments.state, 'active'),
      ),
    );
  return found?.id ?? null;
}

/** As the audit keeps them: the history of the entity tells by them that what is said about it changed. */
export function policiesOf(given: readonly GivenRole[]): JsonObject[] {
  return given.map(({ name, metadataPolicy }) => ({ role: name, metadataPolicy }));
}
