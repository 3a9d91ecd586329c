/** A registrar's word about a key that an entity's configuration proposes. */
import { eq } from 'drizzle-orm';
import type { Jwk } from '../../../federation/jwk-set.ts';
import type { Tx } from '../../../storage/connect.ts';
import { entities } from '../../../storage/schema/entities.ts';
import { authorise } from '../../actor.ts';
import { type ChangeContext, changeRegistry } from '../../change.ts';
import { RegistryError } from '../../registry-error.ts';
import { type Entity, type EntityRow, entitySnapshot } from '../entity.ts';
import { lockOpenEntity } from '../lock-entity.ts';
import { readEntity, registeredKeysOf } from '../read-entity.ts';
import { barredKids, keyHistory, registerKeys } from '../register-keys.ts';
import { decide, openProposal, settleProposals } from './key-proposals.ts';
import { requireKeysChangeable } from './keys-changeable.ts';

export type KeyDecision = 'accept' | 'refuse';

/**
 * Registers the proposed key beside those that there are, or lets it be; a refused key is not proposed again.
 * @throws RegistryError not_found, role_missing, illegal_transition when the record is closed, entity_not_active,
 *   key_barred, validation_failed
 */
export async function decideProposedKey(
  context: ChangeContext,
  entityId: string,
  decision: KeyDecision,
  { kid, reason }: { kid: string; reason: string },
): Promise<Entity> {
  const { authorityId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockOpenEntity(tx, entityId);
    const proposed = await openProposal(tx, entityId, kid);
    const keys = await registeredKeysOf(tx, entityId);
    if (decision === 'accept') await register(tx, before, keys.map(({ jwk }) => jwk).concat(proposed), context.now);
    const state = decision === 'accept' ? 'accepted' : 'refused';
    await decide(tx, entityId, [kid], { state, reason }, context.now);
    await settleProposals(tx, entityId, context.now);
    const after = { ...before, version: before.version + 1 };
    await tx.update(entities).set({ version: after.version }).where(eq(entities.id, entityId));
    record({
      action: `entity.${decision}_key`,
      authorityId,
      subjectKind: 'entity',
      subjectId: entityId,
      before: entitySnapshot(before, keys),
      after: { ...entitySnapshot(after, await registeredKeysOf(tx, entityId)), kid },
      reason,
    });
  });
  return readEntity(context.db, context.actor, entityId);
}

async function register(tx: Tx, entity: EntityRow, keys: Jwk[], now: Date): Promise<void> {
  await requireKeysChangeable(tx, entity);
  const [barred] = barredKids({ keys }, (await keyHistory(tx, entity)).barred);
  if (barred !== undefined) {
    throw new RegistryError('key_barred', `the key ${barred} was removed or is compromised; it does not return`);
  }
  await registerKeys(tx, entity, { keys }, now, 'configuration');
}
