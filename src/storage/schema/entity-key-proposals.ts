/** Keys that an entity's configuration, signed by a registered key, shows and that are not registered. */
import { jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { entities } from './entities.ts';

/** `withdrawn`: a later configuration no longer shows it. */
export type KeyProposalState = 'proposed' | 'accepted' | 'refused' | 'withdrawn';

export const entityKeyProposals = pgTable(
  'entity_key_proposals',
  {
    entityId: uuid('entity_id')
      .notNull()
      .references(() => entities.id),
    kid: text('kid').notNull(),
    publicJwk: jsonb('public_jwk').$type<JsonObject>().notNull(),
    state: text('state').$type<KeyProposalState>().notNull(),
    proposedAt: timestamp('proposed_at', { withTimezone: true }).notNull(),
    decidedAt: timestamp('decided_at', { withTimezone: true }),
    reason: text('reason'),
  },
  (table) => [primaryKey({ columns: [table.entityId, table.kid] })],
);
