/** Delegations that our authorities gave as owners of Trust Mark types. */
import { integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';

export const trustMarkDelegations = pgTable('trust_mark_delegations', {
  id: uuid('id').primaryKey(),
  /** The owner. */
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  trustMarkType: text('trust_mark_type').notNull(),
  /** Entity Identifier of who may issue marks of the type. */
  issuer: text('issuer').notNull(),
  ref: text('ref'),
  /** `exp`; null for a delegation without. */
  expiresAt: timestamp('expires_at', { withTimezone: true }),
  state: text('state').$type<'active' | 'withdrawn'>().notNull(),
  stateReason: text('state_reason'),
  jwt: text('jwt').notNull(),
  /** The key that signed it. */
  kid: text('kid').notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
