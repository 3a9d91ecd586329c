/** What the chain of the audit was at a seq, signed by an authority; rows are only ever added. */
import { bigint, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { authorities } from './authorities.ts';

export const auditCheckpoints = pgTable(
  'audit_checkpoints',
  {
    authorityId: uuid('authority_id')
      .notNull()
      .references(() => authorities.id),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    /** Of the last row under `seq`. */
    hash: text('hash').notNull(),
    /** Number of rows up to and under `seq`. */
    rows: bigint('rows', { mode: 'number' }).notNull(),
    jwt: text('jwt').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.authorityId, table.seq] })],
);
