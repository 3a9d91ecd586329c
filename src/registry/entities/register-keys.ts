/** Registers Federation Entity Keys of a subordinate; a kid names one key for ever (OIDFED §8.7). */
import { and, asc, eq, isNull, notInArray, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import { isSamePublicKey, type Jwk, type JwkSet } from '../../federation/jwk-set.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { entities, entityKeys, type KeySource } from '../../storage/schema/entities.ts';
import { invalidField } from '../registry-error.ts';
import type { EntityRow } from './entity.ts';

/**
 * Makes the registered keys of an entity, whose record is locked or new, those of the set and in its order: known ones
 * stay, missing ones are removed, new ones are added. While the entity is pending, one that was missing may come back;
 * what was removed later, or is compromised, never does.
 * @param source how new keys came to be registered
 * @throws RegistryError validation_failed when a kid stands, or once stood, for another key of the entity, or a key
 *   must not return
 */
export async function registerKeys(
  tx: Tx,
  entity: Pick<EntityRow, 'id' | 'authorityId' | 'entityIdentifier' | 'state'>,
  jwks: JwkSet,
  now: Date,
  source: KeySource,
): Promise<void> {
  const { recorded, barred } = await keyHistory(tx, entity);
  const [reused] = reusedKids(jwks, recorded);
  if (reused !== undefined) {
    const detail = `has the kid ${reused}, which stood for another key of this entity; give the new key a new kid`;
    throw invalidField('/jwks', detail);
  }
  const [returning] = barredKids(jwks, barred);
  if (returning !== undefined) {
    throw invalidField('/jwks', `has the key ${returning}, which was removed and does not return; make a new key`);
  }
  const rows = jwks.keys.map((jwk, position) => ({
    entityId: entity.id,
    kid: jwk.kid,
    position,
    publicJwk: jwk as JsonObject,
    expiresAt: expiryOf(jwk),
    addedAt: now,
    source,
  }));
  await tx
    .insert(entityKeys)
    .values(rows)
    .onConflictDoUpdate({ target: [entityKeys.entityId, entityKeys.kid], set: GIVEN_ANEW });
  const kids = jwks.keys.map((jwk) => jwk.kid);
  // What goes before anybody vouched for it may come back.
  const removal = entity.state === 'pending' || source === 'configuration' ? 'enrolment' : source;
  await tx
    .update(entityKeys)
    .set({ removedAt: now, removal })
    .where(and(eq(entityKeys.entityId, entity.id), notInArray(entityKeys.kid, kids), isNull(entityKeys.removedAt)));
}

/** What a key that was registered before takes from the row that registers it again. */
const GIVEN_ANEW = {
  position: sql`excluded.position`,
  publicJwk: sql`excluded.public_jwk`,
  expiresAt: sql`excluded.expires_at`,
  removedAt: null,
  removal: null,
};

/** The keys that an entity ever had under an authority, removed ones and those of closed records too. */
export interface KeyHistory {
  /** All of them: their kids stand for no others. */
  recorded: Jwk[];
  /** Those that must not be registered again, under whatever kid. */
  barred: Jwk[];
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
  return { recorded: rows.map(jwkOf), barred: rows.filter(isBarred).map(jwkOf) };
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

/** What a database can tell apart from never: the end of the year 9999, seconds since the epoch. */
export const LATEST_EXPIRY = 253_402_300_799;

/** A key with `exp` verifies nothing from then on. */
function expiryOf(jwk: Jwk): Date | null {
  return jwk.exp === undefined || jwk.exp > LATEST_EXPIRY ? null : new Date(jwk.exp * 1000);
}
