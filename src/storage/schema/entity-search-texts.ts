/** What people may look for of each entity, in lower case; the database keeps it up with the record (0015). */
import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { entities } from './entities.ts';

export const entitySearchTexts = pgTable('entity_search_texts', {
  entityId: uuid('entity_id')
    .primaryKey()
    .references(() => entities.id),
  text: text('text').notNull(),
});
