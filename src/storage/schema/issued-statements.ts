/** Statements as signed: every node serves these bytes until they change or reach half their life. */
import { bigint, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';

export const issuedStatements = pgTable(
  'issued_statements',
  {
    authorityId: uuid('authority_id')
      .notNull()
      .references(() => authorities.id),
    kind: text('kind')
      .$type<'entity-configuration' | 'subordinate-statement' | 'historical-keys' | 'hosted-configuration'>()
      .notNull(),
    /** Entity Identifier of the statement's `sub`; of the authority for its historical keys. */
    subject: text('subject').notNull(),
    /** Digest of the claims without `iat` and `exp`: equal means that the statement still says the truth. */
    claimsHash: text('claims_hash').notNull(),
    /** Grows with every change of the records that the claims come from; an older signer cannot overwrite a newer. */
    basisVersion: bigint('basis_version', { mode: 'number' }).notNull(),
    jwt: text('jwt').notNull(),
    issuedAt: timestamp('issued_at', { withTimezone: true }).notNull(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    refreshAt: timestamp('refresh_at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.authorityId, table.kind, table.subject] })],
);
