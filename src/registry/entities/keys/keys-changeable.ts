/** When the registered keys of an entity may change at all, and what must be left of them. */
import { eq } from 'drizzle-orm';
import type { Jwk } from '../../../federation/jwk-set.ts';
import type { Tx } from '../../../storage/connect.ts';
import { organisations } from '../../../storage/schema/organisations.ts';
import { RegistryError } from '../../registry-error.ts';
import { effectiveState } from '../../states.ts';
import type { EntityRow } from '../entity.ts';

type Holder = Pick<EntityRow, 'state' | 'organisationId'>;

/** Whether the entity and its organisation are both active; the organisation stays as it is until the transaction ends. */
export async function isEffectivelyActive(tx: Tx, { state, organisationId }: Holder): Promise<boolean> {
  const [organisation] = await tx
    .select({ state: organisations.state })
    .from(organisations)
    .where(eq(organisations.id, organisationId))
    .for('share');
  return organisation !== undefined && effectiveState(state, organisation.state) === 'active';
}

/**
 * While an entity is pending its keys follow what is checked; afterwards they change only while it is active.
 * @throws RegistryError entity_not_active
 */
export async function requireKeysChangeable(tx: Tx, entity: Holder): Promise<void> {
  if (entity.state === 'pending' || (await isEffectivelyActive(tx, entity))) return;
  const message = 'keys change only while the entity and its organisation are active; a key may be marked compromised';
  throw new RegistryError('entity_not_active', message, { state: entity.state });
}

/** Whether a key still verifies something. */
export function isLive({ exp }: Jwk, now: Date): boolean {
  return exp === undefined || exp * 1000 > now.getTime();
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
