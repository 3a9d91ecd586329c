/** Trust Anchors of others that an authority resolves towards, with the keys pinned for them. */
import { integer, jsonb, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';

export const trustAnchors = pgTable(
  'trust_anchors',
  {
    id: uuid('id').primaryKey(),
    authorityId: uuid('authority_id')
      .notNull()
      .references(() => authorities.id),
    entityIdentifier: text('entity_identifier').notNull(),
    jwks: jsonb('jwks').$type<{ keys: JsonObject[] }>().notNull(),
    version: integer('version').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  },
  (table) => [unique().on(table.authorityId, table.entityIdentifier)],
);
