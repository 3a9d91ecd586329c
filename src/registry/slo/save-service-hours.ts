/** Adds up what all nodes answered, hour by hour, so that it is known across restarts. */
import { sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Db } from '../../storage/connect.ts';
import { serviceHours } from '../../storage/schema/service-hours.ts';

/** What one kind of callers asks. */
export type Surface = 'federation' | 'admission' | 'api';

export interface Answered {
  requests: number;
  /** Failed through us: not those that were refused, nor for others that cannot be reached. */
  failures: number;
}

export interface ServiceMinute {
  at: Date;
  /** Whether this node is ready. */
  isReady: boolean;
  /** Since the last time. */
  answered: Readonly<Record<Surface, Answered>>;
}

/** Hours are known for so long. */
export const SERVICE_HOURS_MEMORY_SECONDS = 400 * 86_400;

const HOUR_MS = 3_600_000;

/** To be called at least every minute, or the minute counts as one in which nobody was ready. */
export async function saveServiceMinute(db: Db, { at, isReady, answered }: ServiceMinute): Promise<void> {
  const { federation, admission, api } = answered;
  const minute = 1n << BigInt(at.getUTCMinutes());
  const hours = serviceHours;
  const added = (column: PgColumn) => sql`${column} + excluded.${sql.identifier(column.name)}`;
  await db
    .insert(hours)
    .values({
      hour: new Date(at.getTime() - (at.getTime() % HOUR_MS)),
      readyMinutes: isReady ? minute : 0n,
      federationRequests: federation.requests,
      federationFailures: federation.failures,
      admissionRequests: admission.requests,
      admissionFailures: admission.failures,
      apiRequests: api.requests,
      apiFailures: api.failures,
    })
    .onConflictDoUpdate({
      target: hours.hour,
      set: {
        readyMinutes: sql`${hours.readyMinutes} | excluded.ready_minutes`,
        federationRequests: added(hours.federationRequests),
        federationFailures: added(hours.federationFailures),
        admissionRequests: added(hours.admissionRequests),
        admissionFailures: added(hours.admissionFailures),
        apiRequests: added(hours.apiRequests),
        apiFailures: added(hours.apiFailures),
      },
    });
}
