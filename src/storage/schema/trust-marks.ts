/** Who is granted which Trust Mark, and what was signed about it. */
import { bigint, integer, jsonb, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import { bytea } from './bytea.ts';
import { entities } from './entities.ts';
import { trustMarkTypes } from './trust-mark-types.ts';

export type TrustMarkState = 'pending' | 'active' | 'rejected' | 'withdrawn';

/** A grant: as long as it stands, a mark is signed for whoever asks. */
export const trustMarks = pgTable('trust_marks', {
  id: uuid('id').primaryKey(),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  typeId: uuid('type_id')
    .notNull()
    .references(() => trustMarkTypes.id),
  /** Entity Identifier of who bears the mark. */
  subject: text('subject').notNull(),
  /** Its record under the same authority; null for a subject that was not enrolled there when the mark was granted. */
  entityId: uuid('entity_id').references(() => entities.id),
  state: text('state').$type<TrustMarkState>().notNull(),
  stateReason: text('state_reason'),
  stateChangedAt: timestamp('state_changed_at', { withTimezone: true }).notNull(),
  /** Claims of this mark besides those of its type; they take precedence. */
  additionalClaims: jsonb('additional_claims').$type<JsonObject>().notNull(),
  /** End of the grant; null: none. */
  expiresAt: timestamp('expires_at', { withTimezone: true }),
  requestedBy: text('requested_by').$type<'entity' | 'authority'>().notNull(),
  version: integer('version').notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
});

/** Every mark that was ever signed, for as long as somebody may ask about it. */
export const issuedTrustMarks = pgTable('issued_trust_marks', {
  /** SHA-256 of the compact JWT. */
  digest: bytea('digest').primaryKey(),
  trustMarkId: uuid('trust_mark_id')
    .notNull()
    .references(() => trustMarks.id),
  authorityId: uuid('authority_id')
    .notNull()
    .references(() => authorities.id),
  kid: text('kid').notNull(),
  issuedAt: timestamp('issued_at', { withTimezone: true }).notNull(),
  /** `exp`; null for a mark without. */
  expiresAt: timestamp('expires_at', { withTimezone: true }),
});

/** Marks as last signed: every node serves these bytes until they change or reach half their life. */
export const currentTrustMarks = pgTable('current_trust_marks', {
  trustMarkId: uuid('trust_mark_id')
    .primaryKey()
    .references(() => trustMarks.id),
  /** Digest of the claims without times, of the signing key and of what limits its life. */
  claimsHash: text('claims_hash').notNull(),
  /** Grows with every change of the records that the claims come from; an older signer cannot overwrite a newer. */
  basisVersion: bigint('basis_version', { mode: 'number' }).notNull(),
  jwt: text('jwt').notNull(),
  issuedAt: timestamp('issued_at', { withTimezone: true }).notNull(),
  expiresAt: timestamp('expires_at', { withTimezone: true }),
  /** Null where nothing but a change makes another necessary. */
  refreshAt: timestamp('refresh_at', { withTimezone: true }),
});
