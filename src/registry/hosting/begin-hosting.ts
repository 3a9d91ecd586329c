/** Begins to host an entity, inside the transaction that enrols it. */
import type { JsonObject } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { hostedEntities } from '../../storage/schema/hosted-entities.ts';
import type { NewAuthorityKey } from '../authorities/authority.ts';
import { authorityLocation } from '../authorities/authority-location.ts';
import type { ChangeContext } from '../change.ts';
import type { EntityRow } from '../entities/entity.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import type { HostingSettings } from './hosted-entity.ts';
import { insertHostedKey, newHostedKey } from './hosted-key.ts';
import { hostnameOf, requireHostingPlace } from './hosting-place.ts';

export interface NewHosting extends HostingSettings {
  /** The key that signs its configurations from the beginning. */
  key: NewAuthorityKey;
}

/** As the audit keeps it. */
export function settingsOf({ metadata, configurationLifetimeSeconds, key }: NewHosting): JsonObject {
  return { metadata, configurationLifetimeSeconds, kid: key.kid };
}

/** @throws RegistryError validation_failed, entity_exists, kid_reused */
export async function beginHosting(
  tx: Tx,
  context: Pick<ChangeContext, 'newId' | 'now' | 'hostingSites'>,
  entity: Pick<EntityRow, 'id' | 'entityIdentifier' | 'organisationId'>,
  { metadata, configurationLifetimeSeconds, key }: NewHosting,
): Promise<void> {
  const { id: entityId, entityIdentifier } = entity;
  await requireHostingPlace(tx, entity, context.hostingSites);
  try {
    await tx.insert(hostedEntities).values({
      entityId,
      location: authorityLocation(entityIdentifier),
      hostname: hostnameOf(entityIdentifier),
      metadata,
      configurationLifetimeSeconds,
      mode: 'signed_here',
      startedAt: context.now,
    });
  } catch (cause) {
    if (!isUniqueViolation(cause, 'hosted_entities_location')) throw cause;
    const message = `${entityIdentifier}, or an entity at the same place, is hosted here already`;
    throw new RegistryError('entity_exists', message, {}, { cause });
  }
  const longestLifetimeSeconds = configurationLifetimeSeconds;
  await insertHostedKey(tx, { ...newHostedKey(context, entityId, key), state: 'active', longestLifetimeSeconds });
}
