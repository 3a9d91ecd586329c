/** Reads what an index in memory holds of the registry: everything in pieces, or the records that changed. */
import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { entityExceptions } from '../../storage/schema/entity-exceptions.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';
import { numericDate } from '../roles/given-roles.ts';
import type {
  KnownApplication,
  KnownCertificate,
  KnownException,
  KnownOrganisation,
  KnownRole,
  KnownRoleAssignment,
} from './known-participants.ts';

/** The records of these ids that are there; without ids a piece of all of them, in the order of their ids. */
export type Selection = { ids: readonly string[] } | { after: string | undefined };

/** Records read at a time where all are read. */
const PIECE = 5_000;

function selected(id: AnyPgColumn, selection: Selection, condition?: SQL): SQL | undefined {
  if ('ids' in selection) return and(isAnyOf(id, selection.ids), condition);
  return and(selection.after === undefined ? undefined : gt(id, selection.after), condition);
}

function limitOf(selection: Selection): number {
  return 'ids' in selection ? Math.max(1, selection.ids.length) : PIECE;
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
  return await db
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
    })
    .from(entities)
    .where(selected(entities.id, selection))
    .orderBy(asc(entities.id))
    .limit(limitOf(selection));
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

/**
 * Transport certificates, ended ones too: who shows one is told why it counts no longer.
 * @param isTrusted whether its issuer is on the trust list of its authority, which is not recorded with it
 */
export async function readKnownCertificates(
  db: Db | Tx,
  selection: Selection,
  isTrusted: (certificate: Omit<KnownCertificate, 'isTrusted'>) => boolean,
): Promise<KnownCertificate[]> {
  const rows = await db
    .select({
      id: credentials.id,
      applicationId: credentials.entityId,
      x5tS256: credentials.x5tS256,
      state: credentials.state,
      notBefore: credentials.notBefore,
      notAfter: credentials.notAfter,
      supersededAt: credentials.supersededAt,
    })
    .from(credentials)
    .where(selected(credentials.id, selection, and(eq(credentials.usage, 'transport'), eq(credentials.kind, 'x509'))))
    .orderBy(asc(credentials.id))
    .limit(limitOf(selection));
  return rows.flatMap(({ id, applicationId, x5tS256, ...life }) => {
    if (x5tS256 === null) return [];
    const certificate = { id, applicationId, x5tS256, life };
    return [{ ...certificate, isTrusted: isTrusted(certificate) }];
  });
}
