/** Approves, rejects or withdraws a Trust Mark. */
import { eq } from 'drizzle-orm';
import { trustMarks } from '../../storage/schema/trust-marks.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { candidate, requireEligible, requireNotLeft } from './eligibility.ts';
import { requireActiveType } from './insert-trust-mark.ts';
import {
  lockTrustMark,
  type NamedTrustMark,
  readTrustMark,
  requireTrustMarkState,
  TRUST_MARK_TRANSITIONS,
  type TrustMark,
  type TrustMarkTransition,
  trustMarkSnapshot,
} from './trust-mark.ts';
import { lockTrustMarkType } from './trust-mark-type.ts';

/**
 * A withdrawn mark is `revoked` at once, wherever it was shown before, and is final. What is approved must be eligible
 * at that moment.
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, trust_mark_type_retired,
 *   not_eligible
 */
export async function transitionTrustMark(
  context: ChangeContext,
  trustMarkId: string,
  transition: TrustMarkTransition,
  reason: string,
  expectedVersion?: number,
): Promise<NamedTrustMark> {
  const { authorityId, typeId } = await readTrustMark(context.db, context.actor, trustMarkId);
  authorise(context.actor, ['admin', 'approver'], authorityId);
  await changeRegistry(context, async (tx, record) => {
    const type = await lockTrustMarkType(tx, typeId, 'share');
    const before = await lockTrustMark(tx, trustMarkId);
    const { from, to } = TRUST_MARK_TRANSITIONS[transition];
    requireTrustMarkState(before, from, transition);
    requireVersion(before, expectedVersion);
    const after: TrustMark = {
      ...before,
      state: to,
      stateReason: reason,
      stateChangedAt: context.now,
      version: before.version + 1,
    };
    if (transition === 'approve') {
      requireActiveType(type);
      const who = await candidate(tx, authorityId, before.subject);
      await requireEligible(tx, type, who, context.now);
      requireNotLeft(before, who);
      after.entityId = who.entity?.id ?? null;
    }
    await tx.update(trustMarks).set(after).where(eq(trustMarks.id, trustMarkId));
    record({
      action: `trust_mark.${transition}`,
      authorityId,
      subjectKind: 'trust_mark',
      subjectId: trustMarkId,
      before: trustMarkSnapshot(before),
      after: trustMarkSnapshot(after),
      reason,
    });
  });
  return readTrustMark(context.db, context.actor, trustMarkId);
}
