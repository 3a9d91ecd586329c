/** Revokes a key of an authority; the one that signs is replaced in the same moment. @see OIDFED §8.7, §11.4 */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../../storage/connect.ts';
import { authorityKeys } from '../../../storage/schema/authority-keys.ts';
import { authorise } from '../../actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry } from '../../change.ts';
import { invalidField } from '../../registry-error.ts';
import type {
  Authority,
  AuthorityKey,
  AuthorityKeyRecord,
  GenerateAuthorityKey,
  NewAuthorityKey,
} from '../authority.ts';
import { insertKey, signingFromNow } from './announce-authority-key.ts';
import {
  illegalFor,
  keyIn,
  keyNamed,
  keySnapshot,
  lockAuthorityKeys,
  newKeyRow,
  peekAuthorityKeys,
  withoutPrivateHalf,
} from './authority-key.ts';
import { latest } from './key-times.ts';
import { type RevocationImpact, revocationImpact } from './revocation-impact.ts';
import type { SignedByKey } from './signed-by-key.ts';

export interface Revocation {
  /** `reason` of §8.7: `compromised`, `superseded`, `unspecified`, or one of the federation's own. */
  revocationReason: string;
  /** Why, in words; for the audit. */
  reason: string;
}

export interface RevocationResult {
  key: AuthorityKeyRecord;
  /** The key that signs from now on; null when none does. */
  signingKid: string | null;
  /** Why no key could be made to sign in place of the revoked one: nothing is signed until one can. */
  failure: string | null;
  impact: RevocationImpact;
}

export interface RevocationTools {
  generateKey: GenerateAuthorityKey;
  signedByKey: SignedByKey;
  /** How long the revocation waits for a key that takes the place of the revoked one. */
  patienceMs?: number;
}

const DEFAULT_PATIENCE_MS = 10_000;

/** Words as the standard's, or URIs. */
const REVOCATION_REASON = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;

/**
 * Nothing is signed with the key any more and it is published as revoked, from this moment on. If it is the one that
 * signs, the announced key takes its place, else a new one. All that is signed is signed anew when it is asked for next.
 * @throws RegistryError not_found, role_missing, validation_failed, illegal_transition when it is revoked already
 */
export async function revokeAuthorityKey(
  context: ChangeContext,
  authorityId: string,
  kid: string,
  { revocationReason, reason }: Revocation,
  tools: RevocationTools,
): Promise<RevocationResult> {
  authorise(context.actor, ['admin'], authorityId);
  if (!REVOCATION_REASON.test(revocationReason)) {
    throw invalidField('/revocationReason', 'is one word such as compromised, or a URI, of at most 200 characters');
  }
  const fresh = await freshKey(context, authorityId, kid, tools);
  return await changeRegistry(context, async (tx, record) => {
    const { authority, keys } = await lockAuthorityKeys(tx, authorityId);
    const before = keyNamed(keys, kid);
    if (before.state === 'revoked') throw illegalFor(before, 'revoke', 'one that is not can be');
    const now = latest(context.now, before.createdAt, before.activatedAt);
    const impact = await revocationImpact(tx, authority, before, tools.signedByKey, now);
    const key: AuthorityKey = {
      ...before,
      ...{ state: 'revoked', revokedAt: now, activateAfter: null, removeAfter: null, sealedPrivateKey: null },
      revocationReason: revocationReason === 'unspecified' ? null : revocationReason,
    };
    await tx.update(authorityKeys).set(key).where(eq(authorityKeys.id, key.id));
    record({
      action: 'authority_key.revoke',
      authorityId,
      subjectKind: 'authority_key',
      subjectId: kid,
      before: keySnapshot(before),
      after: keySnapshot(key),
      reason,
    });
    const others = keys.filter(({ id }) => id !== key.id);
    const signing = keyIn(others, 'active');
    const next =
      signing !== undefined
        ? { key: signing, failure: null }
        : await replacement(tx, { context, authority, keys: others, now, fresh, record, reason });
    return {
      key: withoutPrivateHalf(key),
      signingKid: next.key?.kid ?? null,
      failure: next.failure,
      impact,
    };
  });
}

/** A key that was made to sign instead, or why there is none. */
type FreshKey = { made: NewAuthorityKey } | { failure: string };

/**
 * A new key where the revoked one would leave nobody to sign. Made before the transaction: whoever makes keys may take
 * its time, and hold up neither the revocation nor anything else.
 */
async function freshKey(
  { db }: ChangeContext,
  authorityId: string,
  kid: string,
  { generateKey, patienceMs = DEFAULT_PATIENCE_MS }: RevocationTools,
): Promise<FreshKey> {
  const keys = await peekAuthorityKeys(db, authorityId);
  const { state } = keyNamed(keys, kid);
  const others = keys.filter((key) => key.kid !== kid);
  const isNeeded = state !== 'revoked' && !keyIn(others, 'active') && !keyIn(others, 'announced');
  if (!isNeeded) return { failure: 'the keys of the authority changed in this moment' };
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no key was made within ${patienceMs / 1000} s`)), patienceMs);
  try {
    return { made: await Promise.race([generateKey(authorityId), late.promise]) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

interface ReplacementOrder {
  context: ChangeContext;
  authority: Authority;
  keys: readonly AuthorityKey[];
  now: Date;
  fresh: FreshKey;
  record: (entry: AuditEntry) => void;
  reason: string;
}

/** The key that signs instead. A compromised one is given up even if nothing can take its place. */
async function replacement(
  tx: Tx,
  { context, authority, keys, now, fresh, record, reason }: ReplacementOrder,
): Promise<{ key: AuthorityKey | undefined; failure: string | null }> {
  const announced = keyIn(keys, 'announced');
  let made = announced;
  if (made === undefined) {
    if ('failure' in fresh) return { key: undefined, failure: fresh.failure };
    made = newKeyRow(context, authority.id, fresh.made);
  }
  const key = await signingFromNow(tx, authority, made, now);
  if (announced === undefined) await insertKey(tx, key);
  else await tx.update(authorityKeys).set(key).where(eq(authorityKeys.id, key.id));
  record({
    action: 'authority_key.activate',
    authorityId: authority.id,
    subjectKind: 'authority_key',
    subjectId: key.kid,
    ...(announced !== undefined && { before: keySnapshot(announced) }),
    after: keySnapshot(key),
    reason,
  });
  return { key, failure: null };
}
