/** Entities below Intermediates elsewhere, as last walked, that have a place in a collection. @see COLLECTION §2 */
import { and, asc, eq, gt, ne, type SQL, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db } from '../../storage/connect.ts';
import { collectedEntities } from '../../storage/schema/collected-entities.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { contains } from '../entities/search-entities.ts';
import { isActiveUnder } from './authorities-below.ts';
import type { CollectedEntity, CollectingAuthority, CollectionQuery } from './collection-query.ts';
import { type MarkBearer, showsMark } from './shown-marks.ts';

export interface CollectedElsewhere extends CollectedEntity {
  /** When the chain ends that it was seen with. */
  validUntil: Date;
}

const IDENTIFIER = sql<string>`${collectedEntities.entityIdentifier} collate "C"`;

const BEARER: MarkBearer = {
  entityIdentifier: collectedEntities.entityIdentifier,
  trustMarks: sql`${collectedEntities.trustMarks}`,
};

/**
 * Only those whose chain still lives and goes through an Intermediate that is active now: without it its branch is gone.
 * @returns one more than fits on the page, in the order of the pages
 */
export async function collectElsewhere(
  db: Db,
  authorities: readonly CollectingAuthority[],
  { from, limit, entityTypes, marks, text, revokedKids, reads }: CollectionQuery,
  now: Date,
): Promise<CollectedElsewhere[]> {
  const [top] = authorities;
  if (top === undefined) return [];
  const none = sql<null>`null::jsonb`;
  return await db
    .selectDistinctOn([IDENTIFIER], {
      entityIdentifier: collectedEntities.entityIdentifier,
      entityTypes: collectedEntities.entityTypes,
      ownMetadata: reads.metadata ? sql<JsonObject | null>`${collectedEntities.metadata}` : none,
      superiorMetadata: none,
      trustMarks: reads.trustMarks ? sql<JsonObject[] | null>`${collectedEntities.trustMarks}` : none,
      validUntil: collectedEntities.validUntil,
    })
    .from(collectedEntities)
    .innerJoin(entities, eq(entities.id, collectedEntities.branchId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        isShown(top, authorities, now),
        from === null ? undefined : sql`${IDENTIFIER} >= ${from}`,
        entityTypes.length === 0 ? undefined : playsAnyOf(entityTypes),
        text === null ? undefined : contains(collectedEntities.searchText, text),
        ...marks.map((mark) => showsMark(db, BEARER, mark, revokedKids, now)),
      ),
    )
    .orderBy(IDENTIFIER, asc(collectedEntities.branchId))
    .limit(limit + 1);
}

/** Strangers name the types: more of them are not kept track of. */
export const MAX_TYPES_ELSEWHERE = 1_000;

/** Entity Types that these entities play; undefined when there are more than {@link MAX_TYPES_ELSEWHERE}. */
export async function listTypesElsewhere(
  db: Db,
  authorities: readonly CollectingAuthority[],
  now: Date,
): Promise<string[] | undefined> {
  const [top] = authorities;
  if (top === undefined) return [];
  const rows = await db
    .selectDistinct({ type: sql<string>`jsonb_array_elements_text(${collectedEntities.entityTypes})` })
    .from(collectedEntities)
    .innerJoin(entities, eq(entities.id, collectedEntities.branchId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(isShown(top, authorities, now))
    .limit(MAX_TYPES_ELSEWHERE + 1);
  return rows.length > MAX_TYPES_ELSEWHERE ? undefined : rows.map(({ type }) => type);
}

/** Whether an entity was lately seen below one of those, whatever became of it. */
export async function wasElsewhere(
  db: Db,
  [top]: readonly CollectingAuthority[],
  entityIdentifier: string,
): Promise<boolean> {
  if (top === undefined) return false;
  const [found] = await db
    .select({ branchId: collectedEntities.branchId })
    .from(collectedEntities)
    .where(and(eq(collectedEntities.authorityId, top.id), eq(collectedEntities.entityIdentifier, entityIdentifier)))
    .limit(1);
  return found !== undefined;
}

function isShown(top: CollectingAuthority, authorities: readonly CollectingAuthority[], now: Date): SQL | undefined {
  return and(
    eq(collectedEntities.authorityId, top.id),
    ne(collectedEntities.entityIdentifier, top.entityIdentifier),
    gt(collectedEntities.validUntil, now),
    isActiveUnder(authorities),
  );
}

function playsAnyOf(entityTypes: readonly string[]): SQL {
  return sql`exists (select 1 from jsonb_array_elements_text(${collectedEntities.entityTypes}) as t(type)
    where t.type in ${[...entityTypes]})`;
}
