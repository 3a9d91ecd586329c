/** What an operator watches of the registry: numbers of few labels, whatever the number of members. */
import { sql } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import type { CanaryOutcome } from '../../storage/schema/canary-trials.ts';
import { PROPAGATION_OBJECTIVE_MS } from '../slo/objectives.ts';

/** Times are in seconds since the epoch; authorities are named by their Entity Identifiers. */
export interface RegistryMeasures {
  /** The last change that the database has, whatever this node knows. */
  seq: number;
  /** By their own state. */
  entities: { state: string; count: number }[];
  /** The soonest end of credentials that are active and not over. */
  credentials: { authority: string; kind: string; usage: string; notAfter: number }[];
  /** The end of the certificates of those that issue some, of their lists of revocations, and of who answers for them. */
  certification: { authority: string; name: string; what: string; notAfter: number }[];
  /** The soonest end of what authorities last signed about themselves, unless that is over. */
  statements: { authority: string; kind: string; notAfter: number }[];
  /** Keys by state, and since when the one is active that signs. */
  keys: { authority: string; state: string; count: number; activatedAt: number | null }[];
  deliveries: { waiting: number; dead: number; oldestWaitingSeconds: number };
  /** Changes of which some webhook's deliveries are not made yet. */
  unplannedChanges: number;
  /** What the canary last met at each active enforcement point where it knocks. */
  canary: { authority: string; name: string; outcome: CanaryOutcome }[];
  /**
   * Of the last change: how long each active enforcement point took to act on it, or has not acted on it for although it
   * was heard of since. Of one that was not, nothing is known, and it has no row.
   */
  propagation: { authority: string; name: string; via: 'call' | 'stream' | 'none'; lagSeconds: number }[];
}

/** A few small queries, one after the other: they are asked again and again, and nobody waits for them. */
export async function readMeasures(db: Db): Promise<RegistryMeasures> {
  const [counter] = await rows<{ seq: number }>(db, sql`SELECT seq::float8 AS seq FROM registry_counter WHERE id = 1`);
  const seq = counter?.seq ?? 0;
  const [deliveries] = await rows<RegistryMeasures['deliveries']>(db, DELIVERIES);
  const [unplanned] = await rows<{ changes: number | null }>(
    db,
    sql`SELECT ${seq} - min(planned_through_seq)::float8 AS changes FROM webhooks WHERE state = 'active'`,
  );
  return {
    seq,
    entities: await rows(db, sql`SELECT state, count(*)::float8 AS count FROM entities GROUP BY state`),
    credentials: await rows(db, CREDENTIALS),
    certification: await rows(db, CERTIFICATION),
    statements: await rows(db, STATEMENTS),
    keys: await rows(db, KEYS),
    deliveries: deliveries ?? { waiting: 0, dead: 0, oldestWaitingSeconds: 0 },
    unplannedChanges: Math.max(0, Number(unplanned?.changes ?? 0)),
    canary: await rows(db, CANARY),
    propagation: await rows(db, PROPAGATION),
  };
}

async function rows<Row extends object>(db: Db, query: ReturnType<typeof sql>): Promise<Row[]> {
  const found = await db.execute<Row & Record<string, unknown>>(query);
  return found.rows;
}

const CREDENTIALS = sql`
  SELECT authorities.entity_identifier AS authority, kind, usage,
    extract(epoch FROM min(not_after))::float8 AS "notAfter"
  FROM credentials JOIN authorities ON authorities.id = credentials.authority_id
  WHERE credentials.state = 'active' AND not_after > now() AND (superseded_at IS NULL OR superseded_at > now())
  GROUP BY 1, 2, 3`;

const CERTIFICATION = sql`
  WITH issuing AS (
    SELECT certification_authorities.id, authorities.entity_identifier AS authority, certification_authorities.name,
      certification_authorities.not_after
    FROM certification_authorities JOIN authorities ON authorities.id = certification_authorities.authority_id
    WHERE certification_authorities.state <> 'pending' AND certification_authorities.not_after > now())
  SELECT authority, name, ends.what, extract(epoch FROM ends.not_after)::float8 AS "notAfter"
  FROM issuing CROSS JOIN LATERAL (
    SELECT 'certificate' AS what, issuing.not_after
    UNION ALL
    SELECT 'revocation-list', max(next_update) FROM certificate_revocation_lists
      WHERE certification_authority_id = issuing.id
    UNION ALL
    SELECT 'ocsp-signer', max(not_after) FROM ocsp_signers WHERE certification_authority_id = issuing.id) AS ends
  WHERE ends.not_after IS NOT NULL`;

/** Of authorities about themselves: those about others are too many to look at, and are renewed for whoever asks. */
const STATEMENTS = sql`
  SELECT authorities.entity_identifier AS authority, kinds.kind,
    extract(epoch FROM min(expires_at))::float8 AS "notAfter"
  FROM authorities CROSS JOIN (VALUES ('entity-configuration'), ('historical-keys')) AS kinds (kind)
  JOIN issued_statements ON issued_statements.authority_id = authorities.id AND issued_statements.kind = kinds.kind
  WHERE expires_at > now()
  GROUP BY 1, 2`;

const KEYS = sql`
  SELECT authorities.entity_identifier AS authority, authority_keys.state, count(*)::float8 AS count,
    extract(epoch FROM min(activated_at) FILTER (WHERE authority_keys.state = 'active'))::float8 AS "activatedAt"
  FROM authority_keys JOIN authorities ON authorities.id = authority_keys.authority_id
  GROUP BY 1, 2`;

const DELIVERIES = sql`
  SELECT count(*) FILTER (WHERE state = 'waiting')::float8 AS waiting,
    count(*) FILTER (WHERE state = 'dead')::float8 AS dead,
    coalesce(extract(epoch FROM clock_timestamp() - min(written_at) FILTER (WHERE state = 'waiting')), 0)::float8
      AS "oldestWaitingSeconds"
  FROM webhook_deliveries JOIN events USING (seq, ordinal)
  WHERE state IN ('waiting', 'dead')`;

const CANARY = sql`
  SELECT authorities.entity_identifier AS authority, points.name, last.outcome
  FROM enforcement_points AS points JOIN authorities ON authorities.id = points.authority_id
  CROSS JOIN LATERAL (
    SELECT outcome FROM canary_trials WHERE enforcement_point_id = points.id ORDER BY tried_at DESC LIMIT 1) AS last
  WHERE points.state = 'active' AND points.canary_url IS NOT NULL`;

/** A change that was acted on is old news after so long, however long it took. */
const PROPAGATION_MEMORY_SECONDS = 3600;

const PROPAGATION = sql`
  WITH latest AS (SELECT seq, written_at FROM audit ORDER BY seq DESC, ordinal LIMIT 1)
  SELECT authorities.entity_identifier AS authority, points.name, coalesce(first.via, 'none') AS via,
    greatest(0, extract(epoch FROM coalesce(first.acknowledged_at, clock_timestamp()) - latest.written_at))::float8
      AS "lagSeconds"
  FROM latest CROSS JOIN enforcement_points AS points JOIN authorities ON authorities.id = points.authority_id
  LEFT JOIN LATERAL (
    SELECT acknowledged_at, via FROM enforcement_point_acknowledgements AS acknowledgements
    WHERE acknowledgements.enforcement_point_id = points.id AND acknowledgements.seq >= latest.seq
    ORDER BY acknowledged_at LIMIT 1) AS first ON true
  LEFT JOIN enforcement_point_sightings AS sightings ON sightings.enforcement_point_id = points.id
  WHERE points.state = 'active' AND CASE WHEN first.via IS NULL
    THEN sightings.seen_at > latest.written_at + ${PROPAGATION_OBJECTIVE_MS} * interval '1 millisecond'
    ELSE latest.written_at > clock_timestamp() - ${PROPAGATION_MEMORY_SECONDS} * interval '1 second' END`;
