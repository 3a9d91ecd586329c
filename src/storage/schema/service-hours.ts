/** What was answered in each hour by all nodes together: whoever restarts goes on adding to it. */
import { bigint, pgTable, timestamp } from 'drizzle-orm/pg-core';

export const serviceHours = pgTable('service_hours', {
  hour: timestamp('hour', { withTimezone: true }).primaryKey(),
  /** A bit a minute, the first lowest: in that minute some node was ready. */
  readyMinutes: bigint('ready_minutes', { mode: 'bigint' }).notNull(),
  federationRequests: bigint('federation_requests', { mode: 'number' }).notNull(),
  /** Failed through us: not those that were refused, nor for others that cannot be reached. */
  federationFailures: bigint('federation_failures', { mode: 'number' }).notNull(),
  admissionRequests: bigint('admission_requests', { mode: 'number' }).notNull(),
  admissionFailures: bigint('admission_failures', { mode: 'number' }).notNull(),
  apiRequests: bigint('api_requests', { mode: 'number' }).notNull(),
  apiFailures: bigint('api_failures', { mode: 'number' }).notNull(),
});
