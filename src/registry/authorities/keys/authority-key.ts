/** Keys of an authority inside the transaction of a verb, and as the audit keeps them. */
import { asc, eq } from 'drizzle-orm';
import type { JsonObject } from '../../../federation/json.ts';
import type { Db, Tx } from '../../../storage/connect.ts';
import { authorities } from '../../../storage/schema/authorities.ts';
import { authorityKeys } from '../../../storage/schema/authority-keys.ts';
import { notFound } from '../../actor.ts';
import type { ChangeContext } from '../../change.ts';
import { RegistryError } from '../../registry-error.ts';
import type { Authority, AuthorityKey, AuthorityKeyRecord, NewAuthorityKey } from '../authority.ts';

export interface LockedKeys {
  authority: Authority;
  /** In the order of their creation. */
  keys: AuthorityKey[];
}

/**
 * Holds an authority with its keys until the transaction ends: rolls follow one another, and no lifetime is raised
 * meanwhile. Statements may still be stored.
 * @throws RegistryError not_found
 */
export async function lockAuthorityKeys(tx: Tx, authorityId: string): Promise<LockedKeys> {
  const [authority] = await tx.select().from(authorities).where(eq(authorities.id, authorityId)).for('no key update');
  if (authority === undefined) throw notFound('authority', authorityId);
  const keys = await tx
    .select()
    .from(authorityKeys)
    .where(eq(authorityKeys.authorityId, authorityId))
    .orderBy(asc(authorityKeys.createdAt), asc(authorityKeys.id));
  return { authority, keys };
}

/**
 * The keys without holding them: for what is got ready before a transaction, which decides by {@link lockAuthorityKeys}.
 * @throws RegistryError not_found
 */
export async function peekAuthorityKeys(db: Db, authorityId: string): Promise<AuthorityKey[]> {
  const [authority] = await db.select({ id: authorities.id }).from(authorities).where(eq(authorities.id, authorityId));
  if (authority === undefined) throw notFound('authority', authorityId);
  return await db.select().from(authorityKeys).where(eq(authorityKeys.authorityId, authorityId));
}

/** The one key in a state that only one has at a time. */
export function keyIn(keys: readonly AuthorityKey[], state: 'announced' | 'active'): AuthorityKey | undefined {
  return keys.find((key) => key.state === state);
}

/** @throws RegistryError not_found */
export function keyNamed(keys: readonly AuthorityKey[], kid: string): AuthorityKey {
  const key = keys.find((candidate) => candidate.kid === kid);
  if (key === undefined) throw notFound('key', kid);
  return key;
}

/** @throws RegistryError illegal_transition */
export function illegalFor({ kid, state }: AuthorityKey, verb: string, from: string): RegistryError {
  return new RegistryError('illegal_transition', `cannot ${verb} the key ${kid}, which is ${state}; only ${from}`, {
    from: state,
    allowed: [],
  });
}

/** A key as it was made, announced and without a time to sign. */
export function newKeyRow(
  { newId, now }: Pick<ChangeContext, 'newId' | 'now'>,
  authorityId: string,
  key: NewAuthorityKey,
): AuthorityKey {
  return {
    id: newId(),
    authorityId,
    kid: key.kid,
    alg: key.alg,
    purpose: 'federation',
    publicJwk: key.publicJwk as JsonObject,
    sealedPrivateKey: key.sealedPrivateKey,
    custody: key.custody ?? 'sealed',
    tokenObject: key.tokenObject ?? null,
    state: 'announced',
    createdAt: now,
    activateAfter: null,
    activatedAt: null,
    retiredAt: null,
    removeAfter: null,
    longestLifetimeSeconds: 0,
    expiresAt: null,
    revokedAt: null,
    revocationReason: null,
  };
}

export function withoutPrivateHalf({ sealedPrivateKey: _, tokenObject: __, ...key }: AuthorityKey): AuthorityKeyRecord {
  return key;
}

/** The key as the audit keeps it: what says when it signs and stays published. */
export function keySnapshot(key: AuthorityKey): JsonObject {
  const { kid: _, id: __, authorityId: ___, purpose: ____, createdAt: _____, ...fields } = withoutPrivateHalf(key);
  const members = Object.entries(fields).filter(([, value]) => value !== null);
  return Object.fromEntries(
    members.map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
  );
}
