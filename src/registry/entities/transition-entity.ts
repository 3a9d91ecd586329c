/** Approves, rejects, suspends, reinstates, withdraws or revokes an entity. */
import { eq } from 'drizzle-orm';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { RegistryError } from '../registry-error.ts';
import { nextState, type Transition } from '../states.ts';
import { type Entity, entitySnapshot } from './entity.ts';
import { lockEntity } from './lock-entity.ts';
import { readEntity, registeredKeysOf } from './read-entity.ts';

/**
 * Makes a transition at once, on every surface. An entity is approved only under an active organisation, with keys
 * registered and no check failed.
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, organisation_not_active,
 *   checks_failed
 */
export async function transitionEntity(
  context: ChangeContext,
  entityId: string,
  transition: Transition,
  reason: string,
  expectedVersion?: number,
): Promise<Entity> {
  const { authorityId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin', 'approver'], authorityId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockEntity(tx, entityId);
    const state = nextState(before.state, transition);
    requireVersion(before, expectedVersion);
    const keys = await registeredKeysOf(tx, entityId);
    if (transition === 'approve') {
      const [organisation] = await tx
        .select({ state: organisations.state })
        .from(organisations)
        .where(eq(organisations.id, before.organisationId))
        .for('share');
      requireApprovable({ ...before, keys, organisationState: organisation?.state ?? 'revoked' });
    }
    const change = { state, stateReason: reason, stateChangedAt: context.now, version: before.version + 1 };
    await tx.update(entities).set(change).where(eq(entities.id, entityId));
    record({
      action: `entity.${transition}`,
      authorityId,
      subjectKind: 'entity',
      subjectId: entityId,
      before: entitySnapshot(before, keys),
      after: entitySnapshot({ ...before, ...change }, keys),
      reason,
    });
  });
  return readEntity(context.db, context.actor, entityId);
}

function requireApprovable(entity: Entity): void {
  if (entity.organisationState !== 'active') {
    const message = `its organisation is ${entity.organisationState}; it must be active first`;
    throw new RegistryError('organisation_not_active', message, { organisation: entity.organisationId });
  }
  const failed = entity.checks.filter((check) => check.outcome === 'failed').map((check) => check.check);
  if (failed.length > 0 || entity.keys.length === 0) {
    const message = `checks failed: ${failed.join(', ') || 'no keys are registered'}; mend and run them again`;
    throw new RegistryError('checks_failed', message, { failed });
  }
}
