/** The Entity Identifiers that an authority vouches for, as the JSON array that its list endpoint serves (§8.2). */
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { holdersOf } from '../trust-marks/list-holders.ts';

export interface SubordinateFilter {
  /** Entities that play any of these; empty: all. */
  entityTypes: readonly string[];
  intermediate: boolean;
  /** Entities that hold a valid Trust Mark of any of these types of the authority. */
  marks?: MarkFilter;
}

export interface MarkFilter {
  typeIds: readonly string[];
  /** When the first of the types is no longer issued, without a change; null: never. */
  issuedUntil: Date | null;
}

/** @returns JSON text, made by the database: at 100,000 subordinates one row is far quicker than one each */
export async function listSubordinatesJson(
  db: Db,
  authorityId: string,
  filter: SubordinateFilter,
  now: Date,
): Promise<string> {
  const [row] = await db
    .select({ list: sql<string>`coalesce(json_agg(${entities.entityIdentifier} order by ${entities.id}), '[]')::text` })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(isListed(db, authorityId, filter, now));
  return row?.list ?? '[]';
}

/** Which entities, joined with their organisations, an authority vouches for and a filter lets through. */
export function isListed(db: Db, authorityId: string, filter: SubordinateFilter, now: Date) {
  const { entityTypes, intermediate, marks } = filter;
  return and(
    eq(entities.authorityId, authorityId),
    eq(entities.state, 'active'),
    eq(organisations.state, 'active'),
    entityTypes.length === 0 ? undefined : playsAnyOf(entityTypes),
    intermediate ? sql`coalesce(${entities.verifiedIntermediate}, ${entities.registeredIntermediate})` : undefined,
    marks === undefined ? undefined : inArray(entities.entityIdentifier, holdersOf(db, marks.typeIds, now)),
  );
}

/** Which entities play one of these types at least. */
export function playsAnyOf(entityTypes: readonly string[]) {
  return sql`exists (select 1 from jsonb_array_elements_text(
    coalesce(${entities.verifiedEntityTypes}, ${entities.registeredEntityTypes})) as t(type)
    where t.type in ${[...entityTypes]})`;
}

/** The Entity Types that subordinates of these authorities play, in code point order. */
export async function listEntityTypes(db: Db, authorityIds: readonly string[]): Promise<string[]> {
  const types = sql<string>`jsonb_array_elements_text(
    coalesce(${entities.verifiedEntityTypes}, ${entities.registeredEntityTypes}))`;
  const rows = await db
    .selectDistinct({ type: types })
    .from(entities)
    .where(and(inArray(entities.authorityId, [...authorityIds]), eq(entities.state, 'active')));
  return rows.map((row) => row.type).sort();
}
