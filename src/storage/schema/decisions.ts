/** What was answered to those who asked for admission: nothing but hashes of what was shown to them. */
import { sql } from 'drizzle-orm';
import { bigint, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';

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
    count: bigint('count', { mode: 'number' }).notNull(),
    /** The first of them. */
    decidedAt: timestamp('decided_at', { withTimezone: true }).notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [primaryKey({ columns: [table.chain, table.ordinal] })],
);

/** How each chain ends, and where it begins since its owner pruned it. */
export const decisionChains = pgTable('decision_chains', {
  chain: uuid('chain').primaryKey(),
  /** So far, pruned ones included. */
  rows: bigint('rows', { mode: 'number' }).notNull(),
  /** Of the last row. */
  hash: text('hash').notNull(),
  prunedRows: bigint('pruned_rows', { mode: 'number' }).notNull().default(0),
  /** Of the last one that was pruned. */
  prunedHash: text('pruned_hash'),
  startedAt: timestamp('started_at', { withTimezone: true }).notNull().default(sql`clock_timestamp()`),
});
