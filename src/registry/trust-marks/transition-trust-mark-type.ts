/** Retires a Trust Mark type, or reinstates it. */
import { eq } from 'drizzle-orm';
import { trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import { authorise } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { requireOwnIssue } from './own-recognition.ts';
import { lockTrustMarkType, readTrustMarkType, type TrustMarkType, trustMarkTypeSnapshot } from './trust-mark-type.ts';

export const TYPE_TRANSITIONS = {
  retire: { from: 'active', to: 'retired' },
  reinstate: { from: 'retired', to: 'active' },
} as const;

export type TypeTransition = keyof typeof TYPE_TRANSITIONS;

/**
 * Of a retired type nothing is issued or listed any more, and all its marks are `revoked`; grants stay recorded, and a
 * reinstated type has them back.
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, validation_failed when a type
 *   would be active that others alone may issue by the authority's own list
 */
export async function transitionTrustMarkType(
  context: ChangeContext,
  typeId: string,
  transition: TypeTransition,
  reason: string,
  expectedVersion?: number,
): Promise<TrustMarkType> {
  const { authorityId } = await readTrustMarkType(context.db, context.actor, typeId);
  authorise(context.actor, ['admin'], authorityId);
  const authority = await readAuthority(context.db, context.actor, authorityId);
  return changeRegistry(context, async (tx, record) => {
    const before = await lockTrustMarkType(tx, typeId, 'update');
    const { from, to } = TYPE_TRANSITIONS[transition];
    if (before.state !== from) {
      throw new RegistryError('illegal_transition', `the type is ${before.state} already`, { from: before.state, to });
    }
    requireVersion(before, expectedVersion);
    if (to === 'active') requireOwnIssue(authority, before.trustMarkType);
    const after: TrustMarkType = { ...before, state: to, version: before.version + 1 };
    await tx.update(trustMarkTypes).set(after).where(eq(trustMarkTypes.id, typeId));
    record({
      action: `trust_mark_type.${transition}`,
      authorityId,
      subjectKind: 'trust_mark_type',
      subjectId: typeId,
      before: trustMarkTypeSnapshot(before),
      after: trustMarkTypeSnapshot(after),
      reason,
    });
    return after;
  });
}
