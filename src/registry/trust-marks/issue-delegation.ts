/** What goes with every JWT of a delegation, in the transaction of the verb that gives it. @see OIDFED §7.2.1 */
import { and, eq } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { authorityKeys } from '../../storage/schema/authority-keys.ts';
import { issuedDelegations } from '../../storage/schema/trust-mark-delegations.ts';
import { RegistryError } from '../registry-error.ts';
import type { SignDelegation, TrustMarkDelegationRecord } from './trust-mark-delegation.ts';

/**
 * Signs a delegation with a key that still signs when the transaction ends: whoever revokes it counts what it signed.
 * @throws RegistryError key_changed
 */
export async function signedDelegation(
  tx: Tx,
  authorityId: string,
  claims: JsonObject,
  sign: SignDelegation,
): Promise<{ jwt: string; kid: string }> {
  const signed = await sign(authorityId, claims);
  const [key] = await tx
    .select({ state: authorityKeys.state })
    .from(authorityKeys)
    .where(and(eq(authorityKeys.authorityId, authorityId), eq(authorityKeys.kid, signed.kid)))
    .for('share');
  if (key?.state === 'active') return signed;
  throw new RegistryError('key_changed', "the authority's key changed in this moment; try again");
}

/** Remembers what is given out, for as long as somebody may show it. */
export async function recordIssued(tx: Tx, delegation: TrustMarkDelegationRecord, now: Date): Promise<void> {
  const { id: delegationId, version, kid, expiresAt } = delegation;
  await tx.insert(issuedDelegations).values({ delegationId, version, kid, issuedAt: now, expiresAt });
}
