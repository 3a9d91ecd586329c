/** Reads what an index in memory holds of the registry: everything in pieces, or the records that changed. */
import { and, asc, eq, gt, isNotNull, isNull, ne, or, type SQL, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { JwkSet } from '../../federation/jwk-set.ts';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { apiResources } from '../../storage/schema/api-resources.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { enforcementPoints } from '../../storage/schema/enforcement-points.ts';
import { entities } from '../../storage/schema/entities.ts';
import { entityExceptions } from '../../storage/schema/entity-exceptions.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';
import { tokenIssuers } from '../../storage/schema/token-issuers.ts';
import { trustListEntries } from '../../storage/schema/trust-list-entries.ts';
import { numericDate } from '../roles/given-roles.ts';
import { certifiedKeysOf, type RegisteredKeyRow } from './certified-keys.ts';
import { judgeCertifiedKeys } from './judge-certified-keys.ts';
import type {
  KnownApi,
  KnownApplication,
  KnownAuthority,
  KnownAuthorizationServer,
  KnownCertificate,
  KnownEnforcementPoint,
  KnownException,
  KnownOrganisation,
  KnownRole,
  KnownRoleAssignment,
  KnownTokenIssuer,
  KnownTrustListEntry,
} from './known-participants.ts';

/** The records of these ids that are there; without ids a piece of all of them, in the order of their ids. */
export type Selection = { ids: readonly string[] } | { after: string | undefined };

/** Records read at a time where all are read. */
export const PIECE = 5_000;

function selected(id: AnyPgColumn, selection: Selection, condition?: SQL): SQL | undefined {
  if ('ids' in selection) return and(isAnyOf(id, selection.ids), condition);
  return and(selection.after === undefined ? undefined : gt(id, selection.after), condition);
}

function limitOf(selection: Selection): number {
  return 'ids' in selection ? Math.max(1, selection.ids.length) : PIECE;
}

export async function readKnownAuthorities(db: Db | Tx, selection: Selection): Promise<KnownAuthority[]> {
  return await db
    .select({ id: authorities.id, listedPurposes: authorities.listedPurposes })
    .from(authorities)
    .where(selected(authorities.id, selection))
    .orderBy(asc(authorities.id))
    .limit(limitOf(selection));
}

export async function readKnownOrganisations(db: Db | Tx, selection: Selection): Promise<KnownOrganisation[]> {
  return await db
    .select({ id: organisations.id, legalName: organisations.legalName, state: organisations.state })
    .from(organisations)
    .where(selected(organisations.id, selection))
    .orderBy(asc(organisations.id))
    .limit(limitOf(selection));
}

export async function readKnownApplications(db: Db | Tx, selection: Selection): Promise<KnownApplication[]> {
  const rows = await db
    .select({
      id: entities.id,
      authorityId: entities.authorityId,
      organisationId: entities.organisationId,
      entityIdentifier: entities.entityIdentifier,
      name: entities.name,
      mode: entities.mode,
      environment: entities.environment,
      state: entities.state,
      onBehalfOf: entities.onBehalfOf,
      // By their names: of one table, drizzle writes columns without.
      roleAssignmentIds: sql<string[]>`coalesce((
        select json_agg(given.role_assignment_id order by given.role_assignment_id)
        from entity_role_assignments given
        where given.entity_id = entities.id and given.state = 'active'), '[]')`,
      certifiedKeys: sql<RegisteredKeyRow[]>`coalesce((
        select json_agg(json_build_object('publicJwk', key.public_jwk,
          'expiresAt', extract(epoch from key.expires_at)))
        from entity_keys key
        where key.entity_id = entities.id and key.removed_at is null and key.compromised_at is null
          and key.public_jwk ? 'x5c'), '[]')`,
    })
    .from(entities)
    .where(selected(entities.id, selection))
    .orderBy(asc(entities.id))
    .limit(limitOf(selection));
  const read = rows.map((row) => ({ ...row, certifiedKeys: certifiedKeysOf(row.certifiedKeys) }));
  return await judgeCertifiedKeys(db, read);
}

export async function readKnownRoles(db: Db | Tx, selection: Selection): Promise<KnownRole[]> {
  return await db
    .select({ id: roles.id, name: roles.name, isRetired: sql<boolean>`${roles.state} = 'retired'` })
    .from(roles)
    .where(selected(roles.id, selection))
    .orderBy(asc(roles.id))
    .limit(limitOf(selection));
}

export async function readKnownRoleAssignments(db: Db | Tx, selection: Selection): Promise<KnownRoleAssignment[]> {
  const rows = await db
    .select({
      id: roleAssignments.id,
      roleId: roleAssignments.roleId,
      isRemoved: sql<boolean>`${roleAssignments.state} = 'removed'`,
      jurisdictions: roleAssignments.jurisdictions,
      validFrom: roleAssignments.validFrom,
      validTo: roleAssignments.validTo,
    })
    .from(roleAssignments)
    .where(selected(roleAssignments.id, selection))
    .orderBy(asc(roleAssignments.id))
    .limit(limitOf(selection));
  return rows.map((row) => ({
    ...row,
    validFrom: numericDate(row.validFrom),
    validTo: numericDate(row.validTo),
  }));
}

/** Approved ones alone: nobody is let off anything by a request. */
export async function readKnownExceptions(db: Db | Tx, selection: Selection): Promise<KnownException[]> {
  const rows = await db
    .select({
      id: entityExceptions.id,
      applicationId: entityExceptions.entityId,
      kind: entityExceptions.kind,
      endsAt: entityExceptions.endsAt,
    })
    .from(entityExceptions)
    .where(selected(entityExceptions.id, selection, eq(entityExceptions.state, 'approved')))
    .orderBy(asc(entityExceptions.id))
    .limit(limitOf(selection));
  return rows.map((row) => ({ ...row, endsAt: Math.floor(row.endsAt.getTime() / 1000) }));
}

const TRANSPORT_CERTIFICATE = and(
  eq(credentials.usage, 'transport'),
  eq(credentials.kind, 'x509'),
  isNotNull(credentials.x5tS256),
);

/** Transport certificates, ended ones too: who shows one is told why it counts no longer. */
export async function readKnownCertificates(db: Db | Tx, selection: Selection): Promise<KnownCertificate[]> {
  const rows = await db
    .select({
      id: credentials.id,
      applicationId: credentials.entityId,
      x5tS256: credentials.x5tS256,
      state: credentials.state,
      notBefore: credentials.notBefore,
      notAfter: credentials.notAfter,
      supersededAt: credentials.supersededAt,
      path: credentials.path,
    })
    .from(credentials)
    .where(selected(credentials.id, selection, TRANSPORT_CERTIFICATE))
    .orderBy(asc(credentials.id))
    .limit(limitOf(selection));
  return rows.flatMap(({ id, applicationId, x5tS256, path, state, ...dates }) => {
    if (x5tS256 === null) return [];
    const notBefore = dates.notBefore === null ? null : Math.ceil(dates.notBefore.getTime() / 1000);
    const [notAfter, supersededAt] = [numericDate(dates.notAfter), numericDate(dates.supersededAt)];
    return [{ id, applicationId, x5tS256, life: { state, notBefore, notAfter, supersededAt }, path }];
  });
}

/** The keys of these credentials and of all credentials of these entities. */
export async function readCredentialKeys(
  db: Db | Tx,
  credentialIds: readonly string[],
  entityIds: readonly string[],
): Promise<string[]> {
  const rows = await db
    .selectDistinct({ spkiSha256: credentials.spkiSha256 })
    .from(credentials)
    .where(or(isAnyOf(credentials.id, credentialIds), isAnyOf(credentials.entityId, entityIds)));
  return rows.map(({ spkiSha256 }) => spkiSha256);
}

/** Those that are on the list now. */
export async function readKnownTrustListEntries(db: Db | Tx, selection: Selection): Promise<KnownTrustListEntry[]> {
  const rows = await db
    .select({
      id: trustListEntries.id,
      authorityId: trustListEntries.authorityId,
      purpose: trustListEntries.purpose,
      certificate: trustListEntries.certificate,
      x5tS256: trustListEntries.x5tS256,
      notBefore: trustListEntries.notBefore,
      notAfter: trustListEntries.notAfter,
    })
    .from(trustListEntries)
    .where(selected(trustListEntries.id, selection, isNull(trustListEntries.removedAt)))
    .orderBy(asc(trustListEntries.id))
    .limit(limitOf(selection));
  return rows.map((row) => ({
    ...row,
    notBefore: Math.ceil(row.notBefore.getTime() / 1000),
    notAfter: Math.floor(row.notAfter.getTime() / 1000),
  }));
}

/** Those that were not removed. */
export async function readKnownApis(db: Db | Tx, selection: Selection): Promise<KnownApi[]> {
  const rows = await db
    .select({
      id: apiResources.id,
      authorityId: apiResources.authorityId,
      family: apiResources.family,
      apiVersion: apiResources.apiVersion,
      roleIds: apiResources.requiredRoles,
      audience: apiResources.audience,
      authorizationServerId: apiResources.authorizationServerId,
      retiresAt: apiResources.retiresAt,
    })
    .from(apiResources)
    .where(selected(apiResources.id, selection, isNull(apiResources.removedAt)))
    .orderBy(asc(apiResources.id))
    .limit(limitOf(selection));
  return rows.map((row) => ({ ...row, retiresAt: numericDate(row.retiresAt) }));
}

/** Those that were not removed. */
export async function readKnownAuthorizationServers(
  db: Db | Tx,
  selection: Selection,
): Promise<KnownAuthorizationServer[]> {
  const rows = await db
    .select({
      id: authorizationServers.id,
      issuer: authorizationServers.issuer,
      retiresAt: authorizationServers.retiresAt,
    })
    .from(authorizationServers)
    .where(selected(authorizationServers.id, selection, isNull(authorizationServers.removedAt)))
    .orderBy(asc(authorizationServers.id))
    .limit(limitOf(selection));
  return rows.map((row) => ({ ...row, retiresAt: numericDate(row.retiresAt) }));
}

/** Those that were not removed. */
export async function readKnownEnforcementPoints(db: Db | Tx, selection: Selection): Promise<KnownEnforcementPoint[]> {
  return await db
    .select({
      id: enforcementPoints.id,
      name: enforcementPoints.name,
      authorityId: enforcementPoints.authorityId,
      mode: enforcementPoints.mode,
      environment: enforcementPoints.environment,
      apiId: enforcementPoints.apiId,
      maxStalenessSeconds: enforcementPoints.maxStalenessSeconds,
      isTokenRequired: enforcementPoints.isTokenRequired,
      certificateHeader: enforcementPoints.certificateHeader,
      tokenDigest: enforcementPoints.tokenDigest,
      clientX5tS256: enforcementPoints.clientX5tS256,
      allowSample: enforcementPoints.allowSample,
      state: enforcementPoints.state,
    })
    .from(enforcementPoints)
    .where(selected(enforcementPoints.id, selection, ne(enforcementPoints.state, 'removed')))
    .orderBy(asc(enforcementPoints.id))
    .limit(limitOf(selection));
}

/** Those that were not removed. */
export async function readKnownTokenIssuers(db: Db | Tx, selection: Selection): Promise<KnownTokenIssuer[]> {
  const rows = await db
    .select({
      id: tokenIssuers.id,
      authorityId: tokenIssuers.authorityId,
      issuer: tokenIssuers.issuer,
      audiences: tokenIssuers.audiences,
      jwks: tokenIssuers.jwks,
      jwksUri: tokenIssuers.jwksUri,
      introspection: tokenIssuers.introspection,
      sealedSecret: tokenIssuers.sealedSecret,
      acceptsUntypedTokens: tokenIssuers.acceptsUntypedTokens,
    })
    .from(tokenIssuers)
    .where(selected(tokenIssuers.id, selection, eq(tokenIssuers.state, 'active')))
    .orderBy(asc(tokenIssuers.id))
    .limit(limitOf(selection));
  return rows.map(({ jwks, ...row }) => ({ ...row, jwks: jwks as JwkSet | null }));
}
