/** What anybody may look up of organisations: whoever was ever let in, by what one knows of them. */
import { and, asc, eq, gt, inArray, isNull, or, type SQL, sql } from 'drizzle-orm';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db } from '../../storage/connect.ts';
import { authorisationDomains } from '../../storage/schema/authorisation-domains.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';
import { PUBLISHED_STATUSES, type PublishedStatus } from '../events/published-status.ts';
import { plainly, type Registration, registrationOf } from '../organisations/registration.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';
import { RegistryError } from '../registry-error.ts';

export interface PublicOrganisation {
  id: string;
  authority: { id: string; entityIdentifier: string };
  legalName: string;
  registration: Registration | null;
  parentId: string | null;
  status: PublishedStatus;
  /** Held at this moment; none of whoever is not active. */
  roles: { roleId: string; name: string; domain: string }[];
}

export interface PublicOrganisationFilter {
  status: PublishedStatus;
  /** Its id or its Entity Identifier. */
  authority?: string | undefined;
  /** A role held now, by its id or its name. */
  role?: string | undefined;
  /** Part of the name, in whatever case. */
  q?: string | undefined;
  /** In any spelling that counts as the same. */
  registrationNumber?: string | undefined;
}

/** Shorter texts are not found by the index. */
export const MIN_QUERY_LENGTH = 3;

/** In the order of their ids: whoever comes meanwhile is on the last page. @throws RegistryError validation_failed */
export async function findPublicOrganisations(
  db: Db,
  filter: PublicOrganisationFilter,
  request: PageRequest,
  now: Date,
): Promise<Page<PublicOrganisation>> {
  const after = cursorId(request);
  const found = await selected(
    db,
    and(isWanted(filter, now), after === undefined ? undefined : gt(organisations.id, after)),
    request.limit + 1,
  );
  const { items, ...rest } = pageOf(found, request);
  return { items: await withRoles(db, items, now), ...rest };
}

/** @throws RegistryError not_found, also for who was never let in */
export async function readPublicOrganisation(db: Db, id: string, now: Date): Promise<PublicOrganisation> {
  const isPublic = and(eq(organisations.id, id), inArray(organisations.state, [...PUBLISHED_STATUSES]));
  const found = isRecordId(id) ? await withRoles(db, await selected(db, isPublic, 1), now) : [];
  const [organisation] = found;
  if (organisation === undefined) throw new RegistryError('not_found', 'no organisation has such an id');
  return organisation;
}

function isWanted({ status, authority, role, q, registrationNumber }: PublicOrganisationFilter, now: Date) {
  return and(
    eq(organisations.state, status),
    authority === undefined
      ? undefined
      : isRecordId(authority)
        ? eq(organisations.authorityId, authority)
        : eq(authorities.entityIdentifier, authority),
    role === undefined ? undefined : holds(role, now),
    q === undefined ? undefined : isNamed(q),
    registrationNumber === undefined
      ? undefined
      : sql`lower(${organisations.registrationNumber}) = lower(${plainly(registrationNumber)})`,
  );
}

function isNamed(text: string): SQL {
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
  return sql`(search_grams(lower(${organisations.legalName})) @> search_grams(lower(${text}))
    and lower(${organisations.legalName}) like lower(${pattern}))`;
}

/** Dates act by the clock, which counts whole seconds. */
function isHeld(now: Date): SQL | undefined {
  const { state, validFrom, validTo } = roleAssignments;
  const moment = sql`${now.toISOString()}::timestamptz`;
  return and(
    eq(state, 'active'),
    eq(roles.state, 'active'),
    or(isNull(validFrom), sql`date_trunc('second', ${validFrom}) <= ${moment}`),
    or(isNull(validTo), sql`date_trunc('second', ${validTo}) > ${moment}`),
  );
}

function holds(role: string, now: Date): SQL {
  const isRole = isRecordId(role) ? eq(roles.id, role) : eq(roles.name, role);
  return sql`exists (select 1 from ${roleAssignments} join ${roles} on ${roles.id} = ${roleAssignments.roleId}
    where ${roleAssignments.organisationId} = ${organisations.id} and ${and(isRole, isHeld(now))})`;
}

async function selected(db: Db, isShown: SQL | undefined, limit: number) {
  return await db
    .select({
      id: organisations.id,
      authorityId: organisations.authorityId,
      entityIdentifier: authorities.entityIdentifier,
      legalName: organisations.legalName,
      registrationNumber: organisations.registrationNumber,
      registrationRegister: organisations.registrationRegister,
      registrationCountry: organisations.registrationCountry,
      parentId: organisations.parentId,
      state: organisations.state,
    })
    .from(organisations)
    .innerJoin(authorities, eq(authorities.id, organisations.authorityId))
    .where(isShown)
    .orderBy(asc(organisations.id))
    .limit(limit);
}

async function withRoles(db: Db, rows: Awaited<ReturnType<typeof selected>>, now: Date): Promise<PublicOrganisation[]> {
  const active = rows.filter(({ state }) => state === 'active').map(({ id }) => id);
  const held = active.length === 0 ? new Map() : await heldRoles(db, active, now);
  return rows.map(({ authorityId, entityIdentifier, state, ...row }) => ({
    id: row.id,
    authority: { id: authorityId, entityIdentifier },
    legalName: row.legalName,
    registration: registrationOf(row),
    parentId: row.parentId,
    // The condition of the query.
    status: state as PublishedStatus,
    roles: held.get(row.id) ?? [],
  }));
}

async function heldRoles(db: Db, ids: readonly string[], now: Date): Promise<Map<string, PublicOrganisation['roles']>> {
  const rows = await db
    .select({
      organisationId: roleAssignments.organisationId,
      roleId: roles.id,
      name: roles.name,
      domain: authorisationDomains.name,
    })
    .from(roleAssignments)
    .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
    .innerJoin(authorisationDomains, eq(authorisationDomains.id, roles.domainId))
    .where(and(isAnyOf(roleAssignments.organisationId, ids), isHeld(now)))
    .orderBy(asc(roleAssignments.id));
  const held = new Map<string, PublicOrganisation['roles']>();
  for (const { organisationId, ...role } of rows) held.set(organisationId, [...(held.get(organisationId) ?? []), role]);
  return held;
}
