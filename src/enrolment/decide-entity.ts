/** Decides on a pending entity: approves it on the evidence that the approver saw, after looking once more, or rejects it. */
import { and, eq, inArray } from 'drizzle-orm';
import { authorise } from '../registry/actor.ts';
import { readAuthority } from '../registry/authorities/read-authority.ts';
import { type ChangeContext, requireVersion } from '../registry/change.ts';
import type { Entity } from '../registry/entities/entity.ts';
import { readEntity } from '../registry/entities/read-entity.ts';
import { recordChecks } from '../registry/entities/record-checks.ts';
import { transitionEntity } from '../registry/entities/transition-entity.ts';
import { hadAHandIn } from '../registry/four-eyes.ts';
import { type Decision, decisionOf, type Transitioned } from '../registry/life-cycle/decision.ts';
import { RegistryError } from '../registry/registry-error.ts';
import { nextState } from '../registry/states.ts';
import type { Db, Tx } from '../storage/connect.ts';
import { authorities } from '../storage/schema/authorities.ts';
import { enrolments } from '../storage/schema/enrolments.ts';
import { allPassed } from './check-run.ts';
import type { RetrieveConfiguration } from './configuration-checks.ts';
import { OPEN_STATES } from './flow/enrolment.ts';
import { freshChecks } from './recheck-entity.ts';

/**
 * Fetches and checks the configuration again; if it is no longer what the approver saw, or was judged by other settings
 * then, the new evidence is kept, but by a dry run, and nothing is approved.
 * @param expectedVersion the version of the record, and so of the evidence, that the approver saw
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, enrolment_required, four_eyes,
 *   evidence_changed, checks_failed, organisation_not_active
 */
export async function approveEntity(
  context: ChangeContext,
  entityId: string,
  decision: Decision | string,
  expectedVersion: number,
  retrieve: RetrieveConfiguration,
): Promise<Entity & Transitioned> {
  const entity = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin', 'approver'], entity.authorityId);
  nextState(entity.state, 'approve');
  requireVersion(entity, expectedVersion);
  await requireShortWay(context.db, entity);
  await requireOtherEyes(context, entity);
  const { isDryRun = false } = decisionOf(decision);
  if (entity.enrolment !== 'handed_over') await requireSameEvidence(context, entity, retrieve, isDryRun);
  return transitionEntity(context, entityId, 'approve', decision, expectedVersion, (tx) => requireShortWay(tx, entity));
}

/**
 * Rejects a pending entity that nobody is enrolling by steps; an enrolment is rejected together with its entity.
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, enrolment_required
 */
export async function rejectEntity(
  context: ChangeContext,
  entityId: string,
  decision: Decision | string,
  expectedVersion?: number,
): Promise<Entity & Transitioned> {
  return await transitionEntity(context, entityId, 'reject', decision, expectedVersion, async (tx) => {
    const enrolment = await openEnrolmentOf(tx, entityId);
    if (enrolment === undefined) return;
    const message = `this entity is being enrolled by steps; reject its enrolment ${enrolment} instead`;
    throw new RegistryError('enrolment_required', message, { enrolment });
  });
}

/** @returns its id */
async function openEnrolmentOf(db: Db | Tx, entityId: string): Promise<string | undefined> {
  const [enrolment] = await db
    .select({ id: enrolments.id })
    .from(enrolments)
    .where(and(eq(enrolments.entityId, entityId), inArray(enrolments.state, [...OPEN_STATES])));
  return enrolment?.id;
}

/**
 * The registrar's short way, beside the flow: not for an entity that is being enrolled, nor for any where the authority
 * has a flow of its own.
 * @throws RegistryError enrolment_required
 */
async function requireShortWay(db: Db | Tx, { id, authorityId }: Entity): Promise<void> {
  const enrolment = await openEnrolmentOf(db, id);
  const [authority] = await db
    .select({ flow: authorities.enrolmentFlow })
    .from(authorities)
    .where(eq(authorities.id, authorityId));
  if (enrolment === undefined && authority?.flow === null) return;
  const what = enrolment === undefined ? 'reject it and add it anew' : `approve its enrolment ${enrolment}`;
  const message = `this entity is let in by the steps of an enrolment; ${what}`;
  throw new RegistryError('enrolment_required', message, enrolment === undefined ? {} : { enrolment });
}

/**
 * Where the authority says so, whoever added or changed the entity does not approve it.
 * @throws RegistryError four_eyes
 */
async function requireOtherEyes({ db, actor }: ChangeContext, entity: Entity): Promise<void> {
  const { fourEyes } = await readAuthority(db, actor, entity.authorityId);
  if (fourEyes === 'off') return;
  if (entity.addedBy === actor.id || (await hadAHandIn(db, actor, { entityId: entity.id }))) {
    throw new RegistryError('four_eyes', 'whoever added or changed an entity does not approve it; ask somebody else');
  }
}

async function requireSameEvidence(
  context: ChangeContext,
  entity: Entity,
  retrieve: RetrieveConfiguration,
  isDryRun: boolean,
): Promise<void> {
  const found = await freshChecks(context, entity, retrieve);
  const isSame = (member: 'digest' | 'settingsDigest') => found.evidence[member] === entity.evidence[member];
  const isSameOutcome = isSame('digest') && isSame('settingsDigest') && allPassed(entity.checks);
  if (isSameOutcome && allPassed(found.checks)) return;
  const { version, checks } = isDryRun
    ? { version: entity.version, checks: found.checks }
    : await recordChecks(context, entity.id, found, { expectedVersion: entity.version });
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
