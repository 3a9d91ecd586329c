/** Credentials of entities: certificates and keys, what they are for and how long they count. */
import { integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import { certificationAuthorities } from './certification-authorities.ts';
import { entities } from './entities.ts';

export type CredentialKind = 'x509' | 'jwk';
export type CredentialUsage = 'transport' | 'signing' | 'encryption';
/** As decided; what the clock makes of it is credentialState's. */
export type DecidedCredentialState = 'active' | 'on_hold' | 'revoked';
export type CredentialPossession = 'unproven' | 'proven';
/** Those of RFC 5280 §5.3.1 that end a credential. */
export type CredentialRevocationReason =
  | 'unspecified'
  | 'key_compromise'
  | 'ca_compromise'
  | 'affiliation_changed'
  | 'superseded'
  | 'cessation_of_operation'
  | 'privilege_withdrawn';

/** The way from a certificate to the trust list of its authority, as it was found. */
export type CertificatePath = {
  /** `x5t#S256` of the entry that it leads to. */
  anchor: string;
  /** Last second in which all of its certificates are valid. */
  notAfter: number;
};

export const credentials = pgTable('credentials', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  entityId: uuid('entity_id')
    .notNull()
    .references(() => entities.id),
  kind: text('kind').$type<CredentialKind>().notNull(),
  usage: text('usage').$type<CredentialUsage>().notNull(),
  /** Whether we issued it, or somebody else. */
  source: text('source').$type<'external' | 'issued'>().notNull(),
  /** Who issued it, if we did. */
  certificationAuthorityId: uuid('certification_authority_id').references(() => certificationAuthorities.id),
  /** Whether whoever handed it in showed that he has the private key. */
  possession: text('possession').$type<CredentialPossession>().notNull().default('unproven'),
  /** That of its entity, which stays while this may count. */
  environment: text('environment').notNull(),
  /** Of the JWK; for a certificate the thumbprint of its key (RFC 7638). */
  kid: text('kid').notNull(),
  publicJwk: jsonb('public_jwk').$type<JsonObject>().notNull(),
  /** SHA-256 over the SubjectPublicKeyInfo, base64url. */
  spkiSha256: text('spki_sha256').notNull(),
  /** These are of certificates only: `x5t#S256`, the chain in base64 with the leaf first, what the leaf says. */
  x5tS256: text('x5t_s256'),
  x5c: jsonb('x5c').$type<string[]>(),
  subject: text('subject'),
  issuer: text('issuer'),
  serial: text('serial'),
  /** Null: none was found, or nobody looked, see pathJudgedAt. */
  path: jsonb('path').$type<CertificatePath>(),
  pathJudgedAt: timestamp('path_judged_at', { withTimezone: true }),
  /** First and last moment of its validity; null: without such a limit. */
  notBefore: timestamp('not_before', { withTimezone: true }),
  notAfter: timestamp('not_after', { withTimezone: true }),
  state: text('state').$type<DecidedCredentialState>().notNull(),
  stateReason: text('state_reason'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  revocationReason: text('revocation_reason').$type<CredentialRevocationReason>(),
  revokedAt: timestamp('revoked_at', { withTimezone: true }),
  /** The one whose place it takes. */
  supersedes: uuid('supersedes'),
  /** From then on its successor alone counts. */
  supersededAt: timestamp('superseded_at', { withTimezone: true }),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

/** Whose a transport key is: nobody else's credential may have it while that entity's may count. */
export const transportKeys = pgTable('transport_keys', {
  spkiSha256: text('spki_sha256').primaryKey(),
  entityId: uuid('entity_id')
    .notNull()
    .references(() => entities.id),
});
