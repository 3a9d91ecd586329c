/** Immediate Subordinates page by page, in the order of the list, with the times of their registration and last change. */
import { and, asc, desc, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { NumericDate } from '../../federation/time.ts';
import type { Db } from '../../storage/connect.ts';
import { audit } from '../../storage/schema/audit.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { isListed, type SubordinateFilter } from './list-subordinates.ts';

export interface SubordinatePageQuery {
  filter: SubordinateFilter;
  /** The record that the page begins with, or the first one after it; null: the first page. */
  from: string | null;
  limit: number;
  /** Only those changed at or after, at or before this time; null: any. */
  updatedAfter: NumericDate | null;
  updatedBefore: NumericDate | null;
}

export interface PagedSubordinate {
  id: string;
  entityIdentifier: string;
  /** When it was approved. */
  registered: NumericDate;
  /** When what the authority says about it last changed, its organisation's suspensions included; whole seconds. */
  updated: NumericDate;
}

export interface SubordinatePage {
  subordinates: PagedSubordinate[];
  /** The record that the next page begins with; null on the last one. */
  next: string | null;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** @returns undefined when no record of the authority has the id of `from` */
export async function pageSubordinates(
  db: Db,
  authorityId: string,
  { filter, from, limit, updatedAfter, updatedBefore }: SubordinatePageQuery,
  now: Date,
): Promise<SubordinatePage | undefined> {
  if (from !== null && !(UUID.test(from) && (await isRecordOf(db, authorityId, from)))) return undefined;
  const defaultsChangedAt = await readDefaultsChange(db, authorityId);
  const within = updatedWithin(db, authorityId, { updatedAfter, updatedBefore, defaultsChangedAt });
  if (within === 'none') return { subordinates: [], next: null };
  const updated = sql<number>`floor(extract(epoch from greatest(
    ${entities.updatedAt}, ${organisations.stateChangedAt}, ${defaultsChangedAt?.toISOString() ?? null}::timestamptz)))`;
  const rows = await db
    .select({
      id: entities.id,
      entityIdentifier: entities.entityIdentifier,
      registered: sql`floor(extract(epoch from coalesce(${entities.registeredAt}, ${entities.createdAt})))`.mapWith(
        Number,
      ),
      updated: updated.mapWith(Number),
    })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(and(isListed(db, authorityId, filter, now), from === null ? undefined : gte(entities.id, from), ...within))
    .orderBy(asc(entities.id))
    .limit(limit + 1);
  return { subordinates: rows.slice(0, limit), next: rows[limit]?.id ?? null };
}

/**
 * What keeps to both time limits, in whole seconds as they are shown. An entity that changed is found in the index, and
 * so are those whose organisation did: among 100,000 there are few of either, and nobody reads the others.
 */
function updatedWithin(
  db: Db,
  authorityId: string,
  times: Pick<SubordinatePageQuery, 'updatedAfter' | 'updatedBefore'> & { defaultsChangedAt: Date | null },
): (SQL | undefined)[] | 'none' {
  const { updatedAfter, updatedBefore } = times;
  const defaultsChangedAt = Math.floor((times.defaultsChangedAt?.getTime() ?? Number.NEGATIVE_INFINITY) / 1000);
  const conditions: (SQL | undefined)[] = [];
  if (updatedBefore !== null) {
    if (defaultsChangedAt > updatedBefore) return 'none';
    const end = sql`to_timestamp(${Math.floor(updatedBefore) + 1})`;
    conditions.push(lt(entities.updatedAt, end), lt(organisations.stateChangedAt, end));
  }
  if (updatedAfter !== null && defaultsChangedAt < updatedAfter) {
    const start = sql`to_timestamp(${Math.ceil(updatedAfter)})`;
    const changed = db
      .select({ id: entities.id })
      .from(entities)
      .where(and(eq(entities.authorityId, authorityId), gte(entities.updatedAt, start)));
    const moved = db
      .select({ id: entities.id })
      .from(entities)
      .innerJoin(organisations, eq(organisations.id, entities.organisationId))
      .where(and(eq(organisations.authorityId, authorityId), gte(organisations.stateChangedAt, start)));
    conditions.push(inArray(entities.id, changed.union(moved)));
  }
  return conditions;
}

/** Records are never deleted: whatever a page once pointed to is still there, whether active or not. */
async function isRecordOf(db: Db, authorityId: string, id: string): Promise<boolean> {
  const [found] = await db
    .select({ id: entities.id })
    .from(entities)
    .where(and(eq(entities.id, id), eq(entities.authorityId, authorityId)));
  return found !== undefined;
}

/** When the policy or constraints that go into every statement of the authority last changed; null if never. */
async function readDefaultsChange(db: Db, authorityId: string): Promise<Date | null> {
  const differs = (member: string) => sql`${audit.before}->${member} is distinct from ${audit.after}->${member}`;
  const [row] = await db
    .select({ at: audit.at })
    .from(audit)
    .where(
      and(
        eq(audit.subjectKind, 'authority'),
        eq(audit.subjectId, authorityId),
        eq(audit.action, 'authority.update'),
        sql`(${differs('defaultMetadataPolicy')} or ${differs('defaultConstraints')})`,
      ),
    )
    .orderBy(desc(audit.seq))
    .limit(1);
  return row?.at ?? null;
}
