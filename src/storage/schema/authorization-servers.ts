/** Authorization servers that entities run: where tokens for APIs come from, and for how long. */
import { integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';
import { entities } from './entities.ts';

/** Of what was not removed. */
export type RecordedOfferState = 'active' | 'deprecated' | 'retired';

export const authorizationServers = pgTable('authorization_servers', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  entityId: uuid('entity_id')
    .notNull()
    .references(() => entities.id),
  issuer: text('issuer').notNull(),
  /** From then on nobody should begin to use it. */
  deprecatedAt: timestamp('deprecated_at', { withTimezone: true }),
  /** From then on nobody uses it. */
  retiresAt: timestamp('retires_at', { withTimezone: true }),
  supersededBy: uuid('superseded_by'),
  /** What of its dates stands in the audit; nobody else goes by it. */
  recordedState: text('recorded_state').$type<RecordedOfferState>().notNull().default('active'),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  removedAt: timestamp('removed_at', { withTimezone: true }),
});
