/** Marks and delegations that a key signed and that still have to verify, so that it stays published. @see OIDFED §11.2 */
import { and, eq, gt, isNull, or, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { issuedDelegations, trustMarkDelegations } from '../../storage/schema/trust-mark-delegations.ts';
import { issuedTrustMarks, trustMarks } from '../../storage/schema/trust-marks.ts';
import type { SignedByKey } from '../authorities/keys/signed-by-key.ts';

/**
 * Marks of suspended entities count: they may come back. Withdrawn ones do not, nor what has expired. A delegation that
 * was renewed counts for each key that signed a JWT of it.
 */
export const MARKS_AND_DELEGATIONS: SignedByKey = {
  async stillLives(tx, kid, now) {
    const [mark] = await liveMarks(tx, kid, now).limit(1);
    if (mark !== undefined) return true;
    const [delegation] = await liveDelegations(tx, kid, now).limit(1);
    return delegation !== undefined;
  },
  async outstanding(tx, kid, now) {
    const marks = liveMarks(tx, kid, now).as('marks');
    const delegations = liveDelegations(tx, kid, now).as('delegations');
    const [[counted], [given]] = [
      await tx.select({ count: sql<number>`count(*)::int` }).from(marks),
      await tx.select({ count: sql<number>`count(*)::int` }).from(delegations),
    ];
    return { trustMarks: counted?.count ?? 0, delegations: given?.count ?? 0 };
  },
};

function liveMarks(db: Db | Tx, kid: string, now: Date) {
  return db
    .select({ one: sql<number>`1`.as('one') })
    .from(issuedTrustMarks)
    .innerJoin(trustMarks, eq(trustMarks.id, issuedTrustMarks.trustMarkId))
    .where(
      and(
        eq(issuedTrustMarks.kid, kid),
        eq(trustMarks.state, 'active'),
        or(isNull(issuedTrustMarks.expiresAt), gt(issuedTrustMarks.expiresAt, now)),
      ),
    );
}

function liveDelegations(db: Db | Tx, kid: string, now: Date) {
  return db
    .selectDistinct({ id: issuedDelegations.delegationId })
    .from(issuedDelegations)
    .innerJoin(trustMarkDelegations, eq(trustMarkDelegations.id, issuedDelegations.delegationId))
    .where(
      and(
        eq(issuedDelegations.kid, kid),
        eq(trustMarkDelegations.state, 'active'),
        or(isNull(issuedDelegations.expiresAt), gt(issuedDelegations.expiresAt, now)),
      ),
    );
}
