/** Who holds a valid mark of a type, as the JSON array that the listing endpoint serves. @see OIDFED §8.5 */
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { trustMarks } from '../../storage/schema/trust-marks.ts';
import { hasNotEnded, ITS_ENTITY, ITS_ORGANISATION, stands } from './standing.ts';

/** The subjects of marks of these types that stand, as a query to be part of another. */
export function holdersOf(db: Db, typeIds: readonly string[], now: Date) {
  return db
    .select({ subject: trustMarks.subject })
    .from(trustMarks)
    .leftJoin(entities, ITS_ENTITY)
    .leftJoin(organisations, ITS_ORGANISATION)
    .where(and(inArray(trustMarks.typeId, [...typeIds]), stands(db), hasNotEnded(now)));
}

/** When the first mark of these types ends by itself; null if none does. */
export async function firstEndOfMarks(db: Db, typeIds: readonly string[], now: Date): Promise<Date | null> {
  const [row] = await db
    .select({ end: sql`min(${trustMarks.expiresAt})`.mapWith(trustMarks.expiresAt) })
    .from(trustMarks)
    .where(and(inArray(trustMarks.typeId, [...typeIds]), eq(trustMarks.state, 'active'), hasNotEnded(now)));
  return row?.end ?? null;
}

export interface HoldersList {
  /** A JSON array of Entity Identifiers in the order of the grants. */
  json: string;
  /** When the first of them ends by itself; null if none does. */
  changesAt: Date | null;
}

/** The array is made by the database: at 100,000 holders one row is far quicker than one each. */
export async function listHolders(db: Db, typeId: string, now: Date): Promise<HoldersList> {
  const [row] = await db
    .select({
      json: sql<string>`coalesce(json_agg(${trustMarks.subject} order by ${trustMarks.id}), '[]')::text`,
      changesAt: sql`min(${trustMarks.expiresAt})`.mapWith(trustMarks.expiresAt),
    })
    .from(trustMarks)
    .leftJoin(entities, ITS_ENTITY)
    .leftJoin(organisations, ITS_ORGANISATION)
    .where(and(eq(trustMarks.typeId, typeId), stands(db), hasNotEnded(now)));
  return { json: row?.json ?? '[]', changesAt: row?.changesAt ?? null };
}
