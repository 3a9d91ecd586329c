/** What was seen of an announced key at each superior of its authority: observations, no records. */
import { integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorityKeys } from './authority-keys.ts';

export const authorityKeySightings = pgTable(
  'authority_key_sightings',
  {
    keyId: uuid('key_id')
      .notNull()
      .references(() => authorityKeys.id),
    /** Entity Identifier of the superior. */
    superior: text('superior').notNull(),
    /** Since when every look found the key in the superior's statement; null while the last one did not. */
    listedAt: timestamp('listed_at', { withTimezone: true }),
    /** The longest life of any statement that was seen, with the key or without. */
    longestStatementSeconds: integer('longest_statement_seconds').notNull(),
    /** The last look that succeeded. */
    seenAt: timestamp('seen_at', { withTimezone: true }),
    attemptedAt: timestamp('attempted_at', { withTimezone: true }).notNull(),
    /** Why the last attempt failed. */
    failure: text('failure'),
  },
  (table) => [primaryKey({ columns: [table.keyId, table.superior] })],
);
