/** Authorization servers whose access tokens an authority believes. */
import { boolean, integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import { bytea } from './bytea.ts';

/** How to ask it about a token. @see RFC 7662 §2.1, RFC 9701 §4 */
export interface IntrospectionSetting {
  endpoint: string;
  /** How it knows us; the secret is sealed beside it. */
  clientId: string;
  /** Whether its answers are signed, and nothing else is believed. */
  isSigned: boolean;
}

export const tokenIssuers = pgTable('token_issuers', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  /** `iss`, byte by byte. */
  issuer: text('issuer').notNull(),
  /** A token must be meant for one of them. */
  audiences: jsonb('audiences').$type<string[]>().notNull(),
  /** Its keys, handed over; or where they are. */
  jwks: jsonb('jwks').$type<{ keys: JsonObject[] }>(),
  jwksUri: text('jwks_uri'),
  introspection: jsonb('introspection').$type<IntrospectionSetting>(),
  /** `client_secret` for the introspection endpoint, under the master key. */
  sealedSecret: bytea('sealed_secret'),
  /** Whether JWTs that do not say `at+jwt` count as access tokens. @see RFC 9068 §2.1 */
  acceptsUntypedTokens: boolean('accepts_untyped_tokens').notNull(),
  state: text('state').$type<'active' | 'removed'>().notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});
