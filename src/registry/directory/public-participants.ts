/** What everybody may know of active organisations: who they are, what they run and offer, and which roles they have. */
import { and, asc, eq, isNull, sql } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { apiResources } from '../../storage/schema/api-resources.ts';
import { authorisationDomains } from '../../storage/schema/authorisation-domains.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';

/** An active organisation with all of it that is public. Neither contacts nor reasons, tags nor keys. */
export interface PublicParticipant extends PublicOrganisation {
  /** Active ones, in the order of their ids. */
  applications: PublicApplication[];
  /** Of active applications, not removed; what of them has retired is for the clock to say. */
  servers: PublicServer[];
  /** Held, or to be held by their dates. */
  roles: PublicRole[];
}

type PublicOrganisation = Awaited<ReturnType<typeof readOrganisations>>[number];
export type PublicApplication = Awaited<ReturnType<typeof readApplications>>[number];
export type PublicServer = Awaited<ReturnType<typeof readServers>>[number] & { apis: PublicApi[] };
export type PublicApi = Awaited<ReturnType<typeof readApis>>[number];
export type PublicRole = Awaited<ReturnType<typeof readRoles>>[number];

/**
 * Those of the organisations that are active, in the order of their ids.
 * @param db a transaction, where all of it has to be of one moment
 */
export async function readPublicParticipants(
  db: Db | Tx,
  organisationIds: readonly string[],
): Promise<PublicParticipant[]> {
  const active = await readOrganisations(db, organisationIds);
  const ids = active.map(({ id }) => id);
  if (ids.length === 0) return [];
  // One after the other: of a transaction there is one connection.
  const applications = by('organisationId', await readApplications(db, ids));
  const servers = by('organisationId', await readServers(db, ids));
  const apis = by('authorizationServerId', await readApis(db, ids));
  const held = by('organisationId', await readRoles(db, ids));
  return active.map((organisation) => ({
    ...organisation,
    applications: applications.get(organisation.id) ?? [],
    servers: (servers.get(organisation.id) ?? []).map((server) => ({ ...server, apis: apis.get(server.id) ?? [] })),
    roles: held.get(organisation.id) ?? [],
  }));
}

function by<Key extends string, T extends Record<Key, string>>(key: Key, rows: readonly T[]): Map<string, T[]> {
  return Map.groupBy(rows, (row) => row[key]);
}

async function readOrganisations(db: Db | Tx, ids: readonly string[]) {
  return await db
    .select({
      id: organisations.id,
      authorityId: organisations.authorityId,
      authorityIdentifier: authorities.entityIdentifier,
      authorityName: authorities.name,
      legalName: organisations.legalName,
      registrationNumber: organisations.registrationNumber,
      registrationRegister: organisations.registrationRegister,
      registrationCountry: organisations.registrationCountry,
      parentId: organisations.parentId,
      createdAt: organisations.createdAt,
      stateChangedAt: organisations.stateChangedAt,
    })
    .from(organisations)
    .innerJoin(authorities, eq(authorities.id, organisations.authorityId))
    .where(and(isAnyOf(organisations.id, ids), eq(organisations.state, 'active')))
    .orderBy(asc(organisations.id));
}

async function readApplications(db: Db | Tx, organisationIds: readonly string[]) {
  return await db
    .select({
      id: entities.id,
      organisationId: entities.organisationId,
      entityIdentifier: entities.entityIdentifier,
      name: entities.name,
      mode: entities.mode,
      environment: entities.environment,
      entityTypes: sql<string[]>`coalesce(${entities.verifiedEntityTypes}, ${entities.registeredEntityTypes})`,
      registeredAt: entities.registeredAt,
      // By their names: of one table, drizzle writes columns without.
      roleAssignmentIds: sql<string[]>`coalesce((
        select json_agg(given.role_assignment_id order by given.role_assignment_id)
        from entity_role_assignments given
        where given.entity_id = entities.id and given.state = 'active'), '[]')`,
    })
    .from(entities)
    .where(and(isAnyOf(entities.organisationId, organisationIds), eq(entities.state, 'active')))
    .orderBy(asc(entities.id));
}

async function readServers(db: Db | Tx, organisationIds: readonly string[]) {
  return await db
    .select({
      id: authorizationServers.id,
      organisationId: entities.organisationId,
      applicationId: authorizationServers.entityId,
      issuer: authorizationServers.issuer,
      deprecatedAt: authorizationServers.deprecatedAt,
      retiresAt: authorizationServers.retiresAt,
      supersededBy: authorizationServers.supersededBy,
      createdAt: authorizationServers.createdAt,
    })
    .from(authorizationServers)
    .innerJoin(entities, eq(entities.id, authorizationServers.entityId))
    .where(
      and(
        isAnyOf(entities.organisationId, organisationIds),
        eq(entities.state, 'active'),
        isNull(authorizationServers.removedAt),
      ),
    )
    .orderBy(asc(authorizationServers.id));
}

async function readApis(db: Db | Tx, organisationIds: readonly string[]) {
  return await db
    .select({
      id: apiResources.id,
      authorizationServerId: apiResources.authorizationServerId,
      family: apiResources.family,
      apiVersion: apiResources.apiVersion,
      endpoints: apiResources.endpoints,
      certificationStatus: apiResources.certificationStatus,
      certificationUri: apiResources.certificationUri,
      certificationFrom: apiResources.certificationFrom,
      certificationTo: apiResources.certificationTo,
      deprecatedAt: apiResources.deprecatedAt,
      retiresAt: apiResources.retiresAt,
      supersededBy: apiResources.supersededBy,
    })
    .from(apiResources)
    .innerJoin(authorizationServers, eq(authorizationServers.id, apiResources.authorizationServerId))
    .innerJoin(entities, eq(entities.id, authorizationServers.entityId))
    .where(
      and(
        isAnyOf(entities.organisationId, organisationIds),
        eq(entities.state, 'active'),
        isNull(apiResources.removedAt),
      ),
    )
    .orderBy(asc(apiResources.id));
}

async function readRoles(db: Db | Tx, organisationIds: readonly string[]) {
  return await db
    .select({
      id: roleAssignments.id,
      organisationId: roleAssignments.organisationId,
      roleId: roles.id,
      name: roles.name,
      domainId: authorisationDomains.id,
      domain: authorisationDomains.name,
      registrationId: roleAssignments.registrationId,
      jurisdictions: roleAssignments.jurisdictions,
      validFrom: roleAssignments.validFrom,
      validTo: roleAssignments.validTo,
    })
    .from(roleAssignments)
    .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
    .innerJoin(authorisationDomains, eq(authorisationDomains.id, roles.domainId))
    .where(
      and(
        isAnyOf(roleAssignments.organisationId, organisationIds),
        eq(roleAssignments.state, 'active'),
        eq(roles.state, 'active'),
      ),
    )
    .orderBy(asc(roleAssignments.id));
}
