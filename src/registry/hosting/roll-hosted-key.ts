/** Begins to roll the key of a hosted entity: the new one is listed before it signs anything. @see OIDFED §11.2 */
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { readEntity } from '../entities/read-entity.ts';
import { type GenerateHostedKey, type Hosting, isKeptHere, publicJwkOf } from './hosted-entity.ts';
import {
  changeRegistered,
  dropUnregistered,
  hostingChanged,
  insertHostedKey,
  keyIn,
  knownEverywhere,
  type LockedHosting,
  lockHosting,
  newHostedKey,
  requireActive,
  requireNoneAnnounced,
  requireSignedHere,
  signing,
  updateHostedKey,
} from './hosted-key.ts';
import { readHosting } from './read-hosting.ts';

export interface HostedKeyRoll {
  reason: string | undefined;
  /** Does nothing where a key signs: several nodes see at once that none does, and one of them helps. */
  isOnlyWithoutSigner?: boolean;
}

/**
 * Announces the next key, in the configuration and in the Subordinate Statement at once. Where the present one is not
 * registered any more, for it was removed or is compromised, the next one signs at once, an announced one first.
 * @throws RegistryError not_found, role_missing, not_hosted, entity_not_active, key_roll_pending, kid_reused, and what
 *   `generateKey` fails with
 */
export async function rollHostedKey(
  context: ChangeContext,
  entityId: string,
  { reason, isOnlyWithoutSigner = false }: HostedKeyRoll,
  generateKey: GenerateHostedKey,
): Promise<Hosting> {
  const { authorityId, organisationId, entityIdentifier } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.rollHostedKey.roles, authorityId, organisationId, entityId);
  // Whoever makes keys may take its time: nothing is locked meanwhile.
  const fresh = await generateKey(entityIdentifier);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockHosting(tx, entityId);
    const { entity, hosted } = before;
    requireSignedHere(hosted, entity);
    await requireActive(tx, entity);
    if (isOnlyWithoutSigner && hasSigner(before)) return;
    const keys = await dropUnregistered(tx, before);
    const key = newHostedKey(context, entityId, fresh);
    const announced = keyIn(keys, 'announced');
    if (keyIn(keys, 'active') !== undefined) {
      requireNoneAnnounced(keys);
      await insertHostedKey(tx, { ...key, activateAfter: await knownEverywhere(tx, entity, context.now) });
      await changeRegistered(tx, entity, { add: publicJwkOf(key) }, context.now);
    } else if (announced !== undefined && isKeptHere(announced)) {
      await updateHostedKey(tx, signing(announced, hosted));
    } else {
      await insertHostedKey(tx, signing(key, hosted));
      await changeRegistered(tx, entity, { add: publicJwkOf(key) }, context.now);
    }
    record({ ...(await hostingChanged(tx, before, 'entity.roll_hosted_key', { reason })) });
  });
  return readHosting(context.db, context.actor, entityId);
}

function hasSigner({ keys, registered }: LockedHosting): boolean {
  const active = keyIn(keys, 'active');
  return registered.some(({ jwk }) => jwk.kid === active?.kid);
}
