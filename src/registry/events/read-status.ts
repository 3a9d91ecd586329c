/** The status of members as the public sees it: of one, of all, and what changed since a seq. */
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import type { StatusChange } from '../../storage/schema/events.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { effectiveState } from '../states.ts';
import { isPublished, PUBLISHED_STATUSES, type PublishedStatus } from './published-status.ts';
import { requireKept } from './read-events.ts';

/** A member with the status that counts. */
export interface MemberStatus {
  kind: StatusChange['kind'];
  id: string;
  status: PublishedStatus;
}

export interface DatedStatus extends MemberStatus {
  /** Of the change by which it has it. */
  seq: number;
}

export interface StatusChanges {
  /** Of each member the latest, in the order of the changes. */
  items: DatedStatus[];
  /** Up to where they reach: what to ask for next. */
  nextSeq: number;
}

export interface StatusRange {
  /** Exclusive. */
  since: number;
  /** What the node answers by. */
  throughSeq: number;
  /** Of statuses; a change is never divided, so that there may be more. */
  limit: number;
}

/**
 * One query, unless a single change concerns very many.
 * @throws RegistryError resync_required when changes since then are not kept any more
 */
export async function readStatusChanges(db: Db, range: StatusRange): Promise<StatusChanges> {
  const { since, throughSeq, limit } = range;
  const rows = await readKept(db, range);
  const beyond = rows.findIndex(({ statuses }, place) => statuses === null || place === limit);
  if (beyond === -1) return { items: latestOf(rows), nextSeq: throughSeq };
  const whole = rows.slice(0, beyond);
  const nextSeq = whole.at(-1)?.seq ?? since;
  if (rows[beyond]?.seq !== nextSeq) return { items: latestOf(whole), nextSeq };
  // The last change goes on.
  return { items: latestOf(await readKept(db, { since, throughSeq: nextSeq })), nextSeq };
}

interface StatusRow {
  seq: number;
  /** Null where there are `limit` before it: of a large change nothing is read in vain. */
  statuses: StatusChange[] | null;
}

function latestOf(rows: readonly StatusRow[]): DatedStatus[] {
  const latest = new Map<string, DatedStatus>();
  for (const { seq, statuses } of rows) {
    for (const change of statuses ?? []) {
      latest.delete(change.id);
      for (const member of shown(change)) latest.set(member.id, { ...member, seq });
    }
  }
  return [...latest.values()];
}

/**
 * What changed, in its order, together with how far back that is kept: of one moment, so that nothing is pruned between.
 * All in one row: whoever follows asks often, and rows cost more than what stands in them.
 * @throws RegistryError resync_required
 */
async function readKept(
  db: Db,
  { since, throughSeq, limit }: Omit<StatusRange, 'limit'> & { limit?: number },
): Promise<StatusRow[]> {
  const shown = limit === undefined ? sql`statuses` : sql`CASE WHEN before < ${limit}::int THEN statuses END`;
  // One more says whether there is more. The condition is that of the index of such events.
  const { rows } = await db.execute<{
    pruned: string | number;
    page: [seq: number, statuses: StatusChange[] | null][];
  }>(sql`
    SELECT pruned_through_seq AS pruned,
      (SELECT coalesce(json_agg(json_build_array(seq, ${shown}) ORDER BY seq, ordinal), '[]')
        FROM (SELECT seq, ordinal, statuses,
            sum(jsonb_array_length(statuses)) OVER (ORDER BY seq, ordinal ROWS UNBOUNDED PRECEDING)
              - jsonb_array_length(statuses) AS before
          FROM (SELECT seq, ordinal, statuses FROM events
            WHERE statuses IS NOT NULL AND seq > ${since}::bigint AND seq <= ${throughSeq}::bigint
            ORDER BY seq, ordinal LIMIT ${limit === undefined ? null : limit + 1}::int) AS kept) AS counted) AS page
    FROM event_stream WHERE id = 1`);
  const [found] = rows;
  if (found === undefined) throw new Error('the event stream has lost its row; restore the database');
  requireKept(since, Number(found.pruned));
  return found.page.map(([seq, statuses]) => ({ seq, statuses }));
}

export interface StatusPage {
  items: MemberStatus[];
  /** Cursor of the next page; absent on the last. */
  next?: string;
  /** Whoever has read all pages asks for what changed since then. */
  nextSeq: number;
}

/** Where a reading of all goes on, and the seq with which it began. */
interface Position {
  seq: number;
  afterId: string;
}

/**
 * All members in the order of their ids. What changes between pages may or may not show, and is told since `nextSeq`.
 * @param request `seq` is what the node answers by
 * @throws RegistryError validation_failed for a cursor that is none of ours
 */
export async function readAllStatuses(
  db: Db,
  { cursor, limit, seq }: { cursor?: string | undefined; limit: number; seq: number },
): Promise<StatusPage> {
  const position = cursor === undefined ? undefined : parseStatusCursor(cursor);
  if (cursor !== undefined && position === undefined) {
    throw invalidField('/cursor', 'is no cursor of ours; use `next` of the page before');
  }
  const after = position?.afterId;
  const [some, others] = [await organisationStatuses(db, after, limit + 1), await entityStatuses(db, after, limit + 1)];
  const found = [...some, ...others].sort((one, other) => (one.id < other.id ? -1 : 1));
  const items = found.slice(0, limit);
  const nextSeq = position?.seq ?? seq;
  const last = items.at(-1);
  if (found.length <= limit || last === undefined) return { items, nextSeq };
  return { items, next: Buffer.from(`${nextSeq}.${last.id}`, 'latin1').toString('base64url'), nextSeq };
}

/** @returns undefined for what is no cursor of ours */
export function parseStatusCursor(cursor: string): Position | undefined {
  const [, seq, afterId = ''] = /^(\d{1,15})\.(.{36})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  return seq === undefined || !isRecordId(afterId) ? undefined : { seq: Number(seq), afterId };
}

/** None that the public does not know, whatever was read. */
function shown({ kind, id, status }: StatusChange): MemberStatus[] {
  return isPublished(status) ? [{ kind, id, status }] : [];
}

async function organisationStatuses(db: Db, after: string | undefined, limit: number): Promise<MemberStatus[]> {
  const rows = await db
    .select({ id: organisations.id, status: organisations.state })
    .from(organisations)
    .where(
      and(
        inArray(organisations.state, [...PUBLISHED_STATUSES]),
        after === undefined ? undefined : gt(organisations.id, after),
      ),
    )
    .orderBy(asc(organisations.id))
    .limit(limit);
  return rows.flatMap((row) => shown({ kind: 'organisation', ...row }));
}

async function entityStatuses(db: Db, after: string | undefined, limit: number): Promise<MemberStatus[]> {
  const rows = await db
    .select({ id: entities.id, own: entities.state, organisation: organisations.state })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(inArray(entities.state, [...PUBLISHED_STATUSES]), after === undefined ? undefined : gt(entities.id, after)),
    )
    .orderBy(asc(entities.id))
    .limit(limit);
  return rows.flatMap(({ id, own, organisation }) =>
    shown({ kind: 'entity', id, status: effectiveState(own, organisation) }),
  );
}

/** @throws RegistryError unknown_participant, also for who was never published */
export async function readStatus(db: Db, id: string): Promise<MemberStatus> {
  const [member] = isRecordId(id) ? [...(await entityStatus(db, id)), ...(await organisationStatus(db, id))] : [];
  if (member === undefined) throw new RegistryError('unknown_participant', 'no participant has such an id');
  return member;
}

async function entityStatus(db: Db, id: string): Promise<MemberStatus[]> {
  const [entity] = await db
    .select({ own: entities.state, organisation: organisations.state })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(and(eq(entities.id, id), inArray(entities.state, [...PUBLISHED_STATUSES])));
  return entity === undefined
    ? []
    : shown({ kind: 'entity', id, status: effectiveState(entity.own, entity.organisation) });
}

async function organisationStatus(db: Db, id: string): Promise<MemberStatus[]> {
  const { state } = organisations;
  const [organisation] = await db
    .select({ state })
    .from(organisations)
    .where(and(eq(organisations.id, id), inArray(state, [...PUBLISHED_STATUSES])));
  return organisation === undefined ? [] : shown({ kind: 'organisation', id, status: organisation.state });
}
