/** Keys that an entity's configuration, signed by a registered key, shows and that are not registered. */
import { jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { entities } from './entities.ts';

/** One that a later configuration no longer shows is deleted while nobody decided about it. */
export type KeyProposalState = 'proposed' | 'accepted' | 'refused';

export const entityKeyProposals = pgTable(
  'entity_key_proposals',
  {
    entityId: uuid('entity_id')
      .notNull()
      .references(() => entities.id),
    kid: text('kid').notNull(),
    publicJwk: jsonb('public_jwk').$type<JsonObject>().notNull(),
    /** kid of the key that signed the configuration; null for proposals of before that was kept. */
    signedBy: text('signed_by'),
    state: text('state').$type<KeyProposalState>().notNull(),
    proposedAt: timestamp('proposed_at', { withTimezone: true }).notNull(),
    decidedAt: timestamp('decided_at', { withTimezone: true }),
    reason: text('reason'),
  },
  (table) => [primaryKey({ columns: [table.entityId, table.kid] })],
);
