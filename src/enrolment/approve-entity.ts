/** Approves an entity on the evidence that the approver saw, after looking once more. */
import { authorise } from '../registry/actor.ts';
import { type ChangeContext, requireVersion } from '../registry/change.ts';
import type { Entity } from '../registry/entities/entity.ts';
import { readEntity } from '../registry/entities/read-entity.ts';
import { recordChecks } from '../registry/entities/record-checks.ts';
import { transitionEntity } from '../registry/entities/transition-entity.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { nextState } from '../registry/states.ts';
import { allPassed } from './check-run.ts';
import type { RetrieveConfiguration } from './configuration-checks.ts';
import { freshChecks } from './recheck-entity.ts';

/**
 * Fetches and checks the configuration again; if it is no longer what the approver saw, or was judged by other settings
 * then, the new evidence is kept and nothing is approved.
 * @param expectedVersion the version of the record, and so of the evidence, that the approver saw
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, evidence_changed,
 *   checks_failed, organisation_not_active
 */
export async function approveEntity(
  context: ChangeContext,
  entityId: string,
  reason: string,
  expectedVersion: number,
  retrieve: RetrieveConfiguration,
): Promise<Entity> {
  const entity = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin', 'approver'], entity.authorityId);
  nextState(entity.state, 'approve');
  requireVersion(entity, expectedVersion);
  if (entity.enrolment !== 'handed_over') await requireSameEvidence(context, entity, retrieve);
  return transitionEntity(context, entityId, 'approve', reason, expectedVersion);
}

async function requireSameEvidence(
  context: ChangeContext,
  entity: Entity,
  retrieve: RetrieveConfiguration,
): Promise<void> {
  const found = await freshChecks(context, entity, retrieve);
  const isSame = (member: 'digest' | 'settingsDigest') => found.evidence[member] === entity.evidence[member];
  const isSameOutcome = isSame('digest') && isSame('settingsDigest') && allPassed(entity.checks);
  if (isSameOutcome && allPassed(found.checks)) return;
  const { version, checks } = await recordChecks(context, entity.id, found, { expectedVersion: entity.version });
  if (allPassed(found.checks)) {
    const what = isSame('settingsDigest') ? 'find something else than before' : 'were made under other settings before';
    const message = `the checks ${what}; look at the new evidence and decide anew`;
    throw new RegistryError('evidence_changed', message, { version });
  }
  const failed = checks.filter((check) => check.outcome === 'failed');
  const named = failed.map(({ check, reason }) => (reason === undefined ? check : `${check} (${reason})`));
  throw new RegistryError('checks_failed', `checks failed: ${named.join(', ')}; mend and try again`, {
    version,
    failed: failed.map(({ check }) => check),
  });
}
