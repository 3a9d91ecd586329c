/** The keys that an entity ever had, and what of a set may be registered in view of them. @see OIDFED §8.7 */
import { and, asc, eq } from 'drizzle-orm';
import { isSamePublicKey, type Jwk, type JwkSet, MAX_KEYS } from '../../../federation/jwk-set.ts';
import { publishedKeyComplaint } from '../../../federation/lint/published-key.ts';
import { isImportable } from '../../../federation/signature.ts';
import type { Db, Tx } from '../../../storage/connect.ts';
import { entities, entityKeys } from '../../../storage/schema/entities.ts';
import type { EntityRow } from '../entity.ts';

/** Most keys that are ever recorded of an entity: none is forgotten, and each is compared with each new one. */
export const MAX_KEYS_EVER = 1000;

/** The keys that an entity ever had under an authority, removed ones and those of closed records too. */
export interface KeyHistory {
  /** All of them: their kids stand for no others. */
  recorded: Jwk[];
  /** Those that must not be registered again, under whatever kid. */
  barred: Jwk[];
  /** Whether some are registered for the record now. */
  hasPresent: boolean;
}

/** The record that keys are to be registered for: without an id one that is still to be made. */
export type KeyHolder = Pick<EntityRow, 'authorityId' | 'entityIdentifier' | 'state'> & Partial<Pick<EntityRow, 'id'>>;

export async function keyHistory(
  db: Db | Tx,
  { id, authorityId, entityIdentifier, state }: KeyHolder,
): Promise<KeyHistory> {
  const rows = await db
    .select({ entityId: entityKeys.entityId, publicJwk: entityKeys.publicJwk, removal: entityKeys.removal })
    .from(entityKeys)
    .innerJoin(entities, eq(entities.id, entityKeys.entityId))
    .where(and(eq(entities.authorityId, authorityId), eq(entities.entityIdentifier, entityIdentifier)))
    .orderBy(asc(entityKeys.addedAt));
  const jwkOf = ({ publicJwk }: (typeof rows)[number]) => publicJwk as Jwk;
  const present = rows.filter(({ entityId, removal }) => entityId === id && removal === null).map(jwkOf);
  const isBarred = (row: (typeof rows)[number]) =>
    row.removal !== null &&
    (row.removal !== 'enrolment' || state !== 'pending') &&
    !present.some((key) => isSamePublicKey(key, jwkOf(row)));
  return { recorded: rows.map(jwkOf), barred: rows.filter(isBarred).map(jwkOf), hasPresent: present.length > 0 };
}

/** Why a set must not be registered, for whoever made it; empty when it may. */
export async function registrationComplaints(jwks: JwkSet, history: KeyHistory): Promise<string[]> {
  if (jwks.keys.length > MAX_KEYS) return [`more than ${MAX_KEYS} keys`];
  const { recorded, barred } = history;
  const newcomers = newcomersOf(jwks, history);
  return [
    ...(newcomers.length > roomFor(history)
      ? [`more than ${MAX_KEYS_EVER} keys in all that the entity ever had; each stays recorded`]
      : []),
    ...reusedKids(jwks, recorded).map((kid) => `the kid ${kid} stood for another key; a new key needs a new kid`),
    ...barredKids(jwks, barred).map((kid) => `the key ${kid} was removed and does not return; make a new one`),
    ...repeatedKids(jwks, history).map((kid) => `the key ${kid} is there under another kid as well; leave one out`),
    ...(await unusableKids(newcomers)).map((kid) => `the key ${kid} is none: its numbers do not fit each other`),
  ];
}

/** How many new keys may still be recorded. */
export function roomFor({ recorded }: KeyHistory): number {
  return Math.max(0, MAX_KEYS_EVER - new Set(recorded.map(({ kid }) => kid)).size);
}

/** Those kids of a set that stood for another key before. */
export function reusedKids(jwks: JwkSet, known: readonly Jwk[]): string[] {
  return jwks.keys
    .filter((jwk) => known.some((key) => key.kid === jwk.kid && !isSamePublicKey(key, jwk)))
    .map((jwk) => jwk.kid);
}

/** Those kids of a set whose keys must not return. */
export function barredKids(jwks: JwkSet, barred: readonly Jwk[]): string[] {
  return jwks.keys.filter((jwk) => barred.some((key) => isSamePublicKey(key, jwk))).map((jwk) => jwk.kid);
}

/** New kids of a set for a key that it has under another kid, too: of several new ones all but the first. */
export function repeatedKids(jwks: JwkSet, history: KeyHistory): string[] {
  const newcomers = newcomersOf(jwks, history);
  const isRepeated = (key: Jwk, index: number) =>
    newcomers.includes(key) &&
    jwks.keys.some(
      (other, place) => other !== key && isSamePublicKey(other, key) && (place < index || !newcomers.includes(other)),
    );
  return jwks.keys.filter(isRepeated).map(({ kid }) => kid);
}

/** kids of those keys that look right and verify nothing. */
export async function unusableKids(keys: readonly Jwk[]): Promise<string[]> {
  const fit = keys.filter((key) => publishedKeyComplaint(key) === undefined);
  const judged = await Promise.all(fit.map(async (key) => ({ kid: key.kid, isUsable: await isImportable(key) })));
  return judged.filter(({ isUsable }) => !isUsable).map(({ kid }) => kid);
}

function newcomersOf(jwks: JwkSet, { recorded }: KeyHistory): Jwk[] {
  return jwks.keys.filter(({ kid }) => !recorded.some((known) => known.kid === kid));
}
