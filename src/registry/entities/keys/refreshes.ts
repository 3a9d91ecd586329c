/** When the configurations of active entities are fetched next; each is claimed by one node at a time. */
import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../../storage/connect.ts';
import { entityRefreshes } from '../../../storage/schema/entity-refreshes.ts';

export interface DueRefresh {
  entityId: string;
  /** Failures in a row so far. */
  failures: number;
  /** When it was claimed, by the clock of the database. */
  attemptedAt: Date;
}

/** Entities that are scheduled in one statement. */
const BATCH_SIZE = 5_000;
/** For so long what was claimed is nobody else's. */
const LEASE_SECONDS = 300;
/** The first retry after a failure, and after a change that makes another look worthwhile. */
const SOON_SECONDS = 60;
const FIRST_RETRY_SECONDS = 300;

/** Plans the first refresh of active entities that publish, spread by chance over the interval. */
export async function scheduleNew(db: Db, intervalSeconds: number, signal?: AbortSignal): Promise<void> {
  for (let scheduled = BATCH_SIZE; scheduled === BATCH_SIZE && signal?.aborted !== true; ) {
    // In one order at all nodes: none waits for another that waits for it.
    const { rows } = await db.execute(sql`
      insert into entity_refreshes (entity_id, next_refresh_at)
      select entities.id, now() + random() * ${inSeconds(intervalSeconds)}
      from entities left join entity_refreshes on entity_refreshes.entity_id = entities.id
      where entities.state = 'active' and entities.enrolment = 'published' and entity_refreshes.entity_id is null
      order by entities.id
      limit ${BATCH_SIZE}
      on conflict do nothing
      returning 1`);
    scheduled = rows.length;
  }
}

/**
 * Takes what is due, oldest first, by the one clock that all nodes share. For the time of the lease nobody else is given
 * it; whoever dies over it leaves it to others then.
 */
export async function claimDue(db: Db, limit: number): Promise<DueRefresh[]> {
  const due = sql`select entity_id from entity_refreshes where next_refresh_at <= now()
    order by next_refresh_at limit ${limit} for update skip locked`;
  // To the millisecond, as a Date has it.
  const now = sql`date_trunc('milliseconds', now())`;
  const rows = await db
    .update(entityRefreshes)
    .set({ nextRefreshAt: sql`${now} + ${inSeconds(LEASE_SECONDS)}`, attemptedAt: now })
    .where(sql`${entityRefreshes.entityId} = any(array(${due}))`)
    .returning({
      entityId: entityRefreshes.entityId,
      failures: entityRefreshes.failures,
      attemptedAt: entityRefreshes.attemptedAt,
    });
  return rows.flatMap(({ attemptedAt, ...row }) => (attemptedAt === null ? [] : [{ ...row, attemptedAt }]));
}

export interface RefreshPlan {
  intervalSeconds: number;
  /** Uniform in [0, 1): spreads what happened together. */
  random: () => number;
}

/**
 * Plans the next refresh: an interval after this one, give or take a tenth; after failures sooner, and then ever later.
 * One that was hastened meanwhile stays as early; one that somebody else claimed after the lease is theirs.
 */
export async function planNext(
  db: Db,
  { entityId, failures, attemptedAt }: DueRefresh,
  hasFailed: boolean,
  { intervalSeconds, random }: RefreshPlan,
): Promise<void> {
  const failed = hasFailed ? failures + 1 : 0;
  const backoff = FIRST_RETRY_SECONDS * 2 ** Math.min(failed - 1, 20);
  const seconds = Math.min(intervalSeconds, hasFailed ? backoff : intervalSeconds) * (0.9 + 0.2 * random());
  const planned = sql`${entityRefreshes.attemptedAt} + ${inSeconds(seconds)}`;
  const isHastened = sql`${entityRefreshes.nextRefreshAt} < ${entityRefreshes.attemptedAt} + ${inSeconds(LEASE_SECONDS)}`;
  await db
    .update(entityRefreshes)
    .set({
      nextRefreshAt: sql`case when ${isHastened} then least(${entityRefreshes.nextRefreshAt}, ${planned}) else ${planned} end`,
      failures: failed,
    })
    .where(and(eq(entityRefreshes.entityId, entityId), eq(entityRefreshes.attemptedAt, attemptedAt)));
}

/** Closed records are never looked at again. */
export async function forgetRefreshes(db: Db, entityIds: readonly string[]): Promise<void> {
  if (entityIds.length === 0) return;
  await db.delete(entityRefreshes).where(inArray(entityRefreshes.entityId, [...entityIds]));
}

/** Something changed that the next look at the configuration should take in soon. */
export async function hastenRefresh(tx: Tx, entityId: string): Promise<void> {
  await tx
    .update(entityRefreshes)
    .set({ nextRefreshAt: sql`least(${entityRefreshes.nextRefreshAt}, now() + ${inSeconds(SOON_SECONDS)})` })
    .where(eq(entityRefreshes.entityId, entityId));
}

function inSeconds(seconds: number): SQL {
  return sql`make_interval(secs => ${seconds}::double precision)`;
}
