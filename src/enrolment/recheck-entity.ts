/** Runs the automatic checks of an enrolled entity again and keeps what they find. */
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { JwkSet } from '../federation/jwk-set.ts';
import { authorise } from '../registry/actor.ts';
import { readAuthority } from '../registry/authorities/read-authority.ts';
import type { ChangeContext } from '../registry/change.ts';
import type { Entity } from '../registry/entities/entity.ts';
import { isLive } from '../registry/entities/keys/keys-changeable.ts';
import { requireOpen } from '../registry/entities/lock-entity.ts';
import { readEntity } from '../registry/entities/read-entity.ts';
import { recordChecks } from '../registry/entities/record-checks.ts';
import { keyHistory } from '../registry/entities/register-keys.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { type CheckedConfiguration, checkConfiguration, type RetrieveConfiguration } from './configuration-checks.ts';

/**
 * What they find about a record that changed meanwhile is not kept.
 * @throws RegistryError not_found, role_missing, illegal_transition when the record is closed, checks_failed when the
 *   entity publishes no configuration, version_mismatch
 */
export async function recheckEntity(
  context: ChangeContext,
  entityId: string,
  retrieve: RetrieveConfiguration,
): Promise<Entity> {
  const entity = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin', 'registrar', 'approver'], entity.authorityId);
  requireOpen(entity);
  return recordChecks(context, entityId, await freshChecks(context, entity, retrieve), entity.version);
}

/** @throws RegistryError checks_failed when the entity's keys were handed over and there is nothing to fetch */
export async function freshChecks(
  context: ChangeContext,
  entity: Entity,
  retrieve: RetrieveConfiguration,
): Promise<CheckedConfiguration> {
  if (entity.enrolment === 'handed_over') {
    throw new RegistryError('checks_failed', 'its keys were handed over; there is no configuration to check');
  }
  const authority = await readAuthority(context.db, context.actor, entity.authorityId);
  const subject = {
    entityIdentifier: entity.entityIdentifier as EntityIdentifier,
    authority,
    settings: entity,
    entityTypes: entity.registeredEntityTypes,
    keyHistory: await keyHistory(context.db, entity),
    // What nobody registered signs is not even evidence any more, once there is somebody to vouch for.
    registeredKeys: entity.state === 'pending' ? null : liveKeysOf(entity, context.now),
  };
  return checkConfiguration(subject, retrieve, Math.floor(context.now.getTime() / 1000), context);
}

function liveKeysOf({ keys }: Entity, now: Date): JwkSet {
  return { keys: keys.map(({ jwk }) => jwk).filter((key) => isLive(key, now)) };
}
