/** The entities below an authority, direct and through Intermediates, page by page. @see COLLECTION §2 */
import { and, asc, desc, eq, inArray, isNotNull, notInArray, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db } from '../../storage/connect.ts';
import { audit } from '../../storage/schema/audit.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { isActiveUnder } from '../collection/authorities-below.ts';
import { collectElsewhere, wasElsewhere } from '../collection/collect-elsewhere.ts';
import type { CollectedEntity, CollectingAuthority, CollectionQuery } from '../collection/collection-query.ts';
import { type MarkBearer, showsMark } from '../collection/shown-marks.ts';
import { playsAnyOf } from './list-subordinates.ts';
import { idsOfThoseNamed } from './search-entities.ts';

const IDENTIFIER = sql<string>`${entities.entityIdentifier} collate "C"`;

const BEARER: MarkBearer = {
  entityIdentifier: entities.entityIdentifier,
  trustMarks: sql`${entities.evidence} -> 'claims' -> 'trust_marks'`,
};

export interface CollectionPage {
  collected: CollectedEntity[];
  /** The Entity Identifier that the next page begins with; null on the last one. */
  next: string | null;
  /** When the first chain ends of those that the page rests on; null: never. */
  validUntil: Date | null;
}

/**
 * An entity that several of the authorities vouch for is there once, as the first of its records tells.
 * @param authorities the one that is asked first, and those of ours below it
 * @returns undefined when `from` is no entity that was ever registered under one of the authorities, or lately seen below
 */
export async function collectEntities(
  db: Db,
  authorities: readonly CollectingAuthority[],
  query: CollectionQuery,
  now: Date,
): Promise<CollectionPage | undefined> {
  const { from, limit, reads } = query;
  if (from !== null && !(await wasRegistered(db, authorities, from)) && !(await wasElsewhere(db, authorities, from))) {
    return undefined;
  }
  const records = await findRecords(db, authorities, query, now);
  const elsewhere = await collectElsewhere(db, authorities, query, now);
  const registered = new Map(records.map(({ entityIdentifier, id }) => [entityIdentifier, id]));
  const others = new Map(
    elsewhere
      .filter(({ entityIdentifier }) => !registered.has(entityIdentifier))
      .map((entity) => [entity.entityIdentifier, entity] as const),
  );
  // Of each kind there are as many as could be on the page, so the first of both together are the first of all.
  const identifiers = [...registered.keys(), ...others.keys()].sort();
  const shown = identifiers.slice(0, limit);
  const own = await readShown(
    db,
    shown.flatMap((identifier) => registered.get(identifier) ?? []),
    reads,
  );
  const known = new Map<string, CollectedEntity>(own.map((entity) => [entity.entityIdentifier, entity]));
  const seen = shown.flatMap((identifier) => others.get(identifier) ?? []);
  for (const { validUntil: _, ...entity } of seen) known.set(entity.entityIdentifier, entity);
  return {
    collected: shown.flatMap((identifier) => known.get(identifier) ?? []),
    next: identifiers[limit] ?? null,
    validUntil: seen.reduce<Date | null>(
      (first, { validUntil }) => (first === null || validUntil < first ? validUntil : first),
      null,
    ),
  };
}

/** One more than fits on the page, in the order of the pages: bytes, of ASCII as all identifiers are. */
async function findRecords(
  db: Db,
  authorities: readonly CollectingAuthority[],
  { from, limit, entityTypes, marks, text, revokedKids }: CollectionQuery,
  now: Date,
): Promise<{ id: string; entityIdentifier: string }[]> {
  return await db
    .selectDistinctOn([IDENTIFIER], { id: entities.id, entityIdentifier: entities.entityIdentifier })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        isActiveUnder(authorities),
        notInArray(
          entities.entityIdentifier,
          authorities.slice(0, 1).map((top) => top.entityIdentifier),
        ),
        from === null ? undefined : sql`${IDENTIFIER} >= ${from}`,
        entityTypes.length === 0 ? undefined : playsAnyOf(entityTypes),
        text === null ? undefined : inArray(entities.id, idsOfThoseNamed(db, text)),
        ...marks.map((mark) => showsMark(db, BEARER, mark, revokedKids, now)),
      ),
    )
    .orderBy(IDENTIFIER, asc(entities.id))
    .limit(limit + 1);
}

async function readShown(
  db: Db,
  ids: readonly string[],
  { metadata, trustMarks: isMarked }: CollectionQuery['reads'],
): Promise<CollectedEntity[]> {
  if (ids.length === 0) return [];
  const none = sql<null>`null::jsonb`;
  return await db
    .select({
      entityIdentifier: entities.entityIdentifier,
      entityTypes: sql<string[]>`coalesce(${entities.verifiedEntityTypes}, ${entities.registeredEntityTypes})`,
      ownMetadata: metadata ? sql<JsonObject | null>`${entities.evidence} -> 'claims' -> 'metadata'` : none,
      superiorMetadata: metadata ? sql<JsonObject | null>`${entities.metadata}` : none,
      trustMarks: isMarked ? sql<JsonObject[] | null>`${entities.evidence} -> 'claims' -> 'trust_marks'` : none,
    })
    .from(entities)
    .where(inArray(entities.id, [...ids]));
}

/**
 * When anything was last recorded of one of these authorities or below it; null: never. The newest of each is found in
 * the index, however long their histories are.
 */
export async function lastRecordedBelow(db: Db, authorities: readonly CollectingAuthority[]): Promise<Date | null> {
  const ids = sql.join(
    authorities.map(({ id }) => sql`(${id}::uuid)`),
    sql`, `,
  );
  const newest = db
    .select({ at: audit.at })
    .from(audit)
    .where(sql`${audit.authorityId} = below.id`)
    .orderBy(desc(audit.seq))
    .limit(1);
  const { rows } = await db.execute<{ at: number | string | null }>(sql`
    select floor(extract(epoch from max(newest.at))) as at
    from (values ${ids}) as below (id) cross join lateral ${newest} as newest`);
  const at = rows[0]?.at ?? null;
  return at === null ? null : new Date(Number(at) * 1000);
}

/** Whoever only asked to be admitted is not known here. */
async function wasRegistered(
  db: Db,
  authorities: readonly CollectingAuthority[],
  entityIdentifier: string,
): Promise<boolean> {
  const ids = authorities.map(({ id }) => id);
  const [found] = await db
    .select({ id: entities.id })
    .from(entities)
    .where(
      and(
        eq(entities.entityIdentifier, entityIdentifier),
        inArray(entities.authorityId, ids),
        isNotNull(entities.registeredAt),
      ),
    )
    .limit(1);
  return found !== undefined;
}
