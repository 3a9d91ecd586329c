/** Entities whose Entity Configuration is served here, and the keys that are kept for them. */
import { doublePrecision, integer, jsonb, pgTable, text, timestamp, unique, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { bytea } from './bytea.ts';
import { entities } from './entities.ts';

export const hostedEntities = pgTable('hosted_entities', {
  entityId: uuid('entity_id')
    .primaryKey()
    .references(() => entities.id),
  /** Host and path of its Entity Identifier, see `authorityLocation`; one live record has it. */
  location: text('location').notNull(),
  /** Host without port: nothing but hosted entities is served there. */
  hostname: text('hostname').notNull(),
  /** `metadata` of its configuration, by Entity Type. */
  metadata: jsonb('metadata').$type<JsonObject>().notNull(),
  configurationLifetimeSeconds: integer('configuration_lifetime_seconds').notNull(),
  /** Whether the configuration is made and signed here, or the entity signs and uploads it. */
  mode: text('mode').$type<'signed_here' | 'uploaded'>().notNull(),
  /** What is served when it is uploaded, a JWT; and its `iat`, which only grows. */
  uploadedConfiguration: text('uploaded_configuration'),
  uploadedIat: doublePrecision('uploaded_iat'),
  startedAt: timestamp('started_at', { withTimezone: true }).notNull(),
  /** When the entity was closed or moved elsewhere. */
  endedAt: timestamp('ended_at', { withTimezone: true }),
});

/**
 * announced → active → retired → removed; or → handed_over: the entity has it and we do not. The configuration and the
 * Subordinate Statement list it until it is removed.
 */
export type HostedKeyState = 'announced' | 'active' | 'retired' | 'handed_over' | 'removed';

export const hostedKeys = pgTable(
  'hosted_keys',
  {
    id: uuid('id').primaryKey(),
    entityId: uuid('entity_id')
      .notNull()
      .references(() => hostedEntities.entityId),
    kid: text('kid').notNull(),
    alg: text('alg').notNull(),
    purpose: text('purpose').$type<'hosted-entity'>().notNull(),
    publicJwk: jsonb('public_jwk').$type<JsonObject>().notNull(),
    /** Null once the key signs nothing here any more, and where a token or the entity itself has it. */
    sealedPrivateKey: bytea('sealed_private_key'),
    /** Who holds the private half; `partner`: the entity, who brought the key. */
    custody: text('custody').$type<'sealed' | 'pkcs11' | 'partner'>().notNull(),
    /** Where the token has it. */
    tokenObject: text('token_object'),
    state: text('state').$type<HostedKeyState>().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    /** From when on no Subordinate Statement without an announced key is in use. */
    activateAfter: timestamp('activate_after', { withTimezone: true }),
    retiredAt: timestamp('retired_at', { withTimezone: true }),
    /** A retired key stays listed until then: configurations that it signed are in use. */
    removeAfter: timestamp('remove_after', { withTimezone: true }),
    /** Longest life of a configuration that it may have signed. */
    longestLifetimeSeconds: integer('longest_lifetime_seconds').notNull().default(0),
    /** The private half as it was handed out, a JWE for `handedOverTo` alone; null from the first upload on. */
    handedOverJwe: text('handed_over_jwe'),
    /** The public key that it was encrypted to. */
    handedOverTo: jsonb('handed_over_to').$type<JsonObject>(),
  },
  (table) => [unique('hosted_keys_kid').on(table.entityId, table.kid)],
);
