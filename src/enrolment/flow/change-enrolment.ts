/** Mends an enrolment: a step is run again, or what is asked for is changed, and all of them are. */
import { authorise } from '../../registry/actor.ts';
import { readAuthority } from '../../registry/authorities/read-authority.ts';
import { type ChangeContext, requireVersion } from '../../registry/change.ts';
import { readOrganisation } from '../../registry/organisations/read-organisation.ts';
import { invalidField } from '../../registry/registry-error.ts';
import type { EnrolmentStepName } from '../../storage/schema/enrolment-flow.ts';
import type { EnrolmentRequest } from '../../storage/schema/enrolments.ts';
import { attemptsOf } from './decide-enrolment.ts';
import { type Enrolment, isSameFlow, onBehalfOfFlow, presentFlow, requireAction, rowOf } from './enrolment.ts';
import { hookApproval } from './give-approval.ts';
import { authoriseEnrolment, readEnrolment } from './read-enrolment.ts';
import { runSteps } from './run-steps.ts';
import { saveDraft, saveRun } from './save-run.ts';
import { type EnrolmentTools, stepSubject } from './step-subject.ts';
import { APPLICANTS, inputRequest, requireOwnSettings } from './submit-enrolment.ts';

/**
 * Runs one step again, or all: those that the authority asks for now. Where it asked for others the last time, all run.
 * Those who approve may do so as well.
 * @throws RegistryError not_found (also for a step that the flow does not have), role_missing, illegal_transition,
 *   version_mismatch when it changed meanwhile
 */
export async function runEnrolmentSteps(
  context: ChangeContext,
  enrolmentId: string,
  step: EnrolmentStepName | undefined,
  tools: EnrolmentTools,
): Promise<Enrolment> {
  const enrolment = await readEnrolment(context.db, context.actor, enrolmentId);
  authoriseEnrolment(context.actor, [...APPLICANTS, 'approver'], enrolment);
  requireAction(enrolment, 'run');
  const inFlow = onBehalfOfFlow(context);
  const authority = await readAuthority(inFlow.db, inFlow.actor, enrolment.authorityId);
  const row = { ...rowOf(enrolment), flow: presentFlow(authority) };
  if (step === 'approvals' || (step !== undefined && row.flow.every((one) => one.step !== step))) {
    throw invalidField('/step', 'is no step of this enrolment that can be run');
  }
  const subject = await stepSubject(context, row, attemptsOf(enrolment), { authority });
  const only = isSameFlow(enrolment.flow, row.flow) ? step : undefined;
  const run = await runSteps(subject, enrolment.steps, tools, { only });
  await saveRun(context, { enrolment: row, run, isNew: false, action: 'enrolment.check' });
  await hookApproval(context, row);
  return await readEnrolment(inFlow.db, inFlow.actor, enrolmentId);
}

export interface EnrolmentChanges extends Partial<Omit<EnrolmentRequest, 'applicant' | 'mode' | 'onBehalfOf'>> {
  /** For an enrolment that came without: whose the entity is. */
  organisationId?: string | undefined;
}

/**
 * What a partner asked for without a token is taken up by naming its organisation; it lapses no more. Once the record of
 * the entity is there, its attributes are changed on that.
 * @throws RegistryError not_found, role_missing, validation_failed, illegal_transition, version_mismatch
 */
export async function updateEnrolment(
  context: ChangeContext,
  enrolmentId: string,
  { organisationId, ...changes }: EnrolmentChanges,
  expectedVersion: number | undefined,
  tools: EnrolmentTools,
): Promise<Enrolment> {
  const enrolment = await readEnrolment(context.db, context.actor, enrolmentId);
  authoriseEnrolment(context.actor, APPLICANTS, enrolment);
  requireAction(enrolment, 'update');
  requireVersion(enrolment, expectedVersion);
  requireOwnSettings(context.actor, changes);
  if (organisationId !== undefined) await requireAssignable(context, enrolment, organisationId);
  const fixed = ['entityTypes', 'name', 'environment', 'roles', 'settings'] as const;
  const late = enrolment.entityId === null ? undefined : fixed.find((member) => changes[member] !== undefined);
  if (late !== undefined)
    throw invalidField(`/${late}`, 'is changed on the record of the entity, which is there already');
  const row = rowOf(enrolment);
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const inFlow = onBehalfOfFlow(context);
  const authority = await readAuthority(inFlow.db, inFlow.actor, row.authorityId);
  const request = await inputRequest(inFlow, authority, row.entityIdentifier, { ...row.request, ...given });
  const isTakenUp = organisationId !== undefined;
  const { kind, id, name } = context.actor;
  const changed = {
    ...row,
    request,
    flow: presentFlow(authority),
    changedBy: { kind, id, name },
    ...(isTakenUp && { organisationId, askedFrom: null, lapsesAt: null, nextRunAt: null }),
  };
  if (row.state === 'draft') await saveDraft(context, changed);
  else {
    const subject = await stepSubject(context, changed, attemptsOf(enrolment), { authority });
    const run = await runSteps(subject, enrolment.steps, tools);
    await saveRun(context, { enrolment: changed, run, isNew: false, action: 'enrolment.update' });
    await hookApproval(context, changed);
  }
  return await readEnrolment(inFlow.db, inFlow.actor, enrolmentId);
}

/** @throws RegistryError not_found, role_missing, validation_failed */
async function requireAssignable(
  { db, actor }: ChangeContext,
  { authorityId, organisationId: present, entityId }: Enrolment,
  organisationId: string,
): Promise<void> {
  const organisation = await readOrganisation(db, actor, organisationId);
  authorise(actor, ['admin', 'registrar'], organisation.authorityId);
  if (organisation.authorityId !== authorityId) {
    throw invalidField('/organisationId', 'is no organisation of this authority');
  }
  if (entityId !== null && present !== organisationId) {
    throw invalidField('/organisationId', 'is settled: the record of the entity is there already');
  }
}
