/** Finds entities by what they play, and by a text in whatever is said of them, in whatever case. @see COLLECTION §2.2 */
import { and, asc, eq, gt, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { entitySearchTexts } from '../../storage/schema/entity-search-texts.ts';

/** What the index knows runs of. */
const GRAM_LENGTH = 3;

/** Characters of a text that is found by the index; a shorter one is looked for in every record. */
export const MIN_SEARCH_LENGTH = GRAM_LENGTH;

/** The ids of all entities that bear a text, as a subquery; shorter texts than the index knows are looked for in all. */
export function idsOfThoseNamed(db: Db, text: string) {
  const isNamed = contains(entitySearchTexts.text, text);
  return db.select({ id: entitySearchTexts.entityId }).from(entitySearchTexts).where(isNamed);
}

/** @param column in lower case, with an index of its `search_grams` */
export function contains(column: PgColumn, text: string): SQL | undefined {
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
  const hasGrams = sql`search_grams(${column}) @> search_grams(lower(${text}))`;
  return and(sql`${column} like lower(${pattern})`, [...text].length < GRAM_LENGTH ? undefined : hasGrams);
}

export interface IdPage {
  /** Said of each; in whatever case. */
  text: string | undefined;
  /** The id after which the page starts. */
  after: string | undefined;
  limit: number;
}

/**
 * A page of ids in their order, as a subquery. Whoever bears a text is joined in that order, so that nobody is looked at
 * beyond the end of the page: how many bear it, the database guesses badly.
 */
export function idsOfPage(db: Db, isWanted: SQL | undefined, { text, after, limit }: IdPage) {
  const selected = db.select({ id: entities.id });
  if (text === undefined) {
    return selected.from(entities).where(isWanted).orderBy(asc(entities.id)).limit(limit).as('page');
  }
  const { entityId } = entitySearchTexts;
  const named = db
    .select({ id: entityId })
    .from(entitySearchTexts)
    .where(and(contains(entitySearchTexts.text, text), after === undefined ? undefined : gt(entityId, after)))
    .orderBy(asc(entityId))
    .as('named');
  return selected
    .from(named)
    .innerJoin(entities, eq(entities.id, named.id))
    .where(isWanted)
    .orderBy(asc(entities.id))
    .limit(limit)
    .as('page');
}

/** Which entities play this type, by the index of all types. */
export function playsType(entityType: string): SQL {
  const types = sql`coalesce(${entities.verifiedEntityTypes}, ${entities.registeredEntityTypes})`;
  return sql`${types} @> ${JSON.stringify([entityType])}::jsonb`;
}
