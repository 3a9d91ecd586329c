/**
 * Roles as records: what organisations and their entities may be, and what that implies.
 *
 * Whoever changes roles takes hold of records in one order: the roles (by id), the entities (by id), then organisation
 * and authority. Who gives a role holds it `for share`; who changes what its holders have, or who they are, alone.
 */
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorisationDomains } from '../../storage/schema/authorisation-domains.ts';
import { roles } from '../../storage/schema/roles.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { inputPolicy } from '../claims-input.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';

export type RoleRow = typeof roles.$inferSelect;

/** A role with the name of its domain, as people know it. */
export interface Role extends RoleRow {
  domain: string;
}

export interface RoleFields {
  name: string;
  description: string | null;
  scopes: string[];
  grantTypes: string[];
  /** null: any. */
  entityType: string | null;
  metadataPolicy: JsonObject;
  trustMarkTypes: string[];
  approvals: 1 | 2;
}

export function roleSnapshot(role: RoleRow): JsonObject {
  const { domainId, name, description, scopes, grantTypes, entityType } = role;
  const { metadataPolicy, trustMarkTypes, approvals, state } = role;
  return {
    ...{ domainId, name, description, scopes, grantTypes, entityType },
    ...{ metadataPolicy, trustMarkTypes, approvals, state },
  };
}

/** @throws RegistryError validation_failed */
export function requireValidRole({ metadataPolicy }: RoleFields): void {
  inputPolicy(metadataPolicy, '/metadataPolicy');
}

/** @throws RegistryError role_exists */
export async function withUniqueRoleName(name: string, write: () => PromiseLike<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isUniqueViolation(error, 'roles_name')) throw error;
    const message = `this authorisation domain has a role called ${name} already; change it, or reinstate it`;
    throw new RegistryError('role_exists', message, {}, { cause: error });
  }
}

/** @throws RegistryError not_found (also when it belongs to an authority out of reach), role_missing */
export async function readRole(db: Db | Tx, actor: Actor, id: string): Promise<Role> {
  requireRole(actor, ACCESS.readRole.roles);
  const [role] = isRecordId(id) ? await selectRoles(db).where(eq(roles.id, id)) : [];
  if (role === undefined || !reaches(actor, role.role.authorityId)) throw notFound('role', id);
  return { ...role.role, domain: role.domain };
}

export interface RoleFilter {
  authorityId?: string;
  domainId?: string;
  name?: string;
  state?: RoleRow['state'];
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listRoles(db: Db, actor: Actor, filter: RoleFilter, request: PageRequest): Promise<Page<Role>> {
  const { authorityId, domainId, name, state } = filter;
  const reached = inReach(actor, ACCESS.listRoles.roles, { authority: roles.authorityId }, authorityId);
  const after = cursorId(request);
  const rows = await selectRoles(db)
    .where(
      and(
        reached,
        domainId === undefined ? undefined : eq(roles.domainId, domainId),
        name === undefined ? undefined : eq(sql`lower(${roles.name})`, name.toLowerCase()),
        state === undefined ? undefined : eq(roles.state, state),
        after === undefined ? undefined : gt(roles.id, after),
      ),
    )
    .orderBy(asc(roles.id))
    .limit(request.limit + 1);
  return pageOf(
    rows.map(({ role, domain }) => ({ ...role, domain })),
    request,
  );
}

function selectRoles(db: Db | Tx) {
  return db
    .select({ role: roles, domain: authorisationDomains.name })
    .from(roles)
    .innerJoin(authorisationDomains, eq(authorisationDomains.id, roles.domainId));
}

/** Takes hold of a role to change it or who holds it: nobody gives it to anybody meanwhile. @throws RegistryError not_found */
export async function lockRole(tx: Tx, id: string): Promise<RoleRow> {
  const [role] = await tx.select().from(roles).where(eq(roles.id, id)).for('update');
  if (role === undefined) throw notFound('role', id);
  return role;
}

/**
 * Takes hold of roles to give them: nobody changes or takes them away meanwhile.
 * @throws RegistryError not_found when one is none of the authority, role_retired
 */
export async function holdRoles(tx: Tx, authorityId: string, ids: readonly string[]): Promise<RoleRow[]> {
  if (ids.length === 0) return [];
  return requireGivable(await rolesIn(tx, authorityId, ids).for('share'), ids);
}

/** The same without holding them. @throws RegistryError not_found, role_retired */
export async function readRolesOf(db: Db | Tx, authorityId: string, ids: readonly string[]): Promise<RoleRow[]> {
  return ids.length === 0 ? [] : requireGivable(await rolesIn(db, authorityId, ids), ids);
}

function rolesIn(db: Db | Tx, authorityId: string, ids: readonly string[]) {
  const known = ids.filter(isRecordId);
  return db
    .select()
    .from(roles)
    .where(and(inArray(roles.id, known), eq(roles.authorityId, authorityId)))
    .orderBy(asc(roles.id));
}

function requireGivable(found: RoleRow[], ids: readonly string[]): RoleRow[] {
  const missing = ids.find((id) => !found.some((role) => role.id === id));
  if (missing !== undefined) throw notFound('role', missing);
  const retired = found.find(({ state }) => state === 'retired');
  if (retired === undefined) return found;
  const message = `the role ${retired.name} is retired; reinstate it first`;
  throw new RegistryError('role_retired', message, { roleId: retired.id });
}
