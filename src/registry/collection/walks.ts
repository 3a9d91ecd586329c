/** When the lists of Intermediates elsewhere are walked next; each is claimed by one node at a time. @see COLLECTION §2 */
import { and, eq, inArray, max, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { collectionWalks } from '../../storage/schema/collected-entities.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';

export interface DueWalk {
  entityId: string;
  /** Of the Intermediate, and the authority of ours that vouches for it. */
  entityIdentifier: string;
  authorityId: string;
  failures: number;
  /** When it was claimed, by the clock of the database. */
  attemptedAt: Date;
}

/** For so long what was claimed is nobody else's: longer than any walk. */
export const WALK_LEASE_SECONDS = 900;
const FIRST_RETRY_SECONDS = 600;

/** Plans the first walk of active Intermediates that are no authorities of ours, soon, but not all at once. */
export async function scheduleWalks(db: Db, ownIdentifiers: readonly string[], withinSeconds: number): Promise<void> {
  const own = ownIdentifiers.length === 0 ? sql`` : sql`and entities.entity_identifier not in ${[...ownIdentifiers]}`;
  await db.execute(sql`
    insert into collection_walks (entity_id, next_walk_at)
    select entities.id, now() + random() * ${inSeconds(withinSeconds)}
    from entities left join collection_walks on collection_walks.entity_id = entities.id
    where entities.state = 'active' and coalesce(entities.verified_intermediate, entities.registered_intermediate)
      and collection_walks.entity_id is null ${own}
    order by entities.id
    on conflict do nothing`);
}

/** Takes the one that is longest due, by the one clock that all nodes share, if it may still vouch; else undefined. */
export async function claimWalk(db: Db): Promise<DueWalk | undefined> {
  const due = sql`select collection_walks.entity_id from collection_walks
    join entities on entities.id = collection_walks.entity_id and entities.state = 'active'
    join organisations on organisations.id = entities.organisation_id and organisations.state = 'active'
    where next_walk_at <= now() order by next_walk_at limit 1 for update of collection_walks skip locked`;
  // To the millisecond, as a Date has it.
  const now = sql`date_trunc('milliseconds', now())`;
  const [claimed] = await db
    .update(collectionWalks)
    .set({ nextWalkAt: sql`${now} + ${inSeconds(WALK_LEASE_SECONDS)}`, attemptedAt: now })
    .where(sql`${collectionWalks.entityId} = any(array(${due}))`)
    .returning({
      entityId: collectionWalks.entityId,
      failures: collectionWalks.failures,
      attemptedAt: collectionWalks.attemptedAt,
    });
  if (claimed === undefined || claimed.attemptedAt === null) return undefined;
  const { attemptedAt } = claimed;
  const [entity] = await db
    .select({ entityIdentifier: entities.entityIdentifier, authorityId: entities.authorityId })
    .from(entities)
    .where(eq(entities.id, claimed.entityId));
  return entity && { ...claimed, ...entity, attemptedAt };
}

/** The next walk: an interval after this one, give or take a tenth; after trouble that may pass sooner. */
export async function planNextWalk(
  db: Db,
  { entityId, failures, attemptedAt }: DueWalk,
  hasTrouble: boolean,
  { intervalSeconds, random, now }: { intervalSeconds: number; random: () => number; now: Date },
): Promise<void> {
  const failed = hasTrouble ? failures + 1 : 0;
  const backoff = FIRST_RETRY_SECONDS * 2 ** Math.min(failed - 1, 20);
  const seconds = Math.min(intervalSeconds, hasTrouble ? backoff : intervalSeconds) * (0.9 + 0.2 * random());
  await db
    .update(collectionWalks)
    .set({
      nextWalkAt: sql`${collectionWalks.attemptedAt} + ${inSeconds(seconds)}`,
      failures: failed,
      walkedAt: now,
    })
    .where(and(eq(collectionWalks.entityId, entityId), eq(collectionWalks.attemptedAt, attemptedAt)));
}

/** Whether the Intermediate and its organisation are active. */
export async function mayVouch(db: Db, entityId: string): Promise<boolean> {
  const [active] = await db
    .select({ id: entities.id })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(and(eq(entities.id, entityId), eq(entities.state, 'active'), eq(organisations.state, 'active')));
  return active !== undefined;
}

/** When anything below Intermediates of these authorities was last walked; null: never. */
export async function lastWalkBelow(db: Db, authorityIds: readonly string[]): Promise<Date | null> {
  const [row] = await db
    .select({ at: max(collectionWalks.walkedAt) })
    .from(collectionWalks)
    .innerJoin(entities, eq(entities.id, collectionWalks.entityId))
    .where(inArray(entities.authorityId, [...authorityIds]));
  return row?.at ?? null;
}

function inSeconds(seconds: number): SQL {
  return sql`make_interval(secs => ${seconds}::double precision)`;
}
