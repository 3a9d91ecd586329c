/** Statements of entities elsewhere, as received: a cache for all nodes. */
import { pgTable, text, timestamp } from 'drizzle-orm/pg-core';

export const retrievedStatements = pgTable('retrieved_statements', {
  /** SHA-256 of issuer and subject. */
  name: text('name').primaryKey(),
  issuer: text('issuer').notNull(),
  subject: text('subject').notNull(),
  /** Empty where the statement was removed at `retrieved_at`: until `expires_at` no older one takes its place. */
  jwt: text('jwt').notNull(),
  etag: text('etag'),
  retrievedAt: timestamp('retrieved_at', { withTimezone: true }).notNull(),
  freshUntil: timestamp('fresh_until', { withTimezone: true }).notNull(),
  expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
});
