/** Ends a credential for good, with a reason of RFC 5280 §5.3.1. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { type CredentialRevocationReason, credentials } from '../../storage/schema/credentials.ts';
import { ACCESS } from '../access.ts';
import { authorise, despiteSuspension } from '../actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { type Credential, type CredentialRow, credentialSnapshot } from './credential.ts';
import { lockCredential, lockOthersOfKey } from './lock-credential.ts';
import { readCredential } from './read-credential.ts';

export interface CredentialRevocation {
  reasonCode: CredentialRevocationReason;
  /** Why, in words. */
  reason: string;
}

/**
 * A key that somebody else has ends with all credentials of the entity that have it, and never returns. What is revoked
 * with this reason already stays as it is.
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when it is revoked for another reason
 */
export async function revokeCredential(
  context: ChangeContext,
  credentialId: string,
  { reasonCode, reason }: CredentialRevocation,
  expectedVersion?: number,
): Promise<Credential> {
  const { now } = context;
  const seen = await readCredential(context.db, context.actor, credentialId);
  const { authorityId, organisationId, entityId } = seen;
  authorise(despiteSuspension(context.actor), ACCESS.revokeCredential.roles, authorityId, organisationId, entityId);
  await changeRegistry(context, async (tx, record) => {
    const { credential } = await lockCredential(tx, seen);
    if (credential.state === 'revoked' && credential.revocationReason === reasonCode) return;
    if (credential.state === 'revoked') {
      const message = `is revoked already: ${credential.revocationReason}; that is final`;
      throw new RegistryError('illegal_transition', message, { from: 'revoked', to: 'revoked', allowed: [] });
    }
    requireVersion(credential, expectedVersion);
    const others = reasonCode === 'key_compromise' ? await lockOthersOfKey(tx, credential, now) : [];
    for (const before of [credential, ...others]) {
      await endCredential(tx, before, { reasonCode, reason }, now, record);
    }
  });
  return readCredential(context.db, context.actor, credentialId);
}

/** Writes the end of one that is held. */
export async function endCredential(
  tx: Tx,
  before: CredentialRow,
  { reasonCode, reason }: CredentialRevocation,
  now: Date,
  record: (entry: AuditEntry) => void,
): Promise<void> {
  const change = {
    ...({ state: 'revoked', revocationReason: reasonCode, revokedAt: now } as const),
    ...{ stateReason: reason, stateChangedAt: now, version: before.version + 1 },
  };
  await tx.update(credentials).set(change).where(eq(credentials.id, before.id));
  record({
    action: 'credential.revoke',
    authorityId: before.authorityId,
    subjectKind: 'credential',
    subjectId: before.id,
    before: credentialSnapshot(before),
    after: credentialSnapshot({ ...before, ...change }),
    reason,
  });
}
