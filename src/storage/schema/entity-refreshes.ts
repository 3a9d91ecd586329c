/** When the configuration of an entity is fetched next by itself. */
import { integer, pgTable, timestamp, uuid } from 'drizzle-orm/pg-core';
import { entities } from './entities.ts';

export const entityRefreshes = pgTable('entity_refreshes', {
  entityId: uuid('entity_id')
    .primaryKey()
    .references(() => entities.id),
  nextRefreshAt: timestamp('next_refresh_at', { withTimezone: true }).notNull(),
  attemptedAt: timestamp('attempted_at', { withTimezone: true }),
  /** In a row. */
  failures: integer('failures').notNull().default(0),
});
