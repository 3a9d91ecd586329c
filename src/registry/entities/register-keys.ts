/** Registers Federation Entity Keys of a subordinate; a kid names one key for ever (OIDFED §8.7). */
import { and, eq, isNull, notInArray, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Jwk, JwkSet } from '../../federation/jwk-set.ts';
import type { Tx } from '../../storage/connect.ts';
import { entityKeys, type KeySource } from '../../storage/schema/entities.ts';
import { invalidField } from '../registry-error.ts';
import type { EntityRow } from './entity.ts';
import { keyHistory, registrationComplaints } from './keys/key-history.ts';

/**
 * Makes the registered keys of an entity, whose record is locked or new, those of the set and in its order: known ones
 * stay, missing ones are removed, new ones are added. While the entity is pending, one that was missing may come back;
 * what was removed later, or is compromised, never does.
 * @param source how new keys came to be registered
 * @throws RegistryError validation_failed when a kid stands, or once stood, for another key of the entity, a key must not
 *   return or is none, or there are too many
 */
export async function registerKeys(
  tx: Tx,
  entity: Pick<EntityRow, 'id' | 'authorityId' | 'entityIdentifier' | 'state'>,
  jwks: JwkSet,
  now: Date,
  source: KeySource,
): Promise<void> {
  const history = await keyHistory(tx, entity);
  const complaints = await registrationComplaints(jwks, history);
  if (complaints.length > 0) throw invalidField('/jwks', `is refused: ${complaints.join('; ')}`);
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
  if (!history.hasPresent) return;
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

/** What a database can tell apart from never: the end of the year 9999, seconds since the epoch. */
export const LATEST_EXPIRY = 253_402_300_799;

/** A key with `exp` verifies nothing from then on. */
function expiryOf(jwk: Jwk): Date | null {
  return jwk.exp === undefined || jwk.exp > LATEST_EXPIRY ? null : new Date(jwk.exp * 1000);
}
