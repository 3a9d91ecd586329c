/** Certificate authorities whose certificates an authority believes, by what those are for. */
import { integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';

export type TrustListPurpose = 'transport' | 'signing';

export const trustListEntries = pgTable('trust_list_entries', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  purpose: text('purpose').$type<TrustListPurpose>().notNull(),
  /** For people. */
  name: text('name').notNull(),
  /** Base64 of its DER. */
  certificate: text('certificate').notNull(),
  x5tS256: text('x5t_s256').notNull(),
  subject: text('subject').notNull(),
  notBefore: timestamp('not_before', { withTimezone: true }).notNull(),
  notAfter: timestamp('not_after', { withTimezone: true }).notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  removedAt: timestamp('removed_at', { withTimezone: true }),
});
