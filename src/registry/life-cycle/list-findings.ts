/** Lists all findings: what the upkeep noticed in the directory, and what was noticed about configurations and keys. */
import { and, asc, eq, sql } from 'drizzle-orm';
import { unionAll } from 'drizzle-orm/pg-core';
import type { Db } from '../../storage/connect.ts';
import { directoryFindings } from '../../storage/schema/directory-findings.ts';
import { entities } from '../../storage/schema/entities.ts';
import { entityFindings } from '../../storage/schema/entity-findings.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { ACCESS } from '../access.ts';
import type { Actor } from '../actor.ts';
import { FINDING_KINDS } from '../entities/keys/findings.ts';
import type { Page, PageRequest } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import { invalidField } from '../registry-error.ts';
import { DIRECTORY_FINDING_KINDS } from './directory-findings.ts';

export const ALL_FINDING_KINDS = [...DIRECTORY_FINDING_KINDS, ...FINDING_KINDS] as const;

export interface ListedFinding {
  id: string;
  kind: (typeof ALL_FINDING_KINDS)[number];
  authorityId: string;
  organisationId: string;
  /** Its legal name. */
  organisation: string;
  subjectKind: string;
  subjectId: string;
  /** What people know it by. */
  subjectName: string;
  /** For a person: what is wrong and what to do about it. */
  detail: string;
  since: Date;
}

export interface FindingFilter {
  authorityId?: string;
  organisationId?: string;
  kind?: ListedFinding['kind'];
}

/** The longest standing first. @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listFindings(
  db: Db,
  actor: Actor,
  { authorityId, organisationId, kind }: FindingFilter,
  request: PageRequest,
): Promise<Page<ListedFinding>> {
  const found = unionAll(
    db
      .select({
        id: directoryFindings.id,
        kind: directoryFindings.kind,
        authorityId: directoryFindings.authorityId,
        organisationId: directoryFindings.organisationId,
        subjectKind: directoryFindings.subjectKind,
        subjectId: directoryFindings.subjectId,
        subjectName: directoryFindings.subjectName,
        detail: directoryFindings.detail,
        since: directoryFindings.since,
      })
      .from(directoryFindings),
    db
      .select({
        id: entityFindings.id,
        kind: entityFindings.kind,
        authorityId: entities.authorityId,
        organisationId: entities.organisationId,
        subjectKind: sql<string>`'entity'`,
        subjectId: entities.id,
        subjectName: entities.entityIdentifier,
        detail: entityFindings.detail,
        since: entityFindings.since,
      })
      .from(entityFindings)
      .innerJoin(entities, eq(entities.id, entityFindings.entityId)),
  ).as('found');
  const columns = { authority: found.authorityId, organisation: found.organisationId };
  const reached = inReach(actor, ACCESS.listFindings.roles, columns, authorityId);
  const after = placeOf(request);
  const rows = await db
    .select({
      id: found.id,
      kind: found.kind,
      authorityId: found.authorityId,
      organisationId: found.organisationId,
      organisation: organisations.legalName,
      subjectKind: found.subjectKind,
      subjectId: found.subjectId,
      subjectName: found.subjectName,
      detail: found.detail,
      since: found.since,
    })
    .from(found)
    .innerJoin(organisations, eq(organisations.id, found.organisationId))
    .where(
      and(
        reached,
        organisationId === undefined ? undefined : eq(found.organisationId, organisationId),
        kind === undefined ? undefined : eq(found.kind, kind),
        after && sql`(${found.since}, ${found.id}) > (${after.since}::timestamptz, ${after.id}::uuid)`,
      ),
    )
    .orderBy(asc(found.since), asc(found.id))
    .limit(request.limit + 1);
  const items = rows.slice(0, request.limit).map((row) => ({ ...row, kind: row.kind as ListedFinding['kind'] }));
  const last = items.at(-1);
  if (rows.length <= request.limit || last === undefined) return { items };
  return { items, next: Buffer.from(`${last.since.toISOString()} ${last.id}`, 'latin1').toString('base64url') };
}

interface Place {
  since: string;
  id: string;
}

/** Where a page starts: findings come and go, so by when they were raised. @throws RegistryError validation_failed */
function placeOf({ cursor }: PageRequest): Place | undefined {
  if (cursor === undefined) return undefined;
  const place = readCursor(cursor);
  if (place === undefined) throw invalidField('/cursor', 'is no cursor of ours; use `next` of the page before');
  return place;
}

export function isFindingCursor(cursor: string): boolean {
  return readCursor(cursor) !== undefined;
}

function readCursor(cursor: string): Place | undefined {
  const [since = '', id = ''] = Buffer.from(cursor, 'base64url').toString('latin1').split(' ');
  // Years before 1000 are other ones to databases, or none; and not every month has 31 days.
  const ms = /^[1-9]\d{3}-/.test(since) ? Date.parse(since) : Number.NaN;
  const isOurs = !Number.isNaN(ms) && new Date(ms).toISOString() === since;
  return isOurs && isRecordId(id) ? { since, id } : undefined;
}
