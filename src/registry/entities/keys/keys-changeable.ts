/** When the registered keys of an entity may change at all, and what must be left of them. */
import { eq } from 'drizzle-orm';
import type { Jwk } from '../../../federation/jwk-set.ts';
import type { Tx } from '../../../storage/connect.ts';
import { organisations } from '../../../storage/schema/organisations.ts';
import { RegistryError } from '../../registry-error.ts';
import { effectiveState } from '../../states.ts';
import type { EntityRow, RegisteredKey } from '../entity.ts';

type Holder = Pick<EntityRow, 'state' | 'organisationId' | 'stateChangedAt'>;

/**
 * Since when the entity and its organisation are both active, undefined while they are not; the organisation stays as it
 * is until the transaction ends.
 */
export async function activeSince(tx: Tx, entity: Holder): Promise<Date | undefined> {
  const [organisation] = await tx
    .select({ state: organisations.state, stateChangedAt: organisations.stateChangedAt })
    .from(organisations)
    .where(eq(organisations.id, entity.organisationId))
    .for('share');
  if (organisation === undefined || effectiveState(entity.state, organisation.state) !== 'active') return undefined;
  return organisation.stateChangedAt > entity.stateChangedAt ? organisation.stateChangedAt : entity.stateChangedAt;
}

/**
 * While an entity is pending its keys follow what is checked; afterwards they change only while it is active.
 * @throws RegistryError entity_not_active
 */
export async function requireKeysChangeable(tx: Tx, entity: Holder): Promise<void> {
  if (entity.state === 'pending' || (await activeSince(tx, entity)) !== undefined) return;
  const message = 'keys change only while the entity and its organisation are active; a key may be marked compromised';
  throw new RegistryError('entity_not_active', message, { state: entity.state });
}

/** Whether a key still verifies something. */
export function isLive({ exp }: Jwk, now: Date): boolean {
  return exp === undefined || exp * 1000 > now.getTime();
}

/** The registered keys that still verify something. */
export function liveKeysOf({ keys }: { keys: readonly RegisteredKey[] }, now: Date): Jwk[] {
  return keys.map(({ jwk }) => jwk).filter((key) => isLive(key, now));
}

/**
 * Without a key that counts nobody can trust the entity, and it cannot help itself any more: a person decides that.
 * @throws RegistryError last_key
 */
export function requireKeyLeft({ state }: Pick<EntityRow, 'state'>, keys: readonly Jwk[], now: Date): void {
  if (state === 'pending' || keys.some((key) => isLive(key, now))) return;
  const message = 'no key that counts would be left; remove the last one with allowNoKeys, if that is meant';
  throw new RegistryError('last_key', message);
}
