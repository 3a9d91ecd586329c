/** What was answered to those who asked for admission: nothing but hashes of what was shown to them. */
import { bigint, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';

export const decisions = pgTable(
  'decisions',
  {
    /** Of one run of a node; each row is chained to the one before it. */
    chain: uuid('chain').notNull(),
    /** Position in the chain, from 0. */
    ordinal: bigint('ordinal', { mode: 'number' }).notNull(),
    authorityId: uuid('authority_id').notNull(),
    enforcementPointId: uuid('enforcement_point_id').notNull(),
    decision: text('decision').$type<'allow' | 'deny'>().notNull(),
    reasons: jsonb('reasons').$type<string[]>().notNull(),
    /** Whom the certificate belongs to, if anybody knows. */
    entityId: uuid('entity_id'),
    organisationId: uuid('organisation_id'),
    apiId: uuid('api_id'),
    onBehalfOf: uuid('on_behalf_of'),
    /** `x5t#S256` of the certificate; null: none, or too many different ones in that second. */
    certificateSha256: text('certificate_sha256'),
    /** SHA-256 of the access token, base64url. */
    tokenSha256: text('token_sha256'),
    /** What the node knew. */
    seq: bigint('seq', { mode: 'number' }).notNull(),
    /** Equal ones within a second are one row. */
    count: integer('count').notNull(),
    /** The first of them. */
    decidedAt: timestamp('decided_at', { withTimezone: true }).notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [primaryKey({ columns: [table.chain, table.ordinal] })],
);
