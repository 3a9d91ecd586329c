/** Registers Federation Entity Keys of a subordinate; a kid names one key for ever (OIDFED §8.7). */
import { and, asc, eq, isNull, notInArray, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import { isSamePublicKey, type Jwk, type JwkSet } from '../../federation/jwk-set.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { entities, entityKeys } from '../../storage/schema/entities.ts';
import { invalidField } from '../registry-error.ts';
import type { EntityRow } from './entity.ts';

/**
 * Makes the registered keys of an entity, whose record is locked or new, those of the set and in its order: known ones
 * stay or come back, missing ones are removed, new ones are added.
 * @throws RegistryError validation_failed when a kid stands, or once stood, for another key of the entity
 */
export async function registerKeys(
  tx: Tx,
  entity: Pick<EntityRow, 'id' | 'authorityId' | 'entityIdentifier'>,
  jwks: JwkSet,
  now: Date,
): Promise<void> {
  const [reused] = reusedKids(jwks, await keysEverRegistered(tx, entity.authorityId, entity.entityIdentifier));
  if (reused !== undefined) {
    const detail = `has the kid ${reused}, which stood for another key of this entity; give the new key a new kid`;
    throw invalidField('/jwks', detail);
  }
  const rows = jwks.keys.map((jwk, position) => ({
    entityId: entity.id,
    kid: jwk.kid,
    position,
    publicJwk: jwk as JsonObject,
    expiresAt: expiryOf(jwk),
    addedAt: now,
  }));
  await tx
    .insert(entityKeys)
    .values(rows)
    .onConflictDoUpdate({ target: [entityKeys.entityId, entityKeys.kid], set: GIVEN_ANEW });
  const kids = jwks.keys.map((jwk) => jwk.kid);
  await tx
    .update(entityKeys)
    .set({ removedAt: now })
    .where(and(eq(entityKeys.entityId, entity.id), notInArray(entityKeys.kid, kids), isNull(entityKeys.removedAt)));
}

/** What a key that was registered before takes from the row that registers it again. */
const GIVEN_ANEW = {
  position: sql`excluded.position`,
  publicJwk: sql`excluded.public_jwk`,
  expiresAt: sql`excluded.expires_at`,
  removedAt: null,
};

/** All keys that an entity ever had under an authority, removed ones and those of closed records too. */
export async function keysEverRegistered(db: Db | Tx, authorityId: string, entityIdentifier: string): Promise<Jwk[]> {
  const rows = await db
    .select({ publicJwk: entityKeys.publicJwk })
    .from(entityKeys)
    .innerJoin(entities, eq(entities.id, entityKeys.entityId))
    .where(and(eq(entities.authorityId, authorityId), eq(entities.entityIdentifier, entityIdentifier)))
    .orderBy(asc(entityKeys.addedAt));
  return rows.map(({ publicJwk }) => publicJwk as Jwk);
}

/** Those kids of a set that stood for another key before. */
export function reusedKids(jwks: JwkSet, known: readonly Jwk[]): string[] {
  return jwks.keys
    .filter((jwk) => known.some((key) => key.kid === jwk.kid && !isSamePublicKey(key, jwk)))
    .map((jwk) => jwk.kid);
}

/** What a database can tell apart from never: the end of the year 9999, seconds since the epoch. */
const LATEST_EXPIRY = 253_402_300_799;

/** A key with `exp` verifies nothing from then on. */
function expiryOf(jwk: Jwk): Date | null {
  return jwk.exp === undefined || jwk.exp > LATEST_EXPIRY ? null : new Date(jwk.exp * 1000);
}
