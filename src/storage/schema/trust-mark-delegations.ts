/** Delegations that our authorities gave as owners of Trust Mark types. */
import { integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
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

/** Every JWT of a delegation that was given out: others may show it until it expires, also where it was renewed. */
export const issuedDelegations = pgTable(
  'issued_delegations',
  {
    delegationId: uuid('delegation_id')
      .notNull()
      .references(() => trustMarkDelegations.id),
    /** That of the delegation which it says. */
    version: integer('version').notNull(),
    kid: text('kid').notNull(),
    issuedAt: timestamp('issued_at', { withTimezone: true }).notNull(),
    /** `exp`; null for a JWT without. */
    expiresAt: timestamp('expires_at', { withTimezone: true }),
  },
  (table) => [primaryKey({ columns: [table.delegationId, table.version] })],
);
