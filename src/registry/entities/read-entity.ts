/** Reads entities with their keys, as far as the reader reaches. */
import { and, asc, eq, getTableColumns, gt, inArray, isNull, sql } from 'drizzle-orm';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { type EntityMode, entities, entityKeys } from '../../storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import { type Actor, authorise, notFound, READERS, reaches, requireRole } from '../actor.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';
import type { Entity, EntityRow, ListedEntity, RegisteredKey } from './entity.ts';
import { areChecksOutdated } from './judging-settings.ts';
import { findingsOf } from './keys/findings.ts';

const { evidence: _, ...LISTED_COLUMNS } = getTableColumns(entities);

const AUTHORITY_DEFAULTS = {
  defaultMetadataPolicy: authorities.defaultMetadataPolicy,
  defaultConstraints: authorities.defaultConstraints,
};

/** @throws RegistryError not_found (also when it belongs to an authority out of reach), role_missing */
export async function readEntity(db: Db | Tx, actor: Actor, entityId: string): Promise<Entity> {
  requireRole(actor, READERS);
  if (!isRecordId(entityId)) throw notFound('entity', entityId);
  const [found] = await db
    .select({ entity: entities, organisationState: organisations.state, authority: AUTHORITY_DEFAULTS })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .innerJoin(authorities, eq(authorities.id, entities.authorityId))
    .where(eq(entities.id, entityId));
  if (found === undefined || !reaches(actor, found.entity.authorityId)) throw notFound('entity', entityId);
  const { entity, organisationState, authority } = found;
  const checksOutdated = areChecksOutdated(entity, entity.evidence['settingsDigest'], authority);
  const [keys, findings] = [await registeredKeysOf(db, entityId), await findingsOf(db, entityId)];
  return { ...entity, organisationState, checksOutdated, keys, findings };
}

export interface EntityFilter {
  authorityId?: string;
  organisationId?: string;
  entityIdentifier?: string;
  state?: ParticipantState;
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
  requireRole(actor, READERS);
  if (filter.authorityId !== undefined) authorise(actor, READERS, filter.authorityId);
  const after = cursorId(request);
  const rows = await db
    .select({
      entity: LISTED_COLUMNS,
      organisationState: organisations.state,
      authority: AUTHORITY_DEFAULTS,
      checkedSettings: sql<string | null>`${entities.evidence} ->> 'settingsDigest'`,
    })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .innerJoin(authorities, eq(authorities.id, entities.authorityId))
    .where(
      and(
        actor.authorities === 'all' ? undefined : inArray(entities.authorityId, [...actor.authorities]),
        filter.authorityId === undefined ? undefined : eq(entities.authorityId, filter.authorityId),
        filter.organisationId === undefined ? undefined : eq(entities.organisationId, filter.organisationId),
        filter.entityIdentifier === undefined ? undefined : eq(entities.entityIdentifier, filter.entityIdentifier),
        filter.state === undefined ? undefined : eq(entities.state, filter.state),
        filter.mode === undefined ? undefined : eq(entities.mode, filter.mode),
        filter.environment === undefined ? undefined : eq(entities.environment, filter.environment),
        filter.onBehalfOf === undefined ? undefined : eq(entities.onBehalfOf, filter.onBehalfOf),
        after === undefined ? undefined : gt(entities.id, after),
      ),
    )
    .orderBy(asc(entities.id))
    .limit(request.limit + 1);
  const keys = await registeredKeys(
    db,
    rows.map((row) => row.entity.id),
  );
  const found = rows.map(({ entity, organisationState, authority, checkedSettings }) => ({
    ...entity,
    organisationState,
    checksOutdated: areChecksOutdated(entity, checkedSettings, authority),
    keys: keys.get(entity.id) ?? [],
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
