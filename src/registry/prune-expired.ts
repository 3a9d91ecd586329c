/** Deletes what has served its time: idempotency keys, challenges, codes, assertions, entities' tokens, what was retrieved, Trust Marks long over, mails that were sent. */
import { and, eq, lt, type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Db } from '../storage/connect.ts';
import { pruneRetrievedStatements } from '../storage/retrieved-statements.ts';
import { canaryTrials } from '../storage/schema/canary-trials.ts';
import { certificateCodes } from '../storage/schema/certificate-requests.ts';
import { collectedEntities } from '../storage/schema/collected-entities.ts';
import { enforcementPointAcknowledgements } from '../storage/schema/enforcement-points.ts';
import { enrolmentChallenges } from '../storage/schema/enrolment-challenges.ts';
import { enrolments } from '../storage/schema/enrolments.ts';
import { entityTokens } from '../storage/schema/entity-tokens.ts';
import { idempotencyKeys } from '../storage/schema/idempotency-keys.ts';
import { outgoingMails } from '../storage/schema/outgoing-mails.ts';
import { serviceHours } from '../storage/schema/service-hours.ts';
import { issuedDelegations } from '../storage/schema/trust-mark-delegations.ts';
import { issuedTrustMarks } from '../storage/schema/trust-marks.ts';
import { usedAssertions } from '../storage/schema/used-assertions.ts';
import { isMailOver } from './life-cycle/outgoing-mails.ts';
import { ACKNOWLEDGEMENT_MEMORY_SECONDS } from './propagation/save-acknowledgements.ts';
import { SERVICE_HOURS_MEMORY_SECONDS } from './slo/save-service-hours.ts';

/** How long a request may be repeated with the same idempotency key, at least. */
export const IDEMPOTENCY_LIFETIME_SECONDS = 7 * 86_400;

/** Expired challenges, used assertions and tokens stay for a while, so that a node whose clock is ahead takes none away from the others. */
const CLOCK_DIFFERENCE_SECONDS = 3600;

/** How long it is known that a mark was issued after it expired; later its signature tells that it was ours. */
const ISSUED_MARK_MEMORY_SECONDS = 7 * 86_400;

/** A page of a collection that begins with somebody who left goes on for as long. */
const COLLECTED_MEMORY_SECONDS = 86_400;

/** Enrolments that anybody asked for and nobody took up stay for as long after they lapsed. */
const LAPSED_MEMORY_SECONDS = 90 * 86_400;

/** The last ones of each point stay. */
const CANARY_MEMORY_SECONDS = 7 * 86_400;

/** Rows that one statement deletes: others wait for it only briefly. */
const BATCH_SIZE = 1000;

/**
 * Deletes what has expired, a batch at a time, until nothing is left or it is told to stop. Nodes that do so at once do
 * not mind each other.
 */
export async function pruneExpired(db: Db, now: Date, signal?: AbortSignal): Promise<void> {
  const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  const isSpent = lt(enrolmentChallenges.expiresAt, before(CLOCK_DIFFERENCE_SECONDS));
  const isUseless = lt(usedAssertions.expiresAt, before(CLOCK_DIFFERENCE_SECONDS));
  const isForgotten = lt(idempotencyKeys.createdAt, before(IDEMPOTENCY_LIFETIME_SECONDS));
  await deleteInBatches(db, enrolmentChallenges, isSpent, signal);
  await deleteInBatches(db, usedAssertions, isUseless, signal);
  const isEnded = lt(entityTokens.expiresAt, before(CLOCK_DIFFERENCE_SECONDS));
  await deleteInBatches(db, entityTokens, isEnded, signal);
  const isOutdated = lt(certificateCodes.expiresAt, before(CLOCK_DIFFERENCE_SECONDS));
  await deleteInBatches(db, certificateCodes, isOutdated, signal);
  await deleteInBatches(db, idempotencyKeys, isForgotten, signal);
  const isOver = lt(issuedTrustMarks.expiresAt, before(ISSUED_MARK_MEMORY_SECONDS));
  await deleteInBatches(db, issuedTrustMarks, isOver, signal);
  const isNoMore = lt(issuedDelegations.expiresAt, before(ISSUED_MARK_MEMORY_SECONDS));
  await deleteInBatches(db, issuedDelegations, isNoMore, signal);
  const isGone = lt(collectedEntities.validUntil, before(COLLECTED_MEMORY_SECONDS));
  await deleteInBatches(db, collectedEntities, isGone, signal);
  const isLongLapsed = and(
    eq(enrolments.state, 'lapsed'),
    lt(enrolments.stateChangedAt, before(LAPSED_MEMORY_SECONDS)),
  );
  if (isLongLapsed !== undefined) await deleteInBatches(db, enrolments, isLongLapsed, signal);
  await deleteInBatches(db, serviceHours, lt(serviceHours.hour, before(SERVICE_HOURS_MEMORY_SECONDS)), signal);
  await deleteInBatches(db, outgoingMails, isMailOver(now), signal);
  await deleteInBatches(db, enforcementPointAcknowledgements, isAcknowledgedSince(), signal);
  await deleteInBatches(db, canaryTrials, isTriedSince(), signal);
  if (signal?.aborted !== true) await pruneRetrievedStatements(db, now);
}

/** By the clock of the database, which wrote them. What a point acknowledged last stays: it goes on to act on that. */
function isAcknowledgedSince(): SQL {
  const { enforcementPointId, seq, acknowledgedAt } = enforcementPointAcknowledgements;
  return sql`${acknowledgedAt} < now() - ${ACKNOWLEDGEMENT_MEMORY_SECONDS} * interval '1 second' AND EXISTS (
    SELECT 1 FROM enforcement_point_acknowledgements AS later
    WHERE later.enforcement_point_id = ${enforcementPointId} AND later.seq > ${seq})`;
}

function isTriedSince(): SQL {
  const { enforcementPointId, triedAt } = canaryTrials;
  return sql`${triedAt} < now() - ${CANARY_MEMORY_SECONDS} * interval '1 second' AND EXISTS (
    SELECT 1 FROM canary_trials AS later
    WHERE later.enforcement_point_id = ${enforcementPointId} AND later.tried_at > ${triedAt})`;
}

/** Rows that another transaction holds, such as the same work of another node, are left to it. */
async function deleteInBatches(db: Db, table: PgTable, condition: SQL, signal?: AbortSignal): Promise<void> {
  for (let deleted = BATCH_SIZE; deleted === BATCH_SIZE && signal?.aborted !== true; ) {
    const batch = sql`select ctid from ${table} where ${condition} limit ${BATCH_SIZE} for update skip locked`;
    const rows = await db.delete(table).where(sql`ctid = any(array(${batch}))`).returning({ one: sql<number>`1` });
    deleted = rows.length;
  }
}
