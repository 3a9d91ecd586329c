/** Reads entities with their keys, as far as the reader reaches. */
import { and, asc, eq, getTableColumns, gt, inArray, isNull, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { type EntityMode, entities, entityKeys } from '../../storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import { givenRoles, givenRolesOf } from '../roles/given-roles.ts';
import type { Entity, EntityRow, ListedEntity, RegisteredKey } from './entity.ts';
import { areChecksOutdated } from './judging-settings.ts';
import { findingsOf } from './keys/findings.ts';
import { idsOfPage, playsType } from './search-entities.ts';

const { evidence: _, ...LISTED_COLUMNS } = getTableColumns(entities);

const represented = alias(organisations, 'represented');

const AUTHORITY_DEFAULTS = {
  defaultMetadataPolicy: authorities.defaultMetadataPolicy,
  defaultConstraints: authorities.defaultConstraints,
};

/** @throws RegistryError not_found (also when it belongs to an authority out of reach), role_missing */
export async function readEntity(db: Db | Tx, actor: Actor, entityId: string): Promise<Entity> {
  requireRole(actor, ACCESS.readEntity.roles);
  if (!isRecordId(entityId)) throw notFound('entity', entityId);
  const [found] = await db
    .select({
      entity: entities,
      organisationState: organisations.state,
      principalState: represented.state,
      authority: AUTHORITY_DEFAULTS,
    })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .leftJoin(represented, eq(represented.id, entities.onBehalfOf))
    .innerJoin(authorities, eq(authorities.id, entities.authorityId))
    .where(eq(entities.id, entityId));
  if (found === undefined || !reachesEntity(actor, found.entity)) throw notFound('entity', entityId);
  const { entity, organisationState, principalState, authority } = found;
  const roles = await givenRolesOf(db, entityId);
  const checksOutdated = areChecksOutdated(entity, entity.evidence['settingsDigest'], authority, roles);
  const [keys, findings] = [await registeredKeysOf(db, entityId), await findingsOf(db, entityId)];
  return { ...entity, organisationState, principalState, checksOutdated, keys, roles, findings };
}

function reachesEntity(actor: Actor, { authorityId, organisationId, id }: EntityRow): boolean {
  return reaches(actor, authorityId, organisationId, id);
}

export interface EntityFilter {
  authorityId?: string;
  organisationId?: string;
  entityIdentifier?: string;
  state?: ParticipantState;
  entityType?: string;
  /** In its identifier, a name or a description, in whatever case; three characters or more. */
  text?: string;
  mode?: EntityMode;
  environment?: string;
  /** An organisation that it acts for. */
  onBehalfOf?: string;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listEntities(
  db: Db,
  actor: Actor,
  filter: EntityFilter,
  request: PageRequest,
): Promise<Page<ListedEntity>> {
  const columns = { authority: entities.authorityId, organisation: entities.organisationId, entity: entities.id };
  const reached = inReach(actor, ACCESS.listEntities.roles, columns, filter.authorityId);
  const after = cursorId(request);
  const isWanted = and(
    reached,
    filter.organisationId === undefined ? undefined : eq(entities.organisationId, filter.organisationId),
    filter.entityIdentifier === undefined ? undefined : eq(entities.entityIdentifier, filter.entityIdentifier),
    filter.state === undefined ? undefined : eq(entities.state, filter.state),
    filter.entityType === undefined ? undefined : playsType(filter.entityType),
    filter.mode === undefined ? undefined : eq(entities.mode, filter.mode),
    filter.environment === undefined ? undefined : eq(entities.environment, filter.environment),
    filter.onBehalfOf === undefined ? undefined : eq(entities.onBehalfOf, filter.onBehalfOf),
    after === undefined ? undefined : gt(entities.id, after),
  );
  // What is wide is read for those on the page alone.
  const page = idsOfPage(db, isWanted, { text: filter.text, after, limit: request.limit + 1 });
  const rows = await db
    .select({
      entity: LISTED_COLUMNS,
      organisationState: organisations.state,
      principalState: represented.state,
      authority: AUTHORITY_DEFAULTS,
      checkedSettings: sql<string | null>`${entities.evidence} ->> 'settingsDigest'`,
    })
    .from(page)
    .innerJoin(entities, eq(entities.id, page.id))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .leftJoin(represented, eq(represented.id, entities.onBehalfOf))
    .innerJoin(authorities, eq(authorities.id, entities.authorityId))
    .orderBy(asc(entities.id));
  const ids = rows.map((row) => row.entity.id);
  const [keys, roles] = [await registeredKeys(db, ids), await givenRoles(db, ids)];
  const found = rows.map(({ entity, organisationState, principalState, authority, checkedSettings }) => ({
    ...entity,
    organisationState,
    principalState,
    checksOutdated: areChecksOutdated(entity, checkedSettings, authority, roles.get(entity.id) ?? []),
    keys: keys.get(entity.id) ?? [],
    roles: roles.get(entity.id) ?? [],
  }));
  return pageOf(found, request);
}

/** Keys of one entity that were not removed, in their order. */
export async function registeredKeysOf(db: Db | Tx, entityId: string): Promise<RegisteredKey[]> {
  return (await registeredKeys(db, [entityId])).get(entityId) ?? [];
}

/** Keys that were not removed, in their order, by entity id. */
async function registeredKeys(
  db: Db | Tx,
  entityIds: readonly string[],
): Promise<Map<EntityRow['id'], RegisteredKey[]>> {
  const byEntity = new Map<string, RegisteredKey[]>();
  if (entityIds.length === 0) return byEntity;
  const rows = await db
    .select()
    .from(entityKeys)
    .where(and(inArray(entityKeys.entityId, [...entityIds]), isNull(entityKeys.removedAt)))
    .orderBy(asc(entityKeys.position));
  for (const { entityId, publicJwk, expiresAt } of rows) {
    const keys = byEntity.get(entityId) ?? [];
    keys.push({ jwk: publicJwk as Jwk, expiresAt });
    byEntity.set(entityId, keys);
  }
  return byEntity;
}
