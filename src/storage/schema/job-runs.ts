/** How jobs that run again and again fared last. */
import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

export const jobRuns = pgTable('job_runs', {
  name: text('name').primaryKey(),
  lastStartedAt: timestamp('last_started_at', { withTimezone: true }),
  lastSucceededAt: timestamp('last_succeeded_at', { withTimezone: true }),
  lastFailedAt: timestamp('last_failed_at', { withTimezone: true }),
  lastDurationMs: integer('last_duration_ms'),
  /** In a row, until now. */
  failures: integer('failures').notNull().default(0),
  lastError: text('last_error'),
  nextRunAt: timestamp('next_run_at', { withTimezone: true }),
  /** The node where it is at work; null: nowhere. */
  runningOn: text('running_on'),
});
