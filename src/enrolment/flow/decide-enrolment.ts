/** Approves, rejects or cancels an enrolment. */
import { isMember } from '../../registry/actor.ts';
import { type ChangeContext, requireVersion } from '../../registry/change.ts';
import { hadAHandIn } from '../../registry/four-eyes.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import { closeEnrolment } from './close-enrolment.ts';
import { type Enrolment, evidenceDigest, onBehalfOfFlow, requireAction, rowOf, stateAfter } from './enrolment.ts';
import { flowChanged, giveApproval, hookApproval } from './give-approval.ts';
import { authoriseEnrolment, readEnrolment } from './read-enrolment.ts';
import { runSteps } from './run-steps.ts';
import { saveRun } from './save-run.ts';
import { type EnrolmentTools, stepSubject } from './step-subject.ts';
import { APPLICANTS } from './submit-enrolment.ts';

const DECIDERS = ['admin', 'approver'] as const;

/**
 * Looks once more: if what the steps find is no longer what the approver saw, the new evidence is kept and nothing is
 * approved.
 * @param expectedVersion the version of the enrolment, and so of the evidence, that the approver saw
 * @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch, four_eyes, flow_changed,
 *   evidence_changed, checks_failed
 */
export async function approveEnrolment(
  context: ChangeContext,
  enrolmentId: string,
  reason: string,
  expectedVersion: number,
  tools: EnrolmentTools,
): Promise<Enrolment> {
  const enrolment = await readEnrolment(context.db, context.actor, enrolmentId);
  authoriseEnrolment(context.actor, DECIDERS, enrolment);
  requireAction(enrolment, 'approve');
  requireVersion(enrolment, expectedVersion);
  await requireOtherEyes(context, enrolment);
  if (enrolment.isFlowChanged) throw flowChanged();
  await requireSameEvidence(context, enrolment, tools);
  await giveApproval(context, enrolment, context.actor, reason);
  return await readEnrolment(context.db, context.actor, enrolmentId);
}

/**
 * Whoever submitted, or ever changed what is asked or the record of the entity, does not approve, nor does anybody who
 * acts for an organisation.
 * @throws RegistryError four_eyes
 */
async function requireOtherEyes({ db, actor }: ChangeContext, enrolment: Enrolment): Promise<void> {
  const { id: enrolmentId, entityId, submittedBy, changedBy } = enrolment;
  const isNamed = actor.id === submittedBy.id || actor.id === changedBy?.id;
  if (!isNamed && !isMember(actor) && !(await hadAHandIn(db, actor, { enrolmentId, entityId }))) return;
  throw new RegistryError(
    'four_eyes',
    'whoever submitted or changed an enrolment does not approve it; ask somebody else',
  );
}

/** @throws RegistryError evidence_changed, checks_failed */
async function requireSameEvidence(context: ChangeContext, enrolment: Enrolment, tools: EnrolmentTools): Promise<void> {
  const { steps } = enrolment;
  const row = rowOf(enrolment);
  const attempts = attemptsOf(enrolment);
  const run = await runSteps(await stepSubject(context, row, attempts), steps, tools, { isConfirming: true });
  if (evidenceDigest(run.steps) === evidenceDigest(steps)) return;
  await saveRun(context, { enrolment: row, run, isNew: false, action: 'enrolment.check' });
  await hookApproval(context, row);
  const { version } = await readEnrolment(context.db, onBehalfOfFlow(context).actor, enrolment.id);
  if (stateAfter(run.steps) === 'pending_approval') {
    const message = 'the steps find something else than before; look at the new evidence and decide anew';
    throw new RegistryError('evidence_changed', message, { version });
  }
  const failures = run.steps.filter(({ outcome }) => outcome === 'failed');
  const named = failures.map(({ step, reason }) => (reason === null ? step : `${step} (${reason})`));
  throw new RegistryError('checks_failed', `steps failed: ${named.join(', ')}; mend and run them again`, {
    version,
    failed: failures.map(({ step }) => step),
  });
}

/** How often each step ran. */
export function attemptsOf({ steps }: Pick<Enrolment, 'steps'>): (name: string) => number {
  return (name) => steps.find(({ step }) => step === name)?.attempts ?? 0;
}

/** @throws RegistryError not_found, role_missing, illegal_transition, version_mismatch */
export async function rejectEnrolment(
  context: ChangeContext,
  enrolmentId: string,
  reason: string,
  expectedVersion: number | undefined,
): Promise<Enrolment> {
  const enrolment = await readEnrolment(context.db, context.actor, enrolmentId);
  authoriseEnrolment(context.actor, DECIDERS, enrolment);
  return await closeEnrolment(context, enrolment, 'reject', { state: 'rejected', reason, expectedVersion });
}

/** For those who ask: they need it no more. @throws RegistryError not_found, role_missing, illegal_transition */
export async function cancelEnrolment(context: ChangeContext, enrolmentId: string, reason: string): Promise<Enrolment> {
  const enrolment = await readEnrolment(context.db, context.actor, enrolmentId);
  authoriseEnrolment(context.actor, APPLICANTS, enrolment);
  return await closeEnrolment(context, enrolment, 'cancel', { state: 'cancelled', reason });
}
