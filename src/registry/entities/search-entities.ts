/** Finds entities by a text in their identifier, a name, a description or a keyword, in whatever case. @see COLLECTION §2.2 */
import { and, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Db } from '../../storage/connect.ts';
import { entitySearchTexts } from '../../storage/schema/entity-search-texts.ts';

/** What the index knows runs of. */
const GRAM_LENGTH = 3;

/** The ids of all entities of whom it is said, as a subquery; shorter texts than the index knows are looked for in all. */
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
