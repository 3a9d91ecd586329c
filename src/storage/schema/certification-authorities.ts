/** Who issues certificates for an authority, and who answers about their status; private halves sealed, or in a token. */
import { bigint, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import { bytea } from './bytea.ts';

/** pending: its key is there, its certificate is not; retired: it issues nothing, and answers for what it issued. */
export type CertificationAuthorityState = 'pending' | 'active' | 'retired';
/** What a certificate is for: either end of TLS connections, or under what is signed. */
export type CertificateProfile = 'client' | 'server' | 'signing';
export type CertificationAlgorithm = 'ES256' | 'ES384' | 'RS256';

export const certificationAuthorities = pgTable('certification_authorities', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  name: text('name').notNull(),
  state: text('state').$type<CertificationAuthorityState>().notNull(),
  kid: text('kid').notNull().unique(),
  alg: text('alg').$type<CertificationAlgorithm>().notNull(),
  purpose: text('purpose').$type<'certification-authority'>().notNull().default('certification-authority'),
  publicJwk: jsonb('public_jwk').$type<JsonObject>().notNull(),
  sealedPrivateKey: bytea('sealed_private_key'),
  custody: text('custody').$type<'sealed' | 'pkcs11'>().notNull(),
  tokenObject: text('token_object'),
  /** PKCS#10, for whoever certifies it. */
  request: bytea('request').notNull(),
  /** Its own certificate first, then those above it, base64 of DER; null until it has one, as the next three. */
  x5c: jsonb('x5c').$type<string[]>(),
  x5tS256: text('x5t_s256'),
  notBefore: timestamp('not_before', { withTimezone: true }),
  notAfter: timestamp('not_after', { withTimezone: true }),
  /** Where clients find its lists of revocations and its responder; in each certificate that it issues. */
  publicUrl: text('public_url').notNull(),
  /** Longest validity of what it issues, in days. */
  validityDays: jsonb('validity_days').$type<Record<CertificateProfile, number>>().notNull(),
  /** How long an old certificate counts beside the one that renews it. */
  overlapDays: integer('overlap_days').notNull(),
  revocationListLifetimeSeconds: integer('revocation_list_lifetime_seconds').notNull(),
  /** Of the newest list; counted on with each. */
  revocationListNumber: bigint('revocation_list_number', { mode: 'number' }).notNull().default(0),
  activatedAt: timestamp('activated_at', { withTimezone: true }),
  retiredAt: timestamp('retired_at', { withTimezone: true }),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

/** Who answers for one about the status of certificates (RFC 6960 §2.6), for a short time each. */
export const ocspSigners = pgTable('ocsp_signers', {
  id: uuid('id').primaryKey(),
  certificationAuthorityId: uuid('certification_authority_id')
    .notNull()
    .references(() => certificationAuthorities.id),
  kid: text('kid').notNull().unique(),
  alg: text('alg').$type<CertificationAlgorithm>().notNull(),
  purpose: text('purpose').$type<'ocsp-responder'>().notNull().default('ocsp-responder'),
  publicJwk: jsonb('public_jwk').$type<JsonObject>().notNull(),
  /** Null once the key signs no more, and where a token has it. */
  sealedPrivateKey: bytea('sealed_private_key'),
  custody: text('custody').$type<'sealed' | 'pkcs11'>().notNull(),
  tokenObject: text('token_object'),
  certificate: bytea('certificate').notNull(),
  notBefore: timestamp('not_before', { withTimezone: true }).notNull(),
  notAfter: timestamp('not_after', { withTimezone: true }).notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

export const certificateRevocationLists = pgTable(
  'certificate_revocation_lists',
  {
    certificationAuthorityId: uuid('certification_authority_id')
      .notNull()
      .references(() => certificationAuthorities.id),
    number: bigint('number', { mode: 'number' }).notNull(),
    thisUpdate: timestamp('this_update', { withTimezone: true }).notNull(),
    nextUpdate: timestamp('next_update', { withTimezone: true }).notNull(),
    /** It holds every change up to this one. */
    seq: bigint('seq', { mode: 'number' }).notNull(),
    /** When the clock alone changes what belongs on it; null: never. */
    changesAt: timestamp('changes_at', { withTimezone: true }),
    entries: integer('entries').notNull(),
    /** Of all that it says of certificates: another list is made when this is another one. */
    digest: text('digest').notNull(),
    der: bytea('der').notNull(),
  },
  (table) => [primaryKey({ columns: [table.certificationAuthorityId, table.number] })],
);
