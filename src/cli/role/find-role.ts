/** Finds the authorisation domain or role that a person means. */
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { only } from '../find-record.ts';
import {
  type DomainRecord,
  domainSchema,
  type EntityRoleRecord,
  entityRoleSchema,
  type OrganisationRoleRecord,
  organisationRoleSchema,
  type RoleRecord,
  roleSchema,
} from './role-records.ts';

const EVERYTHING = { limit: Number.POSITIVE_INFINITY };

/** @param given id, or name @throws CommandError refused, usage */
export async function findDomain(client: ApiClient, given: string, authorityId?: string): Promise<DomainRecord> {
  const path = 'authorisation-domains';
  if (isRecordId(given)) return await client.send({ method: 'GET', path: `${path}/${given}` }, domainSchema);
  const { items } = await client.list(path, { name: given, authorityId }, domainSchema, EVERYTHING);
  return only(items, 'role domain', given);
}

/** @param given id, name, or domain and name such as `Open Banking/PISP` @throws CommandError refused, usage */
export async function findRole(client: ApiClient, given: string, authorityId?: string): Promise<RoleRecord> {
  if (isRecordId(given)) return await client.send({ method: 'GET', path: `roles/${given}` }, roleSchema);
  const { items } = await client.list('roles', { authorityId }, roleSchema, EVERYTHING);
  const wanted = given.toLowerCase();
  const meant = items.filter(({ domain, name }) =>
    [name, `${domain}/${name}`].some((spelling) => spelling.toLowerCase() === wanted),
  );
  const named = meant.map((role) => ({ role, id: role.id, name: `${role.domain}/${role.name}`, state: role.state }));
  return only(named, 'role', given).role;
}

/** The one assignment of the role to the organisation that was not removed. @throws CommandError refused */
export async function findOrganisationRole(
  client: ApiClient,
  organisation: { id: string; legalName: string },
  role: RoleRecord,
): Promise<OrganisationRoleRecord> {
  const path = `organisations/${organisation.id}/roles`;
  const { items } = await client.list(path, { roleId: role.id }, organisationRoleSchema, EVERYTHING);
  return only(items, 'role', `${role.name} of ${organisation.legalName}`);
}

/** The role as the entity has it now, or as it is locked. @throws CommandError refused */
export async function findEntityRole(
  client: ApiClient,
  entity: { id: string; entityIdentifier: string },
  role: RoleRecord,
): Promise<EntityRoleRecord> {
  const { items } = await client.list(`entities/${entity.id}/roles`, {}, entityRoleSchema, EVERYTHING);
  const its = items.filter(({ roleId }) => roleId === role.id);
  const given = its.filter(({ state }) => state !== 'locked');
  return only(given.length > 0 ? given : its.slice(-1), 'role', `${role.name} of ${entity.entityIdentifier}`);
}
