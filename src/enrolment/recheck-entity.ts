/** Runs the automatic checks of an enrolled entity again and keeps what they find. */
import type { EntityIdentifier } from '../federation/identifiers.ts';
import { ACCESS } from '../registry/access.ts';
import { authorise, isMember } from '../registry/actor.ts';
import { authorityOf } from '../registry/authorities/read-authority.ts';
import type { ChangeContext } from '../registry/change.ts';
import type { Entity } from '../registry/entities/entity.ts';
import { keyHistory } from '../registry/entities/keys/key-history.ts';
import { lastConfigurationIat } from '../registry/entities/keys/key-statements.ts';
import { liveKeysOf } from '../registry/entities/keys/keys-changeable.ts';
import { requireOpen } from '../registry/entities/lock-entity.ts';
import { readEntity } from '../registry/entities/read-entity.ts';
import { recordChecks } from '../registry/entities/record-checks.ts';
import { RegistryError } from '../registry/registry-error.ts';
import {
  type ApprovedSubject,
  type CheckedConfiguration,
  checkConfiguration,
  type RetrieveConfiguration,
} from './configuration-checks.ts';

/**
 * What they find about a record that changed meanwhile is not kept. The Entity Types that they find become those of the
 * record where somebody of the authority looks at them. Members widen nothing that was approved by asking themselves; nor
 * does anybody what a flow has approved, unless he may change the flow.
 * @throws RegistryError not_found, role_missing, illegal_transition when the record is closed, checks_failed when the
 *   entity publishes no configuration, version_mismatch
 */
export async function recheckEntity(
  context: ChangeContext,
  entityId: string,
  retrieve: RetrieveConfiguration,
): Promise<Entity> {
  const entity = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.recheckEntity.roles, entity.authorityId, entity.organisationId, entity.id);
  requireOpen(entity);
  const found = await freshChecks(context, entity, retrieve);
  const keepsTypes = entity.state !== 'pending' && !(await mayWiden(context, entity));
  return recordChecks(context, entityId, found, { expectedVersion: entity.version, keepsTypes });
}

async function mayWiden({ db, actor }: ChangeContext, entity: Entity): Promise<boolean> {
  if (isMember(actor)) return false;
  return actor.roles.includes('admin') || (await authorityOf(db, entity)).enrolmentFlow === null;
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
  const authority = await authorityOf(context.db, entity);
  const subject = {
    record: entity,
    entityIdentifier: entity.entityIdentifier as EntityIdentifier,
    authority,
    settings: entity,
    roles: entity.roles,
    entityTypes: entity.registeredEntityTypes,
    keyHistory: await keyHistory(context.db, entity),
    approved: entity.state === 'pending' ? null : await approvedOf(context, entity),
  };
  return checkConfiguration(subject, retrieve, Math.floor(context.now.getTime() / 1000), context);
}

/** What nobody registered signs, and what is older, is not even evidence, once there is somebody to vouch for. */
async function approvedOf({ db, now }: ChangeContext, entity: Entity): Promise<ApprovedSubject> {
  const keys = liveKeysOf(entity, now);
  return { keys: { keys }, lastIat: await lastConfigurationIat(db, entity, keys) };
}
