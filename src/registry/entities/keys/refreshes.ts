/** When the configurations of active entities are fetched next; each is claimed by one node at a time. */
import { eq, inArray, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../../storage/connect.ts';
import { entityRefreshes } from '../../../storage/schema/entity-refreshes.ts';

export interface DueRefresh {
  entityId: string;
  /** Failures in a row so far. */
  failures: number;
}

/** Entities that are scheduled in one statement. */
const BATCH_SIZE = 5_000;
/** The first retry after a failure, and after a change that makes another look worthwhile. */
const SOON_SECONDS = 60;
const FIRST_RETRY_SECONDS = 300;

/** Plans the first refresh of active entities that publish, spread by chance over the interval. */
export async function scheduleNew(db: Db, now: Date, intervalSeconds: number, signal?: AbortSignal): Promise<void> {
  const at = now.toISOString();
  for (let scheduled = BATCH_SIZE; scheduled === BATCH_SIZE && signal?.aborted !== true; ) {
    const { rows } = await db.execute(sql`
      insert into entity_refreshes (entity_id, next_refresh_at)
      select entities.id, ${at}::timestamptz + random() * ${intervalSeconds}::int * interval '1 second'
      from entities left join entity_refreshes on entity_refreshes.entity_id = entities.id
      where entities.state = 'active' and entities.enrolment = 'published' and entity_refreshes.entity_id is null
      limit ${BATCH_SIZE}
      on conflict do nothing
      returning 1`);
    scheduled = rows.length;
  }
}

/**
 * Takes what is due, oldest first. For the time of the lease nobody else is given it; whoever dies over it leaves it to
 * others then.
 */
export async function claimDue(db: Db, now: Date, limit: number, leaseSeconds: number): Promise<DueRefresh[]> {
  const due = sql`select entity_id from entity_refreshes where next_refresh_at <= ${now.toISOString()}::timestamptz
    order by next_refresh_at limit ${limit} for update skip locked`;
  return await db
    .update(entityRefreshes)
    .set({ nextRefreshAt: inSeconds(now, leaseSeconds), attemptedAt: now })
    .where(sql`${entityRefreshes.entityId} = any(array(${due}))`)
    .returning({ entityId: entityRefreshes.entityId, failures: entityRefreshes.failures });
}

export interface RefreshPlan {
  intervalSeconds: number;
  /** Uniform in [0, 1): spreads what happened together. */
  random: () => number;
}

/** Plans the next refresh: an interval later, give or take a tenth; after failures sooner, and then ever later. */
export async function planNext(
  db: Db,
  { entityId, failures }: DueRefresh,
  hasFailed: boolean,
  now: Date,
  { intervalSeconds, random }: RefreshPlan,
): Promise<void> {
  const failed = hasFailed ? failures + 1 : 0;
  const backoff = FIRST_RETRY_SECONDS * 2 ** Math.min(failed - 1, 20);
  const seconds = Math.min(intervalSeconds, hasFailed ? backoff : intervalSeconds) * (0.9 + 0.2 * random());
  await db
    .update(entityRefreshes)
    .set({ nextRefreshAt: inSeconds(now, seconds), failures: failed })
    .where(eq(entityRefreshes.entityId, entityId));
}

/** Closed records are never looked at again. */
export async function forgetRefreshes(db: Db, entityIds: readonly string[]): Promise<void> {
  if (entityIds.length === 0) return;
  await db.delete(entityRefreshes).where(inArray(entityRefreshes.entityId, [...entityIds]));
}

/** Something changed that the next look at the configuration should take in soon. */
export async function hastenRefresh(tx: Tx, entityId: string, now: Date): Promise<void> {
  const soon = inSeconds(now, SOON_SECONDS).toISOString();
  await tx
    .update(entityRefreshes)
    .set({ nextRefreshAt: sql`least(${entityRefreshes.nextRefreshAt}, ${soon}::timestamptz)` })
    .where(eq(entityRefreshes.entityId, entityId));
}

function inSeconds(from: Date, seconds: number): Date {
  return new Date(from.getTime() + seconds * 1000);
}
