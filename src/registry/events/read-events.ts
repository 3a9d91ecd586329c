/** Reads the stream of events in its order: for lists, streams and webhooks alike. */
import { and, asc, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { eventStream, events } from '../../storage/schema/events.ts';
import { RegistryError } from '../registry-error.ts';
import type { EventPlace, EventRow } from './event-body.ts';
import { matchesTypes, typesOf } from './event-types.ts';

/** Whose events, and which; whoever may see all of these is asked nothing more. */
export interface EventFilter {
  /** `all` includes those of the whole deployment. */
  authorityIds: 'all' | readonly string[];
  /** Of the member that an event is about. */
  organisationIds?: 'all' | readonly string[];
  entityIds?: 'all' | readonly string[];
  subjectKinds?: 'all' | readonly string[];
  /** Types, or kinds such as `organisation.*`; none: all. */
  types: readonly string[];
  /** Of which the member has one, by their ids; none: all. */
  roleIds: readonly string[];
}

export interface EventRange {
  /** Exclusive. */
  after: EventPlace;
  /** Changes up to this seq, inclusive: what a node answers by. */
  throughSeq?: number;
  limit: number;
}

/** Up to `limit` events after a place, in their order. */
export async function readEvents(db: Db | Tx, range: EventRange, filter: EventFilter): Promise<EventRow[]> {
  const { after, throughSeq, limit } = range;
  return await db
    .select()
    .from(events)
    .where(
      and(
        sql`(${events.seq}, ${events.ordinal}) > (${after.seq}, ${after.ordinal})`,
        throughSeq === undefined ? undefined : sql`${events.seq} <= ${throughSeq}`,
        isWanted(filter),
      ),
    )
    .orderBy(asc(events.seq), asc(events.ordinal))
    .limit(limit);
}

/** For readers that select themselves. */
export function isWanted(filter: EventFilter): SQL | undefined {
  const { authorityIds, organisationIds = 'all', entityIds = 'all', subjectKinds = 'all', types, roleIds } = filter;
  return and(
    authorityIds === 'all' ? undefined : inArray(events.authorityId, [...authorityIds]),
    organisationIds === 'all' ? undefined : inArray(events.organisationId, [...organisationIds]),
    entityIds === 'all' ? undefined : inArray(events.entityId, [...entityIds]),
    subjectKinds === 'all' ? undefined : inArray(events.subjectKind, [...subjectKinds]),
    types.length === 0 ? undefined : inArray(events.type, typesOf(types)),
    // Each is a text in an array of texts.
    roleIds.length === 0 ? undefined : or(...roleIds.map((id) => sql`${events.roleIds} ? ${id}`)),
  );
}

/** The same of an event that was read already. */
export function isWantedEvent(event: EventRow, filter: EventFilter): boolean {
  const { authorityIds, organisationIds = 'all', entityIds = 'all', subjectKinds = 'all', types, roleIds } = filter;
  return (
    isOneOf(event.authorityId, authorityIds) &&
    isOneOf(event.organisationId, organisationIds) &&
    isOneOf(event.entityId, entityIds) &&
    isOneOf(event.subjectKind, subjectKinds) &&
    matchesTypes(types, event.type) &&
    (roleIds.length === 0 || roleIds.some((id) => event.roleIds.includes(id)))
  );
}

function isOneOf(value: string | null, wanted: 'all' | readonly string[]): boolean {
  return wanted === 'all' || (value !== null && wanted.includes(value));
}

/** Of changes up to this seq no events are kept. */
export async function prunedThroughSeq(db: Db | Tx): Promise<number> {
  const [stream] = await db
    .select({ seq: eventStream.prunedThroughSeq })
    .from(eventStream)
    .where(eq(eventStream.id, 1));
  if (stream === undefined) throw new Error('the event stream has lost its row; restore the database');
  return stream.seq;
}

/**
 * To be called after what follows `seq` was read: then nothing of it was pruned before.
 * @throws RegistryError resync_required
 */
export async function requireKeptSince(db: Db | Tx, seq: number): Promise<void> {
  requireKept(seq, await prunedThroughSeq(db));
}

/** @throws RegistryError resync_required */
export function requireKept(seq: number, pruned: number): void {
  if (seq >= pruned) return;
  const message = `changes up to ${pruned} are no longer kept as events; read what there is, and follow from there`;
  throw new RegistryError('resync_required', message, { keptSince: pruned });
}
