/** How far a change has come: which enforcement points act on it, since when, and who does not yet. */
import { and, asc, desc, eq, isNull, min, or, type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { audit } from '../../storage/schema/audit.ts';
import {
  enforcementPointAcknowledgements as acknowledgements,
  enforcementPoints,
  enforcementPointSightings as sightings,
} from '../../storage/schema/enforcement-points.ts';
import { registryCounter } from '../../storage/schema/registry-counter.ts';
import { ACCESS } from '../access.ts';
import type { Actor } from '../actor.ts';
import { type CanaryTrial, lastTrials } from '../canary/canary-trials.ts';
import { inReach } from '../reach.ts';
import { RegistryError } from '../registry-error.ts';
import { ACKNOWLEDGEMENT_MEMORY_SECONDS } from './save-acknowledgements.ts';

export interface PointPropagation {
  enforcementPointId: string;
  name: string;
  authorityId: string;
  /** When it was first known to act on the change, or on a later one; null: it is not. */
  acknowledgedAt: Date | null;
  /** From when the change was written until then. */
  lagMs: number | null;
  via: 'call' | 'stream' | null;
  /** Null: never. */
  lastSeenAt: Date | null;
  /** The last time that a suspended member knocked there; null where none does. */
  canary: CanaryTrial | null;
}

export interface Propagation {
  seq: number;
  writtenAt: Date;
  /** By the clock of the database, like all of it. */
  evaluatedAt: Date;
  /** Those that wait first, then by their lag, the longest first. */
  points: PointPropagation[];
  acknowledged: number;
  /** Of those that acknowledged it; null: none did. */
  p50LagMs: number | null;
  p95LagMs: number | null;
  worstLagMs: number | null;
  /** Ids of those that did not. */
  laggards: string[];
}

/** Who came, or came back, after the change: it never had anything to learn of it. */
const BEGINNINGS = ['enforcement_point.add', 'enforcement_point.reinstate'];

/**
 * The active enforcement points in reach, as far as they were there already when the change was written; the latest is
 * that which concerns an authority in reach, or the deployment.
 * @throws RegistryError not_found for a change that there is not in reach, or that was written too long ago; role_missing
 */
export async function readPropagation(
  db: Db,
  actor: Actor,
  asked: number | 'latest',
  authorityId?: string,
): Promise<Propagation> {
  const reached = inReach(
    actor,
    ACCESS.readPropagation.roles,
    { authority: enforcementPoints.authorityId },
    authorityId,
  );
  const { seq, writtenAt, evaluatedAt } = await readChange(db, asked, changesInReach(actor));
  const rows = await readPoints(db, seq, reached);
  const points = rows.map(({ acknowledgedAt, ...row }): PointPropagation => {
    const lagMs = acknowledgedAt && Math.max(0, acknowledgedAt.getTime() - writtenAt.getTime());
    return { ...row, acknowledgedAt, lagMs };
  });
  const urgency = ({ lagMs }: PointPropagation) => lagMs ?? Number.POSITIVE_INFINITY;
  points.sort((a, b) => (urgency(a) === urgency(b) ? compare(a.name, b.name) : urgency(b) - urgency(a)));
  const lags = points.flatMap(({ lagMs }) => (lagMs === null ? [] : [lagMs])).toSorted((a, b) => a - b);
  return {
    ...{ seq, writtenAt, evaluatedAt, points },
    acknowledged: lags.length,
    p50LagMs: percentile(lags, 0.5),
    p95LagMs: percentile(lags, 0.95),
    worstLagMs: lags.at(-1) ?? null,
    laggards: points.filter(({ lagMs }) => lagMs === null).map(({ enforcementPointId }) => enforcementPointId),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** The nearest rank. */
function percentile(sorted: readonly number[], share: number): number | null {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? null;
}

/** What happens at other authorities is nothing to them. */
function changesInReach(actor: Actor): SQL | undefined {
  if (actor.authorities === 'all') return undefined;
  return or(isNull(audit.authorityId), inReach(actor, ACCESS.readPropagation.roles, { authority: audit.authorityId }));
}

async function readChange(
  db: Db,
  asked: number | 'latest',
  reached: SQL | undefined,
): Promise<Pick<Propagation, 'seq' | 'writtenAt' | 'evaluatedAt'>> {
  const [found] = await db
    .select({
      seq: audit.seq,
      latest: registryCounter.seq,
      writtenAt: audit.writtenAt,
      evaluatedAt: sql<Date>`clock_timestamp()`.mapWith(audit.writtenAt),
    })
    .from(registryCounter)
    .innerJoin(audit, sql`true`)
    .where(and(asked === 'latest' ? undefined : eq(audit.seq, asked), reached))
    .orderBy(desc(audit.seq), asc(audit.ordinal))
    .limit(1);
  if (found === undefined) {
    throw new RegistryError(
      'not_found',
      asked === 'latest' ? 'nothing was changed yet' : `there is no change ${asked}`,
    );
  }
  const { seq, latest, writtenAt, evaluatedAt } = found;
  if (writtenAt === null) throw new RegistryError('not_found', `change ${seq} was written before this was measured`);
  const isForgotten = evaluatedAt.getTime() - writtenAt.getTime() > ACKNOWLEDGEMENT_MEMORY_SECONDS * 1000;
  if (isForgotten && asked !== 'latest' && seq !== latest) {
    throw new RegistryError('not_found', `change ${seq} was written too long ago: this is known for 30 days`);
  }
  return { seq, writtenAt, evaluatedAt };
}

async function readPoints(db: Db, seq: number, reached: SQL | undefined): Promise<Omit<PointPropagation, 'lagMs'>[]> {
  const first = db
    .select({
      id: acknowledgements.enforcementPointId,
      acknowledgedAt: min(acknowledgements.acknowledgedAt).as('first_at'),
      via: sql<
        'call' | 'stream'
      >`(array_agg(${acknowledgements.via} ORDER BY ${acknowledgements.acknowledgedAt}))[1]`.as('first_via'),
    })
    .from(acknowledgements)
    .where(sql`${acknowledgements.seq} >= ${seq}`)
    .groupBy(acknowledgements.enforcementPointId)
    .as('first');
  const rows = await db
    .select({
      enforcementPointId: enforcementPoints.id,
      name: enforcementPoints.name,
      authorityId: enforcementPoints.authorityId,
      canaryUrl: enforcementPoints.canaryUrl,
      acknowledgedAt: first.acknowledgedAt,
      via: first.via,
      lastSeenAt: sightings.seenAt,
    })
    .from(enforcementPoints)
    .leftJoin(first, eq(first.id, enforcementPoints.id))
    .leftJoin(sightings, eq(sightings.enforcementPointId, enforcementPoints.id))
    .where(
      and(
        reached,
        eq(enforcementPoints.state, 'active'),
        sql`NOT EXISTS (
          SELECT 1 FROM ${audit} WHERE ${audit.subjectKind} = 'enforcement_point'
            AND ${audit.subjectId} = ${enforcementPoints.id}::text AND ${audit.seq} > ${seq}
            AND ${audit.action} = ANY(${sql.param(BEGINNINGS)}::text[]))`,
      ),
    );
  const watched = rows
    .filter(({ canaryUrl }) => canaryUrl !== null)
    .map(({ enforcementPointId }) => enforcementPointId);
  const trials = await lastTrials(db, watched);
  return rows.map(({ canaryUrl: _, acknowledgedAt, lastSeenAt, ...row }) => ({
    ...row,
    acknowledgedAt,
    // What was acknowledged was seen, also while that is not saved yet.
    lastSeenAt: later(lastSeenAt, acknowledgedAt),
    canary: trials.get(row.enforcementPointId) ?? null,
  }));
}

function later(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}
