/** A registrar's word about a key that an entity's configuration proposes. */
import { eq } from 'drizzle-orm';
import type { Jwk } from '../../../federation/jwk-set.ts';
import { keyThumbprint } from '../../../federation/key-thumbprint.ts';
import type { Tx } from '../../../storage/connect.ts';
import { entities } from '../../../storage/schema/entities.ts';
import { ACCESS } from '../../access.ts';
import { authorise } from '../../actor.ts';
import { type ChangeContext, changeRegistry } from '../../change.ts';
import { RegistryError } from '../../registry-error.ts';
import { type Entity, type EntityRow, entitySnapshot } from '../entity.ts';
import { lockOpenEntity } from '../lock-entity.ts';
import { readEntity, registeredKeysOf } from '../read-entity.ts';
import { registerKeys } from '../register-keys.ts';
import { barredKids, keyHistory } from './key-history.ts';
import { decide, openProposal, settleProposals } from './key-proposals.ts';
import { outdatePushed } from './key-statements.ts';
import { requireKeysChangeable } from './keys-changeable.ts';

export type KeyDecision =
  | {
      decision: 'accept';
      kid: string;
      /** Of the very key that the registrar looked at; its kid alone may come to stand for another one. */
      thumbprint: string;
      reason: string;
    }
  | { decision: 'refuse'; kid: string; reason: string };

/**
 * Registers the proposed key beside those that there are, or lets it be; a refused key is not proposed again.
 * @throws RegistryError not_found, role_missing, illegal_transition when the record is closed, entity_not_active,
 *   evidence_changed when another key is proposed under this kid, key_barred, validation_failed
 */
export async function decideProposedKey(
  context: ChangeContext,
  entityId: string,
  decided: KeyDecision,
): Promise<Entity> {
  const { authorityId, organisationId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.acceptEntityKey.roles, authorityId, organisationId, entityId);
  const { decision, kid, reason } = decided;
  await changeRegistry(context, async (tx, record) => {
    const before = await lockOpenEntity(tx, entityId);
    const { publicJwk, signedBy } = await openProposal(tx, entityId, kid);
    const proposed = publicJwk as Jwk;
    const thumbprint = await keyThumbprint(proposed);
    const keys = await registeredKeysOf(tx, entityId);
    if (decided.decision === 'accept') {
      requireSameKey(decided, thumbprint);
      await register(tx, before, keys.map(({ jwk }) => jwk).concat(proposed), context.now);
    }
    const state = decision === 'accept' ? 'accepted' : 'refused';
    await decide(tx, entityId, [kid], { state, reason }, context.now);
    await settleProposals(tx, entityId, context.now);
    await outdatePushed(tx, entityId, context.now);
    const after = { ...before, version: before.version + 1 };
    await tx.update(entities).set({ version: after.version }).where(eq(entities.id, entityId));
    record({
      action: `entity.${decision}_key`,
      authorityId,
      subjectKind: 'entity',
      subjectId: entityId,
      before: entitySnapshot(before, keys),
      after: { ...entitySnapshot(after, await registeredKeysOf(tx, entityId)), kid, thumbprint, signedBy },
      reason,
    });
  });
  return readEntity(context.db, context.actor, entityId);
}

function requireSameKey({ kid, thumbprint: seen }: { kid: string; thumbprint: string }, thumbprint: string): void {
  if (seen === thumbprint) return;
  const message = `the key proposed as ${kid} has the thumbprint ${thumbprint}, not ${seen}; look at it and decide anew`;
  throw new RegistryError('evidence_changed', message, { thumbprint });
}

async function register(tx: Tx, entity: EntityRow, keys: Jwk[], now: Date): Promise<void> {
  await requireKeysChangeable(tx, entity);
  const [barred] = barredKids({ keys }, (await keyHistory(tx, entity)).barred);
  if (barred !== undefined) {
    throw new RegistryError('key_barred', `the key ${barred} was removed or is compromised; it does not return`);
  }
  await registerKeys(tx, entity, { keys }, now, 'configuration');
}
