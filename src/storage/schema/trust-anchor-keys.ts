/** What was seen of the keys of pinned Trust Anchors: those learned from a rollover, and the last alarm. */
import { doublePrecision, integer, jsonb, pgTable, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { trustAnchors } from './trust-anchors.ts';

export const trustAnchorKeys = pgTable('trust_anchor_keys', {
  trustAnchorId: uuid('trust_anchor_id')
    .primaryKey()
    .references(() => trustAnchors.id, { onDelete: 'cascade' }),
  /** `version` of the pins that it was seen with; with any other the row says nothing. */
  pinnedVersion: integer('pinned_version').notNull(),
  learnedJwks: jsonb('learned_jwks').$type<{ keys: JsonObject[] }>(),
  /** `iat` of the configuration that they were learned from, seconds since the epoch. */
  learnedIat: doublePrecision('learned_iat'),
  learnedAt: timestamp('learned_at', { withTimezone: true }),
  alarmJwks: jsonb('alarm_jwks').$type<{ keys: JsonObject[] }>(),
  alarmAt: timestamp('alarm_at', { withTimezone: true }),
});
