/** What became of a member that is always suspended, where it knocked. */
import { integer, pgTable, primaryKey, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { enforcementPoints } from './enforcement-points.ts';

export type CanaryOutcome = 'refused' | 'admitted' | 'unclear';

export const canaryTrials = pgTable(
  'canary_trials',
  {
    enforcementPointId: uuid('enforcement_point_id')
      .notNull()
      .references(() => enforcementPoints.id),
    triedAt: timestamp('tried_at', { withTimezone: true }).notNull(),
    outcome: text('outcome').$type<CanaryOutcome>().notNull(),
    /** Of the HTTP response; null: there was none. */
    status: integer('status'),
    detail: text('detail').notNull(),
  },
  (table) => [primaryKey({ columns: [table.enforcementPointId, table.triedAt] })],
);

/** When it knocks next; whoever moves that on does the knocking. */
export const canaryTurns = pgTable('canary_turns', {
  enforcementPointId: uuid('enforcement_point_id')
    .primaryKey()
    .references(() => enforcementPoints.id),
  nextAt: timestamp('next_at', { withTimezone: true }).notNull(),
});
