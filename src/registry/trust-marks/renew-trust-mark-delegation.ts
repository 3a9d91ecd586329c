/** Gives a delegation anew: with another end, or signed with the present key. */
import { eq } from 'drizzle-orm';
import { trustMarkDelegations } from '../../storage/schema/trust-mark-delegations.ts';
import { authorise } from '../actor.ts';
import { listAuthorityKeys, readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { recordIssued, signedDelegation } from './issue-delegation.ts';
import { requireRecognisedDelegation } from './own-recognition.ts';
import {
  delegationClaims,
  lockTrustMarkDelegation,
  readTrustMarkDelegation,
  type SignDelegation,
  type TrustMarkDelegationRecord,
  trustMarkDelegationSnapshot,
} from './trust-mark-delegation.ts';
import { requireActiveDelegation } from './withdraw-trust-mark-delegation.ts';

/**
 * Signed anew even where nothing else changes, as is needed when the key that signed it was revoked. The issuer has to
 * take over the new JWT.
 * @throws RegistryError not_found, role_missing, validation_failed, illegal_transition, version_mismatch, key_changed
 */
export async function renewTrustMarkDelegation(
  context: ChangeContext,
  delegationId: string,
  terms: { ref?: string | null; expiresAt?: Date | null },
  sign: SignDelegation,
  expectedVersion?: number,
): Promise<TrustMarkDelegationRecord> {
  const { authorityId } = await readTrustMarkDelegation(context.db, context.actor, delegationId);
  authorise(context.actor, ['admin'], authorityId);
  const authority = await readAuthority(context.db, context.actor, authorityId);
  return changeRegistry(context, async (tx, record) => {
    const before = await lockTrustMarkDelegation(tx, delegationId);
    requireActiveDelegation(before);
    requireVersion(before, expectedVersion);
    const changed = withChanges(before, terms);
    const claims = delegationClaims(authority.entityIdentifier, changed, context.now, context);
    requireRecognisedDelegation(authority, changed, await listAuthorityKeys(tx, context.actor, authorityId));
    const signed = await signedDelegation(tx, authorityId, claims, sign);
    const after: TrustMarkDelegationRecord = { ...changed, ...signed, version: before.version + 1 };
    await tx.update(trustMarkDelegations).set(after).where(eq(trustMarkDelegations.id, delegationId));
    await recordIssued(tx, after, context.now);
    record({
      action: 'trust_mark_delegation.renew',
      authorityId,
      subjectKind: 'trust_mark_delegation',
      subjectId: delegationId,
      before: trustMarkDelegationSnapshot(before),
      after: trustMarkDelegationSnapshot(after),
    });
    return after;
  });
}
