/** Stops a credential from counting for a while, or lets it count again. @see RFC 5280 §5.3.1, certificateHold */
import { eq } from 'drizzle-orm';
import { credentials } from '../../storage/schema/credentials.ts';
import { ACCESS } from '../access.ts';
import { authorise, despiteSuspension } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { type Credential, credentialSnapshot } from './credential.ts';
import { lockCredential, requireOpenCredential } from './lock-credential.ts';
import { readCredential } from './read-credential.ts';

export type HoldTransition = 'hold' | 'release';

export const HOLD_TRANSITIONS = ['hold', 'release'] as const satisfies readonly HoldTransition[];

/** From and to what each leads. */
const STATES = { hold: ['active', 'on_hold'], release: ['on_hold', 'active'] } as const;

/** @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch */
export async function holdCredential(
  context: ChangeContext,
  credentialId: string,
  transition: HoldTransition,
  reason: string,
  expectedVersion?: number,
): Promise<Credential> {
  const { now } = context;
  const seen = await readCredential(context.db, context.actor, credentialId);
  const { authorityId, organisationId, entityId } = seen;
  const { roles } = transition === 'hold' ? ACCESS.holdCredential : ACCESS.releaseCredential;
  authorise(despiteSuspension(context.actor), roles, authorityId, organisationId, entityId);
  await changeRegistry(context, async (tx, record) => {
    const { credential: before } = await lockCredential(tx, seen);
    const [from, state] = STATES[transition];
    requireOpenCredential(before, transition, now);
    if (before.state !== from) {
      const allowed = [before.state === 'on_hold' ? 'release' : 'hold', 'revoke'];
      const message = `cannot ${transition} a credential that is ${before.state}; possible: ${allowed.join(', ')}`;
      throw new RegistryError('illegal_transition', message, { from: before.state, to: state, allowed });
    }
    requireVersion(before, expectedVersion);
    const change = { state, stateReason: reason, stateChangedAt: now, version: before.version + 1 };
    await tx.update(credentials).set(change).where(eq(credentials.id, credentialId));
    record({
      action: `credential.${transition}`,
      authorityId,
      subjectKind: 'credential',
      subjectId: credentialId,
      before: credentialSnapshot(before),
      after: credentialSnapshot({ ...before, ...change }),
      reason,
    });
  });
  return readCredential(context.db, context.actor, credentialId);
}
