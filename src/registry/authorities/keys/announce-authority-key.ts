/** Begins a roll: a new key is published before it signs anything. @see OIDFED §11.2 */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../../storage/connect.ts';
import { authorityKeys } from '../../../storage/schema/authority-keys.ts';
import { authorise } from '../../actor.ts';
import { type ChangeContext, changeRegistry } from '../../change.ts';
import { RegistryError } from '../../registry-error.ts';
import { isUniqueViolation } from '../../unique-violation.ts';
import type { Authority, AuthorityKey, AuthorityKeyRecord, GenerateAuthorityKey } from '../authority.ts';
import {
  keyIn,
  keySnapshot,
  lockAuthorityKeys,
  newKeyRow,
  peekAuthorityKeys,
  withoutPrivateHalf,
} from './authority-key.ts';
import { latest, readyAt } from './key-times.ts';
import { longestLifetime } from './longest-lifetime.ts';
import { claimTokenObject } from './token-objects-in-making.ts';

export interface Announcement {
  /** Keep the key ready for an emergency, without a time to sign. */
  isStandby?: boolean;
  /** Why; for the audit. */
  reason?: string;
}

/**
 * Announces the key that signs next: the one that is kept ready, else a new one. Where no key signs, since the last one
 * was revoked and none could be made, the new one signs at once.
 * @throws RegistryError not_found, role_missing, key_roll_pending, kid_reused, and what `generateKey` fails with
 */
export async function announceAuthorityKey(
  context: ChangeContext,
  authorityId: string,
  { isStandby = false, reason }: Announcement,
  generateKey: GenerateAuthorityKey,
): Promise<AuthorityKeyRecord> {
  authorise(context.actor, ['admin'], authorityId);
  // Whoever makes keys may take its time: neither a lock nor a connection is held for so long.
  const isNeeded = keyIn(await peekAuthorityKeys(context.db, authorityId), 'announced') === undefined;
  const fresh = isNeeded ? await generateKey(authorityId) : undefined;
  return await changeRegistry(context, async (tx, record) => {
    const { authority, keys } = await lockAuthorityKeys(tx, authorityId);
    const announced = keyIn(keys, 'announced');
    if (announced !== undefined && (isStandby || announced.activateAfter !== null)) throw rollPending(announced);
    const before = announced === undefined ? undefined : keySnapshot(announced);
    const made = announced ?? (fresh && newKeyRow(context, authorityId, fresh));
    if (made === undefined)
      throw new RegistryError('key_roll_pending', 'the announced key changed just now; try again');
    const signsAtOnce = keyIn(keys, 'active') === undefined;
    const key = signsAtOnce
      ? await signingFromNow(tx, authority, made, context.now)
      : { ...made, activateAfter: isStandby ? null : latest(context.now, readyAt(made, authority)) };
    if (announced === undefined) await insertKey(tx, key);
    else await tx.update(authorityKeys).set(key).where(eq(authorityKeys.id, key.id));
    record({
      action: signsAtOnce ? 'authority_key.activate' : 'authority_key.announce',
      authorityId,
      subjectKind: 'authority_key',
      subjectId: key.kid,
      ...(before && { before }),
      after: keySnapshot(key),
      ...(reason !== undefined && { reason }),
    });
    return withoutPrivateHalf(key);
  });
}

/** The key as the one that signs. */
export async function signingFromNow(
  tx: Tx,
  authority: Authority,
  key: AuthorityKey,
  activatedAt: Date,
): Promise<AuthorityKey> {
  const longestLifetimeSeconds = await longestLifetime(tx, authority);
  return { ...key, state: 'active', activateAfter: null, activatedAt, longestLifetimeSeconds };
}

/**
 * @throws RegistryError kid_reused: a kid stands for one key in the whole deployment, for ever (§8.7)
 * @throws RegistryError key_not_ready: it took so long that it was destroyed in its token
 */
export async function insertKey(tx: Tx, key: AuthorityKey): Promise<void> {
  if (key.tokenObject !== null) await claimTokenObject(tx, key.tokenObject);
  try {
    await tx.insert(authorityKeys).values(key);
  } catch (cause) {
    if (!isUniqueViolation(cause, 'authority_keys_kid_key')) throw cause;
    throw new RegistryError('kid_reused', `the key ${key.kid} was in use before; make another one`, {}, { cause });
  }
}

function rollPending({ kid, activateAfter }: AuthorityKey): RegistryError {
  const what = activateAfter === null ? 'is kept ready' : 'is announced';
  return new RegistryError('key_roll_pending', `the key ${kid} ${what} already; activate or revoke it first`, { kid });
}
