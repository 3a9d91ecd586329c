/** Takes a registered key from an entity, for good. */
import { and, eq } from 'drizzle-orm';
import { entities, entityKeys } from '../../../storage/schema/entities.ts';
import { ACCESS } from '../../access.ts';
import { authorise, despiteSuspension, notFound } from '../../actor.ts';
import { type ChangeContext, changeRegistry } from '../../change.ts';
import { type Entity, entitySnapshot } from '../entity.ts';
import { lockOpenEntity } from '../lock-entity.ts';
import { readEntity, registeredKeysOf } from '../read-entity.ts';
import { outdatePushed } from './key-statements.ts';
import { requireKeyLeft, requireKeysChangeable } from './keys-changeable.ts';

export interface KeyRemoval {
  kid: string;
  reason: string;
  /** The decision that the entity may be left without any key that counts: then nobody can trust it. */
  allowNoKeys?: boolean | undefined;
}

/**
 * The Subordinate Statement follows at once.
 * @throws RegistryError not_found, role_missing, illegal_transition when the record is closed, entity_not_active,
 *   last_key
 */
export async function removeEntityKey(
  context: ChangeContext,
  entityId: string,
  { kid, reason, allowNoKeys = false }: KeyRemoval,
): Promise<Entity> {
  const { authorityId, organisationId } = await readEntity(context.db, context.actor, entityId);
  authorise(despiteSuspension(context.actor), ACCESS.removeEntityKey.roles, authorityId, organisationId, entityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockOpenEntity(tx, entityId);
    const keys = await registeredKeysOf(tx, entityId);
    const left = keys.filter(({ jwk }) => jwk.kid !== kid);
    if (left.length === keys.length) throw notFound('registered key', kid);
    await requireKeysChangeable(tx, before);
    if (!allowNoKeys) {
      const kept = left.map(({ jwk }) => jwk);
      requireKeyLeft(before, kept, context.now);
    }
    await tx
      .update(entityKeys)
      .set({ removedAt: context.now, removal: 'registrar' })
      .where(and(eq(entityKeys.entityId, entityId), eq(entityKeys.kid, kid)));
    await outdatePushed(tx, entityId, context.now);
    const after = { ...before, version: before.version + 1 };
    await tx.update(entities).set({ version: after.version }).where(eq(entities.id, entityId));
    record({
      action: 'entity.remove_key',
      authorityId,
      subjectKind: 'entity',
      subjectId: entityId,
      before: entitySnapshot(before, keys),
      after: { ...entitySnapshot(after, left), kid, allowNoKeys },
      reason,
    });
  });
  return readEntity(context.db, context.actor, entityId);
}
