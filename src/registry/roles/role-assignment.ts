/** Roles of organisations as records. */
import { and, asc, eq, gt, inArray, type SQL } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorisationDomains } from '../../storage/schema/authorisation-domains.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { type RecordedRoleState, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { isCountryCode } from '../organisations/countries.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { type GivenRole, inRoleOrder, isWithinValidity, numericDate } from './given-roles.ts';
import { type RoleRow, readRolesOf } from './role.ts';

export type RoleAssignmentRow = typeof roleAssignments.$inferSelect;

/** With what people know the role by. */
export interface RoleAssignment extends RoleAssignmentRow {
  role: Pick<RoleRow, 'name' | 'state' | 'scopes' | 'grantTypes'>;
  domain: string;
}

export interface RoleAssignmentFields {
  registrationId: string | null;
  jurisdictions: string[];
  validFrom: Date | null;
  validTo: Date | null;
}

/** By the record and the clock: only an active one is held. */
export const ASSIGNMENT_STATES = ['active', 'upcoming', 'ended', 'retired', 'removed'] as const;

export type AssignmentState = (typeof ASSIGNMENT_STATES)[number];

/** What the assignment is worth at this moment. */
export function assignmentState(
  { state, validFrom, validTo }: Pick<RoleAssignmentRow, 'state' | 'validFrom' | 'validTo'>,
  role: Pick<RoleRow, 'state'>,
  now: Date,
): AssignmentState {
  if (state === 'removed') return 'removed';
  if (role.state === 'retired') return 'retired';
  return datedState({ validFrom, validTo }, now);
}

/** By its dates alone. */
export function datedState(
  { validFrom, validTo }: Pick<RoleAssignmentRow, 'validFrom' | 'validTo'>,
  now: Date,
): RecordedRoleState {
  const validity = { validFrom: numericDate(validFrom), validTo: numericDate(validTo) };
  const seconds = Math.floor(now.getTime() / 1000);
  if (isWithinValidity(validity, seconds)) return 'active';
  return validity.validFrom !== null && seconds < validity.validFrom ? 'upcoming' : 'ended';
}

/** @throws RegistryError validation_failed */
export function requireValidAssignment({ jurisdictions, validFrom, validTo }: RoleAssignmentFields): void {
  const unknown = jurisdictions.findIndex((code) => !isCountryCode(code));
  if (unknown !== -1) throw invalidField(`/jurisdictions/${unknown}`, 'is no country of ISO 3166-1');
  if (validFrom !== null && validTo !== null && validFrom >= validTo) {
    throw invalidField('/validTo', 'is not after validFrom');
  }
}

export function roleAssignmentSnapshot(
  assignment: RoleAssignmentRow,
  { name: role }: Pick<RoleRow, 'name'>,
): JsonObject {
  const { organisationId, roleId, registrationId, jurisdictions, validFrom, validTo, state, stateReason } = assignment;
  return {
    ...{ organisationId, role, roleId, registrationId, jurisdictions },
    validFrom: validFrom?.toISOString() ?? null,
    validTo: validTo?.toISOString() ?? null,
    state,
    stateReason,
  };
}

/** @throws RegistryError not_found (also when the organisation is out of reach, or another's), role_missing */
export async function readRoleAssignment(
  db: Db | Tx,
  actor: Actor,
  organisationId: string,
  id: string,
): Promise<RoleAssignment> {
  await requireOrganisation(db, actor, organisationId);
  const where = and(eq(roleAssignments.id, id), eq(roleAssignments.organisationId, organisationId));
  const [assignment] = isRecordId(id) ? await select(db, where, 1) : [];
  if (assignment === undefined) throw notFound('role assignment', id);
  return assignment;
}

export interface RoleAssignmentFilter {
  roleId?: string;
  /** As recorded; without it only those that were not removed. */
  isRemoved?: boolean;
}

/** Those of an organisation, oldest first. @throws RegistryError not_found, role_missing */
export async function listRoleAssignments(
  db: Db,
  actor: Actor,
  organisationId: string,
  { roleId, isRemoved = false }: RoleAssignmentFilter,
  request: PageRequest,
): Promise<Page<RoleAssignment>> {
  await requireOrganisation(db, actor, organisationId);
  const after = cursorId(request);
  const where = and(
    eq(roleAssignments.organisationId, organisationId),
    eq(roleAssignments.state, isRemoved ? 'removed' : 'active'),
    roleId === undefined ? undefined : eq(roleAssignments.roleId, roleId),
    after === undefined ? undefined : gt(roleAssignments.id, after),
  );
  return pageOf(await select(db, where, request.limit + 1), request);
}

async function select(db: Db | Tx, where: SQL | undefined, limit: number): Promise<RoleAssignment[]> {
  const { name, state, scopes, grantTypes } = roles;
  const rows = await db
    .select({
      assignment: roleAssignments,
      role: { name, state, scopes, grantTypes },
      domain: authorisationDomains.name,
    })
    .from(roleAssignments)
    .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
    .innerJoin(authorisationDomains, eq(authorisationDomains.id, roles.domainId))
    .where(where)
    .orderBy(asc(roleAssignments.id))
    .limit(limit);
  return rows.map(({ assignment, role, domain }) => ({ ...assignment, role, domain }));
}

/** @returns its authority @throws RegistryError not_found, role_missing */
export async function requireOrganisation(db: Db | Tx, actor: Actor, organisationId: string): Promise<string> {
  requireRole(actor, ACCESS.listOrganisationRoles.roles);
  const [organisation] = isRecordId(organisationId)
    ? await db
        .select({ authorityId: organisations.authorityId })
        .from(organisations)
        .where(eq(organisations.id, organisationId))
    : [];
  if (organisation === undefined || !reaches(actor, organisation.authorityId, organisationId)) {
    throw notFound('organisation', organisationId);
  }
  return organisation.authorityId;
}

/**
 * The assignments by which an organisation holds these roles at this moment. The roles are to be held still already
 * (holdRoles): then the answer holds until the transaction ends.
 * @throws RegistryError role_not_held, naming the first that it does not hold
 */
export async function requireHeld(
  tx: Db | Tx,
  organisationId: string,
  wanted: readonly Pick<RoleRow, 'id' | 'name' | 'state'>[],
  now: Date,
): Promise<RoleAssignmentRow[]> {
  if (wanted.length === 0) return [];
  const ids = wanted.map(({ id }) => id);
  const found = await tx
    .select()
    .from(roleAssignments)
    .where(
      and(
        eq(roleAssignments.organisationId, organisationId),
        inArray(roleAssignments.roleId, ids),
        eq(roleAssignments.state, 'active'),
      ),
    );
  return wanted.map((role) => {
    const assignment = found.find(({ roleId }) => roleId === role.id);
    const state = assignment && assignmentState(assignment, role, now);
    // One that begins later may be given before: it counts from then on.
    if (assignment !== undefined && (state === 'active' || state === 'upcoming')) return assignment;
    const why = state === undefined ? 'does not hold it' : `holds it no longer: it has ${state}`;
    const message = `the role ${role.name} cannot be given: the organisation ${why}`;
    const errors = [{ pointer: '/roleId', detail: `is not held by the organisation` }];
    throw new RegistryError('role_not_held', message, {
      errors,
      role: role.name,
      roleId: role.id,
      organisation: organisationId,
    });
  });
}

/**
 * Roles that an entity of the organisation is to be given, as it would have them.
 * @throws RegistryError not_found, role_retired, role_not_held
 */
export async function rolesToGive(
  db: Db | Tx,
  { authorityId, organisationId }: { authorityId: string; organisationId: string },
  roleIds: readonly string[],
  now: Date,
): Promise<GivenRole[]> {
  const wanted = await readRolesOf(db, authorityId, roleIds);
  const assignments = await requireHeld(db, organisationId, wanted, now);
  const given = wanted.map(({ id, name, metadataPolicy }, index) => {
    const { validFrom = null, validTo = null } = assignments[index] ?? {};
    return { roleId: id, name, metadataPolicy, validFrom: numericDate(validFrom), validTo: numericDate(validTo) };
  });
  return inRoleOrder(given);
}
