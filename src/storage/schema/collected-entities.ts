/** Entities below Intermediates elsewhere, as last walked: no records of ours, but what there was to see. */
import { sql } from 'drizzle-orm';
import { integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import { entities } from './entities.ts';

export const collectedEntities = pgTable(
  'collected_entities',
  {
    /** The authority of ours towards which it resolved. */
    authorityId: uuid('authority_id')
      .notNull()
      .references(() => authorities.id),
    /** The record of the Intermediate elsewhere that its chain goes through, below whichever authority of ours. */
    branchId: uuid('branch_id')
      .notNull()
      .references(() => entities.id),
    entityIdentifier: text('entity_identifier').notNull(),
    entityTypes: jsonb('entity_types').$type<string[]>().notNull(),
    /** Of its Resolved Metadata what is meant for people. */
    metadata: jsonb('metadata').$type<JsonObject>().notNull(),
    trustMarks: jsonb('trust_marks').$type<JsonObject[]>(),
    /** In lower case. */
    searchText: text('search_text').generatedAlwaysAs(
      sql`entity_search_text(entity_identifier, metadata, '{}'::jsonb)`,
    ),
    /** When its chain ends. */
    validUntil: timestamp('valid_until', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.authorityId, table.branchId, table.entityIdentifier] })],
);

export const collectionWalks = pgTable('collection_walks', {
  /** The record of the Intermediate. */
  entityId: uuid('entity_id')
    .primaryKey()
    .references(() => entities.id),
  nextWalkAt: timestamp('next_walk_at', { withTimezone: true }).notNull(),
  attemptedAt: timestamp('attempted_at', { withTimezone: true }),
  /** When the last walk ended. */
  walkedAt: timestamp('walked_at', { withTimezone: true }),
  /** Walks in a row with trouble that may pass. */
  failures: integer('failures').notNull(),
});
