/** Federation Entity Keys of our authorities; the private half only sealed, or in a token. */
import { integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import { bytea } from './bytea.ts';

/**
 * announced → active → retired → historical, or → revoked from any of these. The Entity Configuration publishes the
 * first three, the historical keys document (OIDFED §8.7) the last two; at most one key is announced, one active.
 */
export type AuthorityKeyState = 'announced' | 'active' | 'retired' | 'historical' | 'revoked';

export const authorityKeys = pgTable('authority_keys', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  kid: text('kid').notNull().unique(),
  alg: text('alg').notNull(),
  purpose: text('purpose').$type<'federation'>().notNull(),
  publicJwk: jsonb('public_jwk').$type<JsonObject>().notNull(),
  /** Null once the key signs no more, and where a token has it. */
  sealedPrivateKey: bytea('sealed_private_key'),
  /** Who holds the private half. */
  custody: text('custody').$type<'sealed' | 'pkcs11'>().notNull().default('sealed'),
  /** Where the token has it; null when sealed. */
  tokenObject: text('token_object'),
  state: text('state').$type<AuthorityKeyState>().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  /** An announced key signs from then on, if its superiors know it; null for one that is kept ready. */
  activateAfter: timestamp('activate_after', { withTimezone: true }),
  activatedAt: timestamp('activated_at', { withTimezone: true }),
  retiredAt: timestamp('retired_at', { withTimezone: true }),
  /** A retired key stays published until then, and longer if something lives that it signed. */
  removeAfter: timestamp('remove_after', { withTimezone: true }),
  /** Longest life of anything that the key may have signed. */
  longestLifetimeSeconds: integer('longest_lifetime_seconds').notNull().default(0),
  /** When a historical key stopped to verify anything (`exp` of OIDFED §8.7). */
  expiresAt: timestamp('expires_at', { withTimezone: true }),
  revokedAt: timestamp('revoked_at', { withTimezone: true }),
  /** `reason` of §8.7; null where nothing is said. */
  revocationReason: text('revocation_reason'),
});
