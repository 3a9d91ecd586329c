/** What is asked of a certification authority, with which code, and what is told of certificates that end soon. */
import { boolean, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import { bytea } from './bytea.ts';
import { type CertificateProfile, certificationAuthorities } from './certification-authorities.ts';
import { credentials } from './credentials.ts';
import { entities } from './entities.ts';

export type CertificateRequestState = 'pending' | 'issued' | 'rejected' | 'lapsed';

export const certificateRequests = pgTable('certificate_requests', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  entityId: uuid('entity_id')
    .notNull()
    .references(() => entities.id),
  certificationAuthorityId: uuid('certification_authority_id')
    .notNull()
    .references(() => certificationAuthorities.id),
  profile: text('profile').$type<CertificateProfile>().notNull(),
  state: text('state').$type<CertificateRequestState>().notNull(),
  /** PKCS#10 as it came. */
  request: bytea('request').notNull(),
  /** SHA-256 over the SubjectPublicKeyInfo, base64url. */
  spkiSha256: text('spki_sha256').notNull(),
  /** The certificate that it is to take the place of. */
  replaces: uuid('replaces').references(() => credentials.id),
  credentialId: uuid('credential_id').references(() => credentials.id),
  channel: text('channel').$type<'api' | 'est'>().notNull(),
  requestedBy: jsonb('requested_by').$type<JsonObject>().notNull(),
  decidedBy: jsonb('decided_by').$type<JsonObject>(),
  decidedAt: timestamp('decided_at', { withTimezone: true }),
  reason: text('reason'),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

/** For one request each: whoever has the code may ask for a certificate of this application without any token. */
export const certificateCodes = pgTable('certificate_codes', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  entityId: uuid('entity_id')
    .notNull()
    .references(() => entities.id),
  certificationAuthorityId: uuid('certification_authority_id')
    .notNull()
    .references(() => certificationAuthorities.id),
  profile: text('profile').$type<CertificateProfile>().notNull(),
  /** SHA-256 of the code, base64url. */
  codeSha256: text('code_sha256').notNull().unique(),
  /** Made by somebody who may approve: then nobody has to approve what comes with it. */
  isApproval: boolean('is_approval').notNull(),
  madeBy: jsonb('made_by').$type<JsonObject>().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
  usedAt: timestamp('used_at', { withTimezone: true }),
  /** SHA-256 of the request that it was used for; the same may be sent again until it expires. */
  requestSha256: text('request_sha256'),
  requestId: uuid('request_id').references(() => certificateRequests.id),
});

/** That a certificate ends soon is told once for each of some numbers of days. */
export const certificateReminders = pgTable(
  'certificate_reminders',
  {
    credentialId: uuid('credential_id')
      .notNull()
      .references(() => credentials.id),
    days: integer('days').notNull(),
    toldAt: timestamp('told_at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.credentialId, table.days] })],
);
