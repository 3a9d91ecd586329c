/** Gives a delegation: as the owner of a Trust Mark type, lets an issuer give out marks of it. */
import { trustMarkDelegations } from '../../storage/schema/trust-mark-delegations.ts';
import { authorise } from '../actor.ts';
import { listAuthorityKeys, readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import { recordIssued, signedDelegation } from './issue-delegation.ts';
import { requireRecognisedDelegation } from './own-recognition.ts';
import {
  delegationClaims,
  readTrustMarkDelegation,
  type SignDelegation,
  type TrustMarkDelegationRecord,
  trustMarkDelegationSnapshot,
} from './trust-mark-delegation.ts';

export interface NewTrustMarkDelegation {
  trustMarkType: string;
  /** Entity Identifier of who may issue marks of the type. */
  issuer: string;
  ref?: string | null;
  /** null: it never expires. */
  expiresAt?: Date | null;
}

/**
 * The JWT is for the issuer, who puts it into each mark. It counts where a Trust Anchor lists this authority as the
 * owner of the type.
 * @throws RegistryError not_found, role_missing, validation_failed, delegation_exists, key_changed,
 *   idempotency_key_reused
 */
export async function makeTrustMarkDelegation(
  context: ChangeContext,
  authorityId: string,
  { trustMarkType, issuer, ref = null, expiresAt = null }: NewTrustMarkDelegation,
  sign: SignDelegation,
  idempotency?: Idempotency,
): Promise<TrustMarkDelegationRecord> {
  authorise(context.actor, ['admin'], authorityId);
  const authority = await readAuthority(context.db, context.actor, authorityId);
  const terms = { trustMarkType, issuer, ref, expiresAt };
  const claims = delegationClaims(authority.entityIdentifier, terms, context.now, context);
  requireRecognisedDelegation(authority, terms, await listAuthorityKeys(context.db, context.actor, authorityId));
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (delegationId) => {
      const signed = await signedDelegation(tx, authorityId, claims, sign);
      const delegation: TrustMarkDelegationRecord = {
        ...{ id: delegationId, authorityId, ...terms, ...signed },
        ...{ state: 'active', stateReason: null, version: 1, createdAt: context.now },
      };
      try {
        await tx.insert(trustMarkDelegations).values(delegation);
      } catch (error) {
        if (!isUniqueViolation(error, 'trust_mark_delegations_live')) throw error;
        const message = `${issuer} has a delegation for ${trustMarkType} already; renew or withdraw that`;
        throw new RegistryError('delegation_exists', message, {}, { cause: error });
      }
      await recordIssued(tx, delegation, context.now);
      record({
        action: 'trust_mark_delegation.make',
        authorityId,
        subjectKind: 'trust_mark_delegation',
        subjectId: delegationId,
        after: trustMarkDelegationSnapshot(delegation),
      });
    });
  });
  return readTrustMarkDelegation(context.db, context.actor, id);
}
