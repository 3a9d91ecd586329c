/** Reads enforcement points, with when they were last heard of; lists have what is removed if asked for it. */
import { and, asc, eq, getTableColumns, gt, ne, type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import {
  type EnforcementPointState,
  enforcementPointSightings,
  enforcementPoints,
} from '../../storage/schema/enforcement-points.ts';
import { ACCESS } from '../access.ts';
import { type Actor, notFound, reaches, requireRole } from '../actor.ts';
import { lastTrials } from '../canary/canary-trials.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { inReach } from '../reach.ts';
import { isRecordId } from '../record-id.ts';
import { RegistryError } from '../registry-error.ts';
import type { EnforcementPoint, EnforcementPointRow } from './enforcement-point.ts';

/** Also one that was removed. @throws RegistryError not_found (also when it is out of reach), role_missing */
export async function readEnforcementPoint(db: Db | Tx, actor: Actor, id: string): Promise<EnforcementPoint> {
  requireRole(actor, ACCESS.readEnforcementPoint.roles);
  const [point] = isRecordId(id) ? await select(db, eq(enforcementPoints.id, id), 1) : [];
  if (point === undefined || !reaches(actor, point.authorityId)) throw notFound('enforcement point', id);
  return point;
}

export interface EnforcementPointFilter {
  authorityId?: string;
  name?: string;
  /** Without it all but those removed. */
  state?: EnforcementPointState;
}

/** @throws RegistryError not_found when the filter names an authority out of reach, role_missing */
export async function listEnforcementPoints(
  db: Db,
  actor: Actor,
  { authorityId, name, state }: EnforcementPointFilter,
  request: PageRequest,
): Promise<Page<EnforcementPoint>> {
  const columns = { authority: enforcementPoints.authorityId };
  const reached = inReach(actor, ACCESS.listEnforcementPoints.roles, columns, authorityId);
  const after = cursorId(request);
  const found = await select(
    db,
    and(
      reached,
      name === undefined ? undefined : eq(enforcementPoints.name, name),
      state === undefined ? ne(enforcementPoints.state, 'removed') : eq(enforcementPoints.state, state),
      after === undefined ? undefined : gt(enforcementPoints.id, after),
    ),
    request.limit + 1,
  );
  return pageOf(found, request);
}

/** Takes hold of one until the transaction ends. @throws RegistryError not_found, illegal_transition when it is removed */
export async function lockEnforcementPoint(tx: Tx, id: string): Promise<EnforcementPointRow> {
  const [point] = await tx.select().from(enforcementPoints).where(eq(enforcementPoints.id, id)).for('no key update');
  if (point === undefined) throw notFound('enforcement point', id);
  if (point.state !== 'removed') return point;
  throw new RegistryError('illegal_transition', 'it is removed; add another one', { from: 'removed', allowed: [] });
}

const { tokenDigest, ...SHOWN } = getTableColumns(enforcementPoints);

async function select(db: Db | Tx, where: SQL | undefined, limit: number): Promise<EnforcementPoint[]> {
  const rows = await db
    .select({
      ...SHOWN,
      hasToken: sql<boolean>`${tokenDigest} IS NOT NULL`,
      lastSeenAt: enforcementPointSightings.seenAt,
      lastSeq: enforcementPointSightings.seq,
    })
    .from(enforcementPoints)
    .leftJoin(enforcementPointSightings, eq(enforcementPointSightings.enforcementPointId, enforcementPoints.id))
    .where(where)
    .orderBy(asc(enforcementPoints.id))
    .limit(limit);
  const watched = rows.filter(({ canaryUrl }) => canaryUrl !== null).map(({ id }) => id);
  const trials = await lastTrials(db, watched);
  return rows.map((row) => ({ ...row, lastCanaryTrial: trials.get(row.id) ?? null }));
}
