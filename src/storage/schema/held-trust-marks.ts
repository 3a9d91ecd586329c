/** Trust Marks of others (or of our own) that our authorities show in their Entity Configurations. */
import { integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';

export const heldTrustMarks = pgTable('held_trust_marks', {
  id: uuid('id').primaryKey(),
  /** The bearer. */
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  trustMarkType: text('trust_mark_type').notNull(),
  issuer: text('issuer').notNull(),
  /** Verified when it came. */
  jwt: text('jwt').notNull(),
  expiresAt: timestamp('expires_at', { withTimezone: true }),
  /** A dropped one stays recorded: versions only ever grow. */
  state: text('state').$type<'held' | 'dropped'>().notNull(),
  refreshedAt: timestamp('refreshed_at', { withTimezone: true }).notNull(),
  /** When a fresh one is asked for; null: never. */
  nextRefreshAt: timestamp('next_refresh_at', { withTimezone: true }),
  /** Why the last attempt to refresh it failed. */
  refreshProblem: text('refresh_problem'),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
