/** Approves, rejects, suspends, reinstates, withdraws or revokes an entity. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import { authorise } from '../actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { endHosting } from '../hosting/end-hosting.ts';
import { requireHostingPlace } from '../hosting/hosting-place.ts';
import { type Decision, decisionOf, stateChange, type Transitioned } from '../life-cycle/decision.ts';
import { withEffects } from '../life-cycle/effects.ts';
import { RegistryError } from '../registry-error.ts';
import { givenRolesOf } from '../roles/given-roles.ts';
import { LIVE_STATES, nextState, type Transition } from '../states.ts';
import { type Entity, type EntityRow, entitySnapshot, type RegisteredKey } from './entity.ts';
import { areChecksOutdated } from './judging-settings.ts';
import { lockEntity } from './lock-entity.ts';
import { readEntity, registeredKeysOf } from './read-entity.ts';

/**
 * Makes a transition at once, on every surface. An entity is approved only under an active organisation, with keys
 * registered, and no check failed under the settings that count at that moment.
 * @param alongside runs in the same transaction, with the record changed
 * @returns the entity as it is now, also after a dry run, and what becomes of everything below it
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, organisation_not_active,
 *   evidence_changed, checks_failed, validation_failed when a hosted entity's place was given to somebody else meanwhile
 */
export async function transitionEntity(
  context: ChangeContext,
  entityId: string,
  transition: Transition,
  decision: Decision | string,
  expectedVersion?: number,
  alongside?: (tx: Tx, record: (entry: AuditEntry) => void) => Promise<void>,
): Promise<Entity & Transitioned> {
  const { authorityId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin', 'approver'], authorityId);
  const decided = decisionOf(decision);
  let seq: number | null = null;
  const affected = await changeRegistry(
    context,
    async (tx, record) => {
      const before = await lockEntity(tx, entityId);
      const organisationState = await holdOrganisation(tx, before);
      const moved = stateChange(transition, nextState(before.state, transition), decided, context.now);
      requireVersion(before, expectedVersion);
      const keys = await registeredKeysOf(tx, entityId);
      if (transition === 'approve') {
        await requireApprovable(tx, before, organisationState, keys);
        if (before.enrolment === 'hosted') await requireHostingPlace(tx, before, context.hostingSites);
      }
      const registeredAt = transition === 'approve' ? context.now : before.registeredAt;
      const change = { ...moved, registeredAt, version: before.version + 1 };
      const isHostingOver = before.enrolment === 'hosted' && !LIVE_STATES.includes(moved.state);
      const effects = await withEffects(tx, { entityId }, context.now, async () => {
        await tx.update(entities).set(change).where(eq(entities.id, entityId));
        if (isHostingOver) await endHosting(tx, [entityId], context.now);
      });
      record({
        action: `entity.${transition}`,
        authorityId,
        subjectKind: 'entity',
        subjectId: entityId,
        before: entitySnapshot(before, keys),
        after: entitySnapshot({ ...before, ...change }, keys),
        reason: decided.reason,
        affected: effects.affected,
      });
      await alongside?.(tx, record);
      return effects.affected;
    },
    { isDryRun: decided.isDryRun, onSeq: (taken) => (seq = taken) },
  );
  return { ...(await readEntity(context.db, context.actor, entityId)), seq, affected };
}

/** It stands still until the transaction ends: what counts of the entity follows from both. */
async function holdOrganisation(tx: Tx, { organisationId }: EntityRow): Promise<ParticipantState | undefined> {
  const [organisation] = await tx
    .select({ state: organisations.state })
    .from(organisations)
    .where(eq(organisations.id, organisationId))
    .for('share');
  return organisation?.state;
}

/** The authority stands still as well, so that what is found here holds for it. */
async function requireApprovable(
  tx: Tx,
  entity: EntityRow,
  organisationState: ParticipantState | undefined,
  keys: readonly RegisteredKey[],
): Promise<void> {
  if (organisationState !== 'active') {
    const message = `its organisation is ${organisationState}; it must be active first`;
    throw new RegistryError('organisation_not_active', message, { organisation: entity.organisationId });
  }
  const [authority] = await tx.select().from(authorities).where(eq(authorities.id, entity.authorityId)).for('share');
  // Whoever changes its roles holds the entity.
  const roles = await givenRolesOf(tx, entity.id);
  if (authority === undefined || areChecksOutdated(entity, entity.evidence['settingsDigest'], authority, roles)) {
    const message = 'its settings or those of its authority changed since the checks ran; run them again, decide anew';
    throw new RegistryError('evidence_changed', message, { version: entity.version });
  }
  const failed = entity.checks.filter((check) => check.outcome === 'failed').map((check) => check.check);
  if (failed.length > 0 || keys.length === 0) {
    const message = `checks failed: ${failed.join(', ') || 'no keys are registered'}; mend and run them again`;
    throw new RegistryError('checks_failed', message, { failed });
  }
}
