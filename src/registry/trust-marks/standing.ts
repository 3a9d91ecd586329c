/** Which grants of Trust Marks stand: the one place that knows, for marks, listings, status and eligibility. */
import { and, eq, gt, isNull, or, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Db, Tx } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import { trustMarks } from '../../storage/schema/trust-marks.ts';

const later = alias(entities, 'later');
const laterOrganisation = alias(organisations, 'later_organisation');

/** Joins of `trust_marks` that {@link stands} speaks of. */
export const ITS_ENTITY = eq(entities.id, trustMarks.entityId);
export const ITS_ORGANISATION = eq(organisations.id, entities.organisationId);

/**
 * Whether a grant stands, its end and its type aside: it is active, and so are the entity that it was given to and that
 * entity's organisation. A subject that was not enrolled when it got its mark must not have been suspended, withdrawn or
 * revoked here since; of what happened in the same moment the order of the ids tells.
 */
export function stands(db: Db | Tx): SQL | undefined {
  const fallen = db
    .select({ one: sql`1` })
    .from(later)
    .innerJoin(laterOrganisation, eq(laterOrganisation.id, later.organisationId))
    .where(
      and(
        eq(later.authorityId, trustMarks.authorityId),
        eq(later.entityIdentifier, trustMarks.subject),
        isNull(trustMarks.entityId),
        or(
          sql`${later.state} in ('suspended', 'withdrawn', 'revoked')
            and (${later.stateChangedAt}, ${later.id}) > (${trustMarks.stateChangedAt}, ${trustMarks.id})`,
          and(eq(later.state, 'active'), sql`${laterOrganisation.state} <> 'active'`),
        ),
      ),
    );
  return and(
    eq(trustMarks.state, 'active'),
    or(isNull(trustMarks.entityId), and(eq(entities.state, 'active'), eq(organisations.state, 'active'))),
    sql`not exists ${fallen}`,
  );
}

/** The end of the grant is still to come, if it has one. */
export function hasNotEnded(now: Date): SQL | undefined {
  return or(isNull(trustMarks.expiresAt), gt(trustMarks.expiresAt, now));
}

/** The type is issued: not retired, nor without its owner's delegation. */
export function typeIsIssued(now: Date): SQL | undefined {
  return and(
    eq(trustMarkTypes.state, 'active'),
    or(isNull(trustMarkTypes.delegationExpiresAt), gt(trustMarkTypes.delegationExpiresAt, now)),
  );
}

/** The types of an authority of which a subject holds a valid mark, by id. */
export async function standingTypeIds(
  db: Db | Tx,
  authorityId: string,
  subject: string,
  now: Date,
): Promise<ReadonlySet<string>> {
  const rows = await db
    .select({ typeId: trustMarks.typeId })
    .from(trustMarks)
    .innerJoin(trustMarkTypes, eq(trustMarkTypes.id, trustMarks.typeId))
    .leftJoin(entities, ITS_ENTITY)
    .leftJoin(organisations, ITS_ORGANISATION)
    .where(
      and(
        eq(trustMarks.authorityId, authorityId),
        eq(trustMarks.subject, subject),
        stands(db),
        hasNotEnded(now),
        typeIsIssued(now),
      ),
    );
  return new Set(rows.map(({ typeId }) => typeId));
}
