/** Roles in tests: authorisation domains, roles, and whom they are given to. */
import type { Authority } from '../../src/registry/authorities/authority.ts';
import type { Organisation } from '../../src/registry/organisations/organisation.ts';
import { addAuthorisationDomain } from '../../src/registry/roles/add-authorisation-domain.ts';
import { addRole, type NewRole } from '../../src/registry/roles/add-role.ts';
import { assignRole } from '../../src/registry/roles/assign-role.ts';
import type { AuthorisationDomain } from '../../src/registry/roles/authorisation-domain.ts';
import { giveRole } from '../../src/registry/roles/give-role.ts';
import type { Role } from '../../src/registry/roles/role.ts';
import type { RoleAssignment, RoleAssignmentFields } from '../../src/registry/roles/role-assignment.ts';
import { freshIdentifier, type TestRegistry } from './registry.ts';

export async function authorisationDomain(
  registry: TestRegistry,
  { id }: Pick<Authority, 'id'>,
): Promise<AuthorisationDomain> {
  return await addAuthorisationDomain(registry.context(), id, { name: freshIdentifier('domain') });
}

/** A role in a domain of its own, unless told otherwise. */
export async function role(
  registry: TestRegistry,
  authority: Pick<Authority, 'id'>,
  settings: Partial<NewRole> = {},
): Promise<Role> {
  const domainId = settings.domainId ?? (await authorisationDomain(registry, authority)).id;
  return await addRole(registry.context(), { name: 'PISP', ...settings, domainId });
}

/** The organisation's, of the role or of a new one. */
export async function assignedRole(
  registry: TestRegistry,
  organisation: Pick<Organisation, 'id' | 'authorityId'>,
  { id: roleId, ...settings }: Partial<RoleAssignmentFields> & { id?: string } = {},
): Promise<RoleAssignment> {
  const given = roleId ?? (await role(registry, { id: organisation.authorityId })).id;
  return await assignRole(registry.context(), organisation.id, { roleId: given, ...settings });
}

/** A policy that sets one parameter of Relying Parties. */
export function policyOf(operators: Record<string, unknown>, parameter = 'grade'): NewRole['metadataPolicy'] {
  return { openid_relying_party: { [parameter]: operators } } as NewRole['metadataPolicy'];
}

/** A role of an entity of a new organisation, and where it is. */
export async function givenRole(
  registry: TestRegistry,
  authority: Authority,
): Promise<{ id: string; entityId: string; organisationId: string; roleAssignmentId: string }> {
  const organisation = await registry.organisation(authority);
  const { id: roleAssignmentId, roleId } = await assignedRole(registry, organisation);
  const { id: entityId } = await registry.entity(organisation);
  const { entityRoleId } = await giveRole(registry.context(), entityId, roleId);
  return { id: entityRoleId ?? '', entityId, organisationId: organisation.id, roleAssignmentId };
}
