/** Keys of hosted entities inside the transaction of a verb. @see OIDFED §11.2 */
import { and, asc, eq, inArray, max } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorityKeys } from '../../storage/schema/authority-keys.ts';
import { entities } from '../../storage/schema/entities.ts';
import { hostedEntities, hostedKeys } from '../../storage/schema/hosted-entities.ts';
import type { NewAuthorityKey } from '../authorities/authority.ts';
import { after, LEEWAY_SECONDS } from '../authorities/keys/key-times.ts';
import { claimTokenObject } from '../authorities/keys/token-objects-in-making.ts';
import type { AuditEntry, ChangeContext } from '../change.ts';
import { type EntityRow, entitySnapshot, type RegisteredKey } from '../entities/entity.ts';
import { activeSince } from '../entities/keys/keys-changeable.ts';
import { lockOpenEntity } from '../entities/lock-entity.ts';
import { registeredKeysOf } from '../entities/read-entity.ts';
import { registerKeys } from '../entities/register-keys.ts';
import type { Action } from '../events/event-types.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import { type HostedEntity, type HostedKey, hostingSnapshot, isKeptHere, isListed } from './hosted-entity.ts';

export interface LockedHosting {
  entity: EntityRow;
  hosted: HostedEntity;
  /** In the order of their creation. */
  keys: HostedKey[];
  /** Keys that the Subordinate Statement lists. */
  registered: RegisteredKey[];
}

/**
 * Holds a hosted entity with its keys until the transaction ends.
 * @throws RegistryError not_found, not_hosted, illegal_transition when it is closed
 */
export async function lockHosting(tx: Tx, entityId: string): Promise<LockedHosting> {
  const entity = await lockOpenEntity(tx, entityId);
  const [hosted] = await tx.select().from(hostedEntities).where(eq(hostedEntities.entityId, entityId));
  if (hosted === undefined || hosted.endedAt !== null) throw notHosted(entity);
  const [keys, registered] = [await hostedKeysOf(tx, entityId), await registeredKeysOf(tx, entityId)];
  return { entity, hosted, keys, registered };
}

/** In the order of their creation. */
export async function hostedKeysOf(db: Db | Tx, entityId: string): Promise<HostedKey[]> {
  return await db
    .select()
    .from(hostedKeys)
    .where(eq(hostedKeys.entityId, entityId))
    .orderBy(asc(hostedKeys.createdAt), asc(hostedKeys.id));
}

export function notHosted({ entityIdentifier }: Pick<EntityRow, 'entityIdentifier'>): RegistryError {
  return new RegistryError('not_hosted', `the configuration of ${entityIdentifier} is not served here`);
}

/** @throws RegistryError entity_not_active: what it publishes under other keys would be believed by nobody */
export async function requireActive(tx: Tx, entity: EntityRow): Promise<void> {
  if ((await activeSince(tx, entity)) !== undefined) return;
  const message = 'its keys change hands and roll only while it and its organisation are active';
  throw new RegistryError('entity_not_active', message, { state: entity.state });
}

/** @throws RegistryError not_hosted */
export function requireSignedHere(hosted: HostedEntity, { entityIdentifier }: EntityRow): void {
  if (hosted.mode === 'signed_here') return;
  throw new RegistryError('not_hosted', `${entityIdentifier} signs its configuration itself and uploads it`);
}

export function keyIn(keys: readonly HostedKey[], state: 'announced' | 'active'): HostedKey | undefined {
  return keys.find((key) => key.state === state);
}

/** @throws RegistryError key_roll_pending */
export function requireNoneAnnounced(keys: readonly HostedKey[]): void {
  const announced = keyIn(keys, 'announced');
  if (announced === undefined) return;
  const message = `the key ${announced.kid} is announced already; one follows after the other`;
  throw new RegistryError('key_roll_pending', message, { kid: announced.kid });
}

export function newHostedKey(
  { newId, now }: Pick<ChangeContext, 'newId' | 'now'>,
  entityId: string,
  key: Omit<NewAuthorityKey, 'custody'> & { custody?: HostedKey['custody'] | undefined },
): HostedKey {
  return {
    id: newId(),
    entityId,
    kid: key.kid,
    alg: key.alg,
    purpose: 'hosted-entity',
    publicJwk: key.publicJwk as JsonObject,
    sealedPrivateKey: key.sealedPrivateKey,
    custody: key.custody ?? 'sealed',
    tokenObject: key.tokenObject ?? null,
    state: 'announced',
    createdAt: now,
    activateAfter: null,
    retiredAt: null,
    removeAfter: null,
    longestLifetimeSeconds: 0,
    handedOverJwe: null,
    handedOverTo: null,
  };
}

/** @throws RegistryError kid_reused */
export async function insertHostedKey(tx: Tx, key: HostedKey): Promise<void> {
  if (key.tokenObject !== null) await claimTokenObject(tx, key.tokenObject);
  try {
    await tx.insert(hostedKeys).values(key);
  } catch (cause) {
    if (!isUniqueViolation(cause, 'hosted_keys_kid')) throw cause;
    throw new RegistryError('kid_reused', `the key ${key.kid} was in use before; make another one`, {}, { cause });
  }
}

export async function updateHostedKey(tx: Tx, key: HostedKey): Promise<void> {
  await tx.update(hostedKeys).set(key).where(eq(hostedKeys.id, key.id));
}

export function signing(key: HostedKey, { configurationLifetimeSeconds }: HostedEntity): HostedKey {
  return { ...key, state: 'active', activateAfter: null, longestLifetimeSeconds: configurationLifetimeSeconds };
}

/** It signs no more, so its private half is destroyed; it stays listed while a configuration lives that it signed. */
export function retired(key: HostedKey, now: Date): HostedKey {
  const removeAfter = after(now, key.longestLifetimeSeconds + LEEWAY_SECONDS);
  return { ...key, state: 'retired', retiredAt: now, removeAfter, sealedPrivateKey: null };
}

/** From then on no Subordinate Statement is in use that does not list a key which is registered now. */
export async function knownEverywhere(tx: Tx, { authorityId }: EntityRow, now: Date): Promise<Date> {
  const [longest] = await tx
    .select({ seconds: max(authorityKeys.longestLifetimeSeconds) })
    .from(authorityKeys)
    .where(and(eq(authorityKeys.authorityId, authorityId), inArray(authorityKeys.state, ['active', 'retired'])));
  return after(now, (longest?.seconds ?? 0) + LEEWAY_SECONDS);
}

/** Registers a key beside those that there are, or takes one out. */
export async function changeRegistered(
  tx: Tx,
  entity: EntityRow,
  { add, removeKid }: { add?: Jwk; removeKid?: string },
  now: Date,
): Promise<void> {
  const registered = (await registeredKeysOf(tx, entity.id)).map(({ jwk }) => jwk);
  const kept = registered.filter(({ kid }) => kid !== removeKid);
  const keys = add === undefined ? kept : [...kept, add];
  const isSame = add === undefined && kept.length === registered.length;
  // The last key goes by other ways: nobody could say anything for the entity any more.
  if (!isSame && keys.length > 0) await registerKeys(tx, entity, { keys }, now, 'registrar');
}

/**
 * Gives up keys that are not registered any more, for somebody removed them or they are compromised.
 * @returns the others
 */
export async function dropUnregistered(tx: Tx, { keys, registered }: LockedHosting): Promise<HostedKey[]> {
  const isLost = (key: HostedKey) => isListed(key) && !registered.some(({ jwk }) => jwk.kid === key.kid);
  for (const key of keys.filter(isLost)) {
    await updateHostedKey(tx, { ...key, state: 'removed', sealedPrivateKey: null });
  }
  return keys.filter((key) => !isLost(key));
}

/**
 * What is announced and kept here will never sign: it leaves the Subordinate Statement as well.
 * @returns the key that was given up
 */
export async function dropAnnounced(
  tx: Tx,
  { entity, keys }: Pick<LockedHosting, 'entity' | 'keys'>,
  now: Date,
): Promise<HostedKey | undefined> {
  const announced = keyIn(keys, 'announced');
  if (announced === undefined || !isKeptHere(announced)) return undefined;
  await updateHostedKey(tx, { ...announced, state: 'removed', sealedPrivateKey: null });
  await changeRegistered(tx, entity, { removeKid: announced.kid }, now);
  return announced;
}

/** The next version of the record, and the audit entry that tells what came of its hosting. */
export async function hostingChanged(
  tx: Tx,
  before: LockedHosting,
  action: Action,
  more: { reason?: string | undefined; after?: JsonObject } = {},
): Promise<AuditEntry> {
  const { entity } = before;
  const [hosted = before.hosted] = await tx.select().from(hostedEntities).where(eq(hostedEntities.entityId, entity.id));
  const [after = entity] = await tx
    .update(entities)
    .set({ version: entity.version + 1 })
    .where(eq(entities.id, entity.id))
    .returning();
  const [keys, registered] = [await hostedKeysOf(tx, entity.id), await registeredKeysOf(tx, entity.id)];
  return {
    action,
    authorityId: entity.authorityId,
    subjectKind: 'entity',
    subjectId: entity.id,
    before: { ...entitySnapshot(entity, before.registered), hosting: hostingSnapshot(before.hosted, before.keys) },
    after: { ...entitySnapshot(after, registered), hosting: hostingSnapshot(hosted, keys), ...more.after },
    ...(more.reason !== undefined && { reason: more.reason }),
  };
}
