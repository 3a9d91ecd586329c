/** Changes when the suspension of an entity ends by itself. */
import { eq } from 'drizzle-orm';
import { entities } from '../../storage/schema/entities.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { changedEnd, type SuspensionChange } from '../life-cycle/decision.ts';
import { type Entity, entitySnapshot } from './entity.ts';
import { lockEntity } from './lock-entity.ts';
import { readEntity } from './read-entity.ts';

/**
 * All else of the suspension stays: since when, and why. What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition unless it is suspended itself,
 *   validation_failed for an end that is past
 */
export async function changeEntitySuspension(
  context: ChangeContext,
  entityId: string,
  change: SuspensionChange,
  expectedVersion?: number,
): Promise<Entity> {
  const { authorityId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.changeEntitySuspension.roles, authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockEntity(tx, entityId);
    requireVersion(before, expectedVersion);
    const changed = changedEnd(before, change, context.now);
    if (changed === undefined) return;
    await tx.update(entities).set(changed).where(eq(entities.id, entityId));
    record({
      action: 'entity.change_suspension',
      authorityId,
      subjectKind: 'entity',
      subjectId: entityId,
      before: entitySnapshot(before),
      after: entitySnapshot({ ...before, ...changed }),
      reason: change.reason,
    });
  });
  return await readEntity(context.db, context.actor, entityId);
}
