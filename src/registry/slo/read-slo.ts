/** How the service kept to its objectives, by its own records: what never reached a node is in none of them. */
import { asc, gte, sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { serviceHours } from '../../storage/schema/service-hours.ts';
import { ACCESS } from '../access.ts';
import { type Actor, authorise } from '../actor.ts';
import {
  AVAILABILITY_OBJECTIVE,
  type Burn,
  burnOf,
  PROPAGATION_OBJECTIVE,
  PROPAGATION_OBJECTIVE_MS,
} from './objectives.ts';
import type { Surface } from './save-service-hours.ts';

export interface Slo {
  evaluatedAt: Date;
  /** The first hour of which anything is known; null: none yet. */
  since: Date | null;
  availability: {
    objective: number;
    windows: AvailabilityWindow[];
  };
  propagation: {
    objective: number;
    objectiveMs: number;
    windows: PropagationWindow[];
  };
}

export interface AvailabilityWindow {
  hours: number;
  /** Since the window began, or since anything is known; the minute under way is not one of them. */
  minutes: number;
  /** In which some node was ready. */
  readyMinutes: number;
  time: Burn;
  requests: { surface: Surface; requests: number; failures: number; burn: Burn }[];
}

/** Of changes that take a permission away, at each enforcement point that was active then. */
export interface PropagationWindow {
  hours: number;
  changes: number;
  /** Acknowledged in time. */
  inTime: number;
  /** Acknowledged too late by one that has changes told to it, or not at all although it was heard of since. */
  late: number;
  /** Nobody asked there, or not before it was late: nothing says that it would have let anybody in. */
  unknown: number;
  burn: Burn;
}

const AVAILABILITY_WINDOWS_HOURS = [1, 6, 24, 7 * 24, 30 * 24];
const PROPAGATION_WINDOWS_HOURS = [24, 7 * 24];

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** @throws RegistryError role_missing */
export async function readSlo(db: Db, actor: Actor, now: Date): Promise<Slo> {
  authorise(actor, ACCESS.readSlo.roles, null);
  const longestHours = Math.max(...AVAILABILITY_WINDOWS_HOURS);
  const earliest = new Date(hourOf(now) - longestHours * HOUR_MS);
  const hours = await db
    .select()
    .from(serviceHours)
    .where(gte(serviceHours.hour, earliest))
    .orderBy(asc(serviceHours.hour));
  const acknowledged = await readRevocations(db, Math.max(...PROPAGATION_WINDOWS_HOURS));
  return {
    evaluatedAt: now,
    since: hours[0]?.hour ?? null,
    availability: {
      objective: AVAILABILITY_OBJECTIVE,
      windows: AVAILABILITY_WINDOWS_HOURS.map((length) => availabilityOf(hours, length, now)),
    },
    propagation: {
      objective: PROPAGATION_OBJECTIVE,
      objectiveMs: PROPAGATION_OBJECTIVE_MS,
      windows: PROPAGATION_WINDOWS_HOURS.map((length) => propagationOf(acknowledged, length)),
    },
  };
}

type Hour = typeof serviceHours.$inferSelect;

function hourOf(moment: Date): number {
  return moment.getTime() - (moment.getTime() % HOUR_MS);
}

/** Whole hours and the one under way. */
function availabilityOf(all: readonly Hour[], hours: number, now: Date): AvailabilityWindow {
  const known = all[0]?.hour.getTime() ?? hourOf(now);
  const from = Math.max(hourOf(now) - hours * HOUR_MS, known);
  const within = all.filter(({ hour }) => hour.getTime() >= from);
  // In its first hour nobody expects the minutes before it was there.
  const begunAt = from + (from === known ? firstMinute(within[0]) : 0) * MINUTE_MS;
  const minutes = Math.max(0, Math.floor((now.getTime() - begunAt) / MINUTE_MS));
  const readyMinutes = Math.min(
    minutes,
    within.reduce((sum, { readyMinutes }) => sum + bitsOf(readyMinutes), 0),
  );
  const surface = (name: Surface) => {
    const requests = sumOf(within, `${name}Requests`);
    const failures = sumOf(within, `${name}Failures`);
    return { surface: name, requests, failures, burn: burnOf(requests - failures, requests, AVAILABILITY_OBJECTIVE) };
  };
  return {
    ...{ hours, minutes, readyMinutes },
    time: burnOf(readyMinutes, minutes, AVAILABILITY_OBJECTIVE),
    requests: [surface('federation'), surface('admission'), surface('api')],
  };
}

function sumOf(hours: readonly Hour[], column: `${Surface}${'Requests' | 'Failures'}`): number {
  return hours.reduce((sum, hour) => sum + hour[column], 0);
}

function bitsOf(minutes: bigint): number {
  return minutes.toString(2).replaceAll('0', '').length;
}

function firstMinute(hour: Hour | undefined): number {
  const bits = hour?.readyMinutes ?? 0n;
  return bits === 0n ? 0 : bits.toString(2).split('').reverse().indexOf('1');
}

/** What ends or narrows what somebody may do. */
const TAKING = [
  ...['organisation.suspend', 'organisation.withdraw', 'organisation.revoke'],
  ...['entity.suspend', 'entity.withdraw', 'entity.revoke'],
  ...['credential.hold', 'credential.revoke'],
  ...['role_assignment.remove', 'role_assignment.end', 'entity.take_role'],
];

/** Who came, or came back, after a change never had anything to learn of it. */
const BEGINNINGS = ['enforcement_point.add', 'enforcement_point.reinstate'];

/** The last ones, so that the question stays small whatever happened. */
const MAX_AUDIT_ROWS = 20_000;
const MAX_CHANGES = 500;

interface Revocation extends Record<string, unknown> {
  seq: number;
  ageSeconds: number;
  /** Null: not acknowledged. */
  lagMs: number | null;
  via: 'call' | 'stream' | null;
  wasSeenSince: boolean;
}

/** A row for each change that takes something away and each enforcement point that was active then. */
async function readRevocations(db: Db, hours: number): Promise<Revocation[]> {
  const { rows } = await db.execute<Revocation>(sql`
    WITH recent AS (
      SELECT seq, action, written_at FROM audit ORDER BY seq DESC, ordinal DESC LIMIT ${MAX_AUDIT_ROWS}
    ), taking AS (
      SELECT seq, min(written_at) AS written_at FROM recent
      WHERE action = ANY(${sql.param(TAKING)}::text[])
        AND written_at > clock_timestamp() - ${hours} * interval '1 hour'
      GROUP BY seq ORDER BY seq DESC LIMIT ${MAX_CHANGES}
    )
    SELECT taking.seq::float8 AS seq,
      extract(epoch FROM clock_timestamp() - taking.written_at)::float8 AS "ageSeconds",
      extract(epoch FROM first.acknowledged_at - taking.written_at)::float8 * 1000 AS "lagMs",
      first.via,
      coalesce(sightings.seen_at > taking.written_at + ${PROPAGATION_OBJECTIVE_MS} * interval '1 millisecond', false)
        AS "wasSeenSince"
    FROM taking
    JOIN enforcement_points AS points ON points.state = 'active' AND NOT EXISTS (
      SELECT 1 FROM audit WHERE audit.subject_kind = 'enforcement_point' AND audit.subject_id = points.id::text
        AND audit.seq > taking.seq AND audit.action = ANY(${sql.param(BEGINNINGS)}::text[])
    )
    LEFT JOIN LATERAL (
      SELECT acknowledged_at, via FROM enforcement_point_acknowledgements AS acknowledgements
      WHERE acknowledgements.enforcement_point_id = points.id AND acknowledgements.seq >= taking.seq
      ORDER BY acknowledgements.seq LIMIT 1
    ) AS first ON true
    LEFT JOIN enforcement_point_sightings AS sightings ON sightings.enforcement_point_id = points.id`);
  return rows;
}

function propagationOf(all: readonly Revocation[], hours: number): PropagationWindow {
  const within = all.filter(({ ageSeconds }) => ageSeconds <= hours * 3600);
  const count = (verdict: Verdict) => within.filter((revocation) => verdictOn(revocation) === verdict).length;
  const [inTime, late, unknown] = [count('in time'), count('late'), count('unknown')];
  return {
    ...{ hours, changes: new Set(within.map(({ seq }) => seq)).size, inTime, late, unknown },
    burn: burnOf(inTime, inTime + late, PROPAGATION_OBJECTIVE),
  };
}

type Verdict = 'in time' | 'late' | 'unknown' | 'under way';

/** Who is heard of by his calls alone may have had none in between: his first answer after it was by the new state. */
function verdictOn({ ageSeconds, lagMs, via, wasSeenSince }: Revocation): Verdict {
  if (lagMs !== null && lagMs <= PROPAGATION_OBJECTIVE_MS) return 'in time';
  if (lagMs !== null) return via === 'stream' ? 'late' : 'unknown';
  if (ageSeconds * 1000 <= PROPAGATION_OBJECTIVE_MS) return 'under way';
  return wasSeenSince ? 'late' : 'unknown';
}
