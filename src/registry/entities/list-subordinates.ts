/** The Entity Identifiers that an authority vouches for, as the JSON array that its list endpoint serves (§8.2). */
import { and, eq, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';

export interface SubordinateFilter {
  /** Entities that play any of these; empty: all. */
  entityTypes: readonly string[];
  intermediate: boolean;
}

/** @returns JSON text, made by the database: at 100,000 subordinates one row is far quicker than one each */
export async function listSubordinatesJson(db: Db, authorityId: string, filter: SubordinateFilter): Promise<string> {
  const types = sql`coalesce(${entities.verifiedEntityTypes}, ${entities.registeredEntityTypes})`;
  const anyType = sql`exists (select 1 from jsonb_array_elements_text(${types}) as t(type)
    where t.type in ${[...filter.entityTypes]})`;
  const [row] = await db
    .select({ list: sql<string>`coalesce(json_agg(${entities.entityIdentifier} order by ${entities.id}), '[]')::text` })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        eq(entities.authorityId, authorityId),
        eq(entities.state, 'active'),
        eq(organisations.state, 'active'),
        filter.entityTypes.length === 0 ? undefined : anyType,
        filter.intermediate
          ? sql`coalesce(${entities.verifiedIntermediate}, ${entities.registeredIntermediate})`
          : undefined,
      ),
    );
  return row?.list ?? '[]';
}

/** The Entity Types that subordinates of an authority play, in code point order. */
export async function listEntityTypes(db: Db, authorityId: string): Promise<string[]> {
  const types = sql<string>`jsonb_array_elements_text(
    coalesce(${entities.verifiedEntityTypes}, ${entities.registeredEntityTypes}))`;
  const rows = await db
    .selectDistinct({ type: types })
    .from(entities)
    .where(and(eq(entities.authorityId, authorityId), eq(entities.state, 'active')));
  return rows.map((row) => row.type).sort();
}
