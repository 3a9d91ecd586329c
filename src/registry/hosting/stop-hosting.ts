/** Lets an entity on a host name of its own go elsewhere with it: it publishes its configuration itself. */
import { eq } from 'drizzle-orm';
import { entities } from '../../storage/schema/entities.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import type { Entity } from '../entities/entity.ts';
import { readEntity } from '../entities/read-entity.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { endHosting } from './end-hosting.ts';
import { hostingChanged, lockHosting } from './hosted-key.ts';
import { isOnOurHost } from './hosting-place.ts';

/**
 * It keeps its registered keys, so it must have one: it took ours or brought its own, and uploaded a configuration.
 * @throws RegistryError not_found, role_missing, not_hosted, validation_failed when it is under our host name
 */
export async function stopHosting(
  context: ChangeContext,
  entityId: string,
  { reason }: { reason: string },
): Promise<Entity> {
  const { authorityId, organisationId, entityIdentifier } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.stopHosting.roles, authorityId, organisationId, entityId);
  if (isOnOurHost(entityIdentifier, context.hostingSites)) {
    throw invalidField('/entityIdentifier', 'is under our own host name and can be served nowhere else');
  }
  await changeRegistry(context, async (tx, record) => {
    const before = await lockHosting(tx, entityId);
    if (before.hosted.mode !== 'uploaded') {
      const message = `${entityIdentifier} has no key to sign with elsewhere; have it take or bring one first`;
      throw new RegistryError('not_hosted', message);
    }
    await endHosting(tx, [entityId], context.now);
    await tx.update(entities).set({ enrolment: 'published' }).where(eq(entities.id, entityId));
    record({ ...(await hostingChanged(tx, before, 'entity.stop_hosting', { reason })) });
  });
  return readEntity(context.db, context.actor, entityId);
}
