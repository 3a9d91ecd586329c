/** Roles of entities as records. */
import { and, asc, eq, gt, inArray, type SQL } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorisationDomains } from '../../storage/schema/authorisation-domains.ts';
import { entities } from '../../storage/schema/entities.ts';
import { entityRoleAssignments, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';
import type { RoleRow } from './role.ts';
import { type AssignmentState, assignmentState, type RoleAssignmentRow } from './role-assignment.ts';

export type EntityRoleRow = typeof entityRoleAssignments.$inferSelect;

/** With the assignment of its organisation, and what people know the role by. */
export interface EntityRole extends EntityRoleRow {
  assignment: Pick<RoleAssignmentRow, 'state' | 'validFrom' | 'validTo' | 'registrationId' | 'jurisdictions'>;
  role: Pick<RoleRow, 'id' | 'name' | 'state' | 'scopes' | 'grantTypes'>;
  domain: string;
}

export const ENTITY_ROLE_STATES = ['active', 'upcoming', 'ended', 'retired', 'locked', 'removed'] as const;

export type EntityRoleState = AssignmentState | 'locked';

/** What it is worth at this moment: only an active one is held. */
export function entityRoleState({ state, assignment, role }: EntityRole, now: Date): EntityRoleState {
  return state === 'active' ? assignmentState(assignment, role, now) : state;
}

/** As the audit of its entity keeps it. */
export function entityRoleSnapshot(
  { id, roleAssignmentId, state, stateReason }: EntityRoleRow,
  role: Pick<RoleRow, 'id' | 'name'>,
  entityIdentifier: string,
): JsonObject {
  return { entityIdentifier, role: { id, roleId: role.id, name: role.name, roleAssignmentId, state, stateReason } };
}

/** @throws RegistryError not_found (also when the entity is out of reach, or another's), role_missing */
export async function readEntityRole(db: Db | Tx, actor: Actor, entityId: string, id: string): Promise<EntityRole> {
  await requireEntity(db, actor, entityId);
  const where = and(eq(entityRoleAssignments.id, id), eq(entityRoleAssignments.entityId, entityId));
  const [found] = isRecordId(id) ? await select(db, where, 1) : [];
  if (found === undefined) throw notFound('role of the entity', id);
  return found;
}

/** Those given and locked, oldest first; those that were removed on request. @throws RegistryError not_found, role_missing */
export async function listEntityRoles(
  db: Db,
  actor: Actor,
  entityId: string,
  { isRemoved = false }: { isRemoved?: boolean },
  request: PageRequest,
): Promise<Page<EntityRole>> {
  await requireEntity(db, actor, entityId);
  const after = cursorId(request);
  const where = and(
    eq(entityRoleAssignments.entityId, entityId),
    inArray(entityRoleAssignments.state, isRemoved ? ['removed'] : ['active', 'locked']),
    after === undefined ? undefined : gt(entityRoleAssignments.id, after),
  );
  return pageOf(await select(db, where, request.limit + 1), request);
}

async function select(db: Db | Tx, where: SQL | undefined, limit: number): Promise<EntityRole[]> {
  const { state, validFrom, validTo, registrationId, jurisdictions } = roleAssignments;
  const rows = await db
    .select({
      entityRole: entityRoleAssignments,
      assignment: { state, validFrom, validTo, registrationId, jurisdictions },
      role: { id: roles.id, name: roles.name, state: roles.state, scopes: roles.scopes, grantTypes: roles.grantTypes },
      domain: authorisationDomains.name,
    })
    .from(entityRoleAssignments)
    .innerJoin(roleAssignments, eq(roleAssignments.id, entityRoleAssignments.roleAssignmentId))
    .innerJoin(roles, eq(roles.id, roleAssignments.roleId))
    .innerJoin(authorisationDomains, eq(authorisationDomains.id, roles.domainId))
    .where(where)
    .orderBy(asc(entityRoleAssignments.id))
    .limit(limit);
  return rows.map(({ entityRole, ...rest }) => ({ ...entityRole, ...rest }));
}

/** @throws RegistryError not_found, role_missing */
export async function requireEntity(
  db: Db | Tx,
  actor: Actor,
  entityId: string,
): Promise<{ authorityId: string; organisationId: string }> {
  requireRole(actor, ACCESS.listEntityRoles.roles);
  const { authorityId, organisationId } = entities;
  const [entity] = isRecordId(entityId)
    ? await db.select({ authorityId, organisationId }).from(entities).where(eq(entities.id, entityId))
    : [];
  if (entity === undefined || !reaches(actor, entity.authorityId, entity.organisationId, entityId)) {
    throw notFound('entity', entityId);
  }
  return entity;
}
