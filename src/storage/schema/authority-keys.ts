/** Federation Entity Keys of our authorities; the private half only sealed. */
import { jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import { bytea } from './bytea.ts';

export const authorityKeys = pgTable('authority_keys', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  kid: text('kid').notNull().unique(),
  alg: text('alg').notNull(),
  purpose: text('purpose').$type<'federation'>().notNull(),
  publicJwk: jsonb('public_jwk').$type<JsonObject>().notNull(),
  sealedPrivateKey: bytea('sealed_private_key'),
  state: text('state').$type<'active' | 'retired' | 'revoked'>().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  /** When a retired or revoked key stops (or stopped) to verify anything (`exp` of OIDFED §8.7). */
  expiresAt: timestamp('expires_at', { withTimezone: true }),
  revokedAt: timestamp('revoked_at', { withTimezone: true }),
  revocationReason: text('revocation_reason'),
});
