/** What a person should look at about an entity: noticed, not decided, and gone when it is cured. */
import { pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { entities } from './entities.ts';

export const entityFindings = pgTable(
  'entity_findings',
  {
    /** Tells it from the others in the report of all findings. */
    id: uuid('id').notNull().defaultRandom(),
    entityId: uuid('entity_id')
      .notNull()
      .references(() => entities.id),
    kind: text('kind').notNull(),
    since: timestamp('since', { withTimezone: true }).notNull(),
    detail: text('detail').notNull(),
  },
  (table) => [primaryKey({ columns: [table.entityId, table.kind] })],
);
