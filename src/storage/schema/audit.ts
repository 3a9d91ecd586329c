/** Who changed what, why and when, under the seq of the change; each row chained to the one before it. */
import { sql } from 'drizzle-orm';
import { bigint, integer, jsonb, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';

export const audit = pgTable(
  'audit',
  {
    seq: bigint('seq', { mode: 'number' }).notNull(),
    /** Position within the change, from 0. */
    ordinal: integer('ordinal').notNull(),
    at: timestamp('at', { withTimezone: true }).notNull(),
    actor: jsonb('actor').$type<JsonObject>().notNull(),
    action: text('action').notNull(),
    /** The authority that the change belongs to; null for what concerns the whole deployment. */
    authorityId: uuid('authority_id'),
    subjectKind: text('subject_kind').notNull(),
    subjectId: text('subject_id').notNull(),
    before: jsonb('before').$type<JsonObject>(),
    after: jsonb('after').$type<JsonObject>(),
    reason: text('reason'),
    requestId: text('request_id'),
    /** Over the hash of the row before and all other members, see audit-chain.ts. */
    hash: text('hash').notNull(),
    /** By the clock of the database, to measure the way of a change; not part of what is recorded. Null before there was one. */
    writtenAt: timestamp('written_at', { withTimezone: true }).default(sql`clock_timestamp()`),
  },
  (table) => [primaryKey({ columns: [table.seq, table.ordinal] })],
);
