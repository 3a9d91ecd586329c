/** Documents that were handed in to be imported as they are, until a second admin has decided. */
import { jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { bytea } from './bytea.ts';

export type ImportState = 'waiting' | 'applied' | 'rejected' | 'lapsed';

export const imports = pgTable('imports', {
  id: uuid('id').primaryKey(),
  state: text('state').$type<ImportState>().notNull(),
  /** Compressed; null once it was decided. */
  document: bytea('document'),
  /** SHA-256 of the document, base64url. */
  digest: text('digest').notNull(),
  /** Of what it would change: who approves it approves that, and no more. */
  differencesDigest: text('differences_digest').notNull(),
  summary: jsonb('summary').$type<JsonObject>().notNull(),
  /** Ids of the actors, and their names at that time. */
  requestedBy: text('requested_by').notNull(),
  requestedByName: text('requested_by_name').notNull(),
  requestedAt: timestamp('requested_at', { withTimezone: true }).notNull(),
  decidedBy: text('decided_by'),
  decidedByName: text('decided_by_name'),
  decidedAt: timestamp('decided_at', { withTimezone: true }),
  stateReason: text('state_reason'),
});
