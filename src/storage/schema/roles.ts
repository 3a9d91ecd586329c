/** Roles: what organisations and their entities may be in an authorisation domain, and what that implies. */
import { integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorisationDomains } from './authorisation-domains.ts';
import { authorities } from './authorities.ts';

export const roles = pgTable('roles', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  domainId: uuid('domain_id')
    .notNull()
    .references(() => authorisationDomains.id),
  name: text('name').notNull(),
  description: text('description'),
  scopes: jsonb('scopes').$type<string[]>().notNull(),
  grantTypes: jsonb('grant_types').$type<string[]>().notNull(),
  /** The Entity Type that an entity plays in this role; null: any. */
  entityType: text('entity_type'),
  /** Goes into the Subordinate Statements about those who hold it. */
  metadataPolicy: jsonb('metadata_policy').$type<JsonObject>().notNull(),
  /** Trust Mark Types that those who hold it are meant to bear. */
  trustMarkTypes: jsonb('trust_mark_types').$type<string[]>().notNull(),
  /** How many people approve an entity that enrols with it. */
  approvals: integer('approvals').$type<1 | 2>().notNull(),
  state: text('state').$type<'active' | 'retired'>().notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
