/** The Trust Anchors and Intermediates that this deployment operates. */
import { integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';

export const authorities = pgTable('authorities', {
  id: uuid('id').primaryKey(),
  entityIdentifier: text('entity_identifier').notNull().unique(),
  /** Host and path without trailing slash: two identifiers that share a well-known URL cannot both be served. */
  location: text('location').notNull().unique(),
  /** `organization_name` of the federation_entity metadata. */
  name: text('name').notNull(),
  authorityHints: jsonb('authority_hints').$type<string[]>().notNull(),
  /** Further informational parameters of the federation_entity metadata (OIDFED §5.2.2). */
  metadata: jsonb('metadata').$type<JsonObject>().notNull(),
  /** Metadata policy by Entity Type that goes into every Subordinate Statement. */
  defaultMetadataPolicy: jsonb('default_metadata_policy').$type<JsonObject>().notNull(),
  /** Constraints of every Subordinate Statement whose entity has none of its own. */
  defaultConstraints: jsonb('default_constraints').$type<JsonObject>(),
  configurationLifetimeSeconds: integer('configuration_lifetime_seconds').notNull(),
  statementLifetimeSeconds: integer('statement_lifetime_seconds').notNull(),
  resolveLifetimeSeconds: integer('resolve_lifetime_seconds').notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
