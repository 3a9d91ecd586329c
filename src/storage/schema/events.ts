/** What others are told of each change of the registry, written with the change. */

import { sql } from 'drizzle-orm';
import { bigint, integer, jsonb, pgTable, primaryKey, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../../federation/json.ts';
import { authorities } from './authorities.ts';
import { entities } from './entities.ts';
import { organisations, type ParticipantState } from './organisations.ts';

/** A member whose status is another from a change on. */
export type StatusChange = {
  kind: 'organisation' | 'entity';
  id: string;
  /** The one that counts: of an entity the stricter of its own and its organisation's. */
  status: ParticipantState;
};

export const events = pgTable(
  'events',
  {
    seq: bigint('seq', { mode: 'number' }).notNull(),
    /** Position within the change, from 0. */
    ordinal: integer('ordinal').notNull(),
    type: text('type').notNull(),
    /** Null for what concerns the whole deployment. */
    authorityId: uuid('authority_id').references(() => authorities.id),
    subjectKind: text('subject_kind').notNull(),
    subjectId: text('subject_id').notNull(),
    /** Whom it is about, as far as it is about a member. */
    organisationId: uuid('organisation_id').references(() => organisations.id),
    entityId: uuid('entity_id').references(() => entities.id),
    /** Roles that the member had before or after it, by their ids: what receivers filter by. */
    roleIds: jsonb('role_ids').$type<string[]>().notNull(),
    /** Null: no status changed. */
    statuses: jsonb('statuses').$type<StatusChange[]>(),
    data: jsonb('data').$type<JsonObject>().notNull(),
    at: timestamp('at', { withTimezone: true }).notNull(),
    /** By the clock of the database, to measure its way. */
    writtenAt: timestamp('written_at', { withTimezone: true }).notNull().default(sql`clock_timestamp()`),
  },
  (table) => [primaryKey({ columns: [table.seq, table.ordinal] })],
);

/** One row: which events there are no more, or never were. */
export const eventStream = pgTable('event_stream', {
  id: smallint('id').primaryKey(),
  /** Of changes up to this seq no events are kept. */
  prunedThroughSeq: bigint('pruned_through_seq', { mode: 'number' }).notNull(),
});
