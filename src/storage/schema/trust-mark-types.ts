/** Trust Mark types that our authorities issue, and on what conditions. */
import { integer, jsonb, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';

/** Who may get a mark; every member that is given must be met. */
export interface Eligibility {
  /** Entity Types of which the entity plays at least one; it has to be enrolled here. */
  entityTypes?: string[];
  /** Types of this authority of which the subject holds a valid mark, each of them. */
  trustMarkTypes?: string[];
  /** Ids of roles of this authority of which the entity holds at least one; it has to be enrolled here. */
  roles?: string[];
}

export const trustMarkTypes = pgTable(
  'trust_mark_types',
  {
    id: uuid('id').primaryKey(),
    authorityId: uuid('authority_id')
      .notNull()
      .references(() => authorities.id),
    trustMarkType: text('trust_mark_type').notNull(),
    name: text('name').notNull(),
    description: text('description'),
    logoUri: text('logo_uri'),
    ref: text('ref'),
    /** Life of a signed mark; null: it has no `exp`. */
    lifetimeSeconds: integer('lifetime_seconds'),
    /** Further claims of every mark of the type. */
    additionalClaims: jsonb('additional_claims').$type<JsonObject>().notNull(),
    eligibility: jsonb('eligibility').$type<Eligibility>().notNull(),
    /** What becomes of the request of an entity that is eligible. */
    approval: text('approval').$type<'manual' | 'automatic'>().notNull(),
    /** Entity Identifier of the owner where Trust Anchors list one, with the keys listed, and its delegation to us. */
    owner: text('owner'),
    ownerJwks: jsonb('owner_jwks').$type<{ keys: JsonObject[] }>(),
    delegation: text('delegation'),
    delegationExpiresAt: timestamp('delegation_expires_at', { withTimezone: true }),
    state: text('state').$type<'active' | 'retired'>().notNull(),
    version: integer('version').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  },
  (table) => [unique().on(table.authorityId, table.trustMarkType)],
);
