/** The one row about the deployment as a whole: which master key its sealed keys belong to. */
import { pgTable, smallint, text, timestamp } from 'drizzle-orm/pg-core';

export const deployment = pgTable('deployment', {
  id: smallint('id').primaryKey(),
  /** A value that only the right master key can open; tells a wrong key before it does harm. */
  masterKeyCheck: text('master_key_check').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
