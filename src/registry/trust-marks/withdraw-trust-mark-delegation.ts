/** Withdraws a delegation: it is not renewed, and another may be given. */
import { eq } from 'drizzle-orm';
import { trustMarkDelegations } from '../../storage/schema/trust-mark-delegations.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import {
  lockTrustMarkDelegation,
  readTrustMarkDelegation,
  type TrustMarkDelegationRecord,
  trustMarkDelegationSnapshot,
} from './trust-mark-delegation.ts';

/**
 * The standard has no way to take back a JWT that was given out: until it expires, relying parties that were told
 * nothing else believe it. What stops it at once is the Trust Anchor, which may list other owner keys or issuers.
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch
 */
export async function withdrawTrustMarkDelegation(
  context: ChangeContext,
  delegationId: string,
  reason: string,
  expectedVersion?: number,
): Promise<TrustMarkDelegationRecord> {
  const { authorityId } = await readTrustMarkDelegation(context.db, context.actor, delegationId);
  authorise(context.actor, ['admin', 'approver'], authorityId);
  return changeRegistry(context, async (tx, record) => {
    const before = await lockTrustMarkDelegation(tx, delegationId);
    requireActiveDelegation(before);
    requireVersion(before, expectedVersion);
    const after: TrustMarkDelegationRecord = {
      ...before,
      ...{ state: 'withdrawn', stateReason: reason, version: before.version + 1 },
    };
    await tx.update(trustMarkDelegations).set(after).where(eq(trustMarkDelegations.id, delegationId));
    record({
      action: 'trust_mark_delegation.withdraw',
      authorityId,
      subjectKind: 'trust_mark_delegation',
      subjectId: delegationId,
      before: trustMarkDelegationSnapshot(before),
      after: trustMarkDelegationSnapshot(after),
      reason,
    });
    return after;
  });
}

/** @throws RegistryError illegal_transition */
export function requireActiveDelegation({ state }: TrustMarkDelegationRecord): void {
  if (state === 'active') return;
  throw new RegistryError('illegal_transition', `the delegation is ${state}; give a new one`, { from: state });
}
