/** Counts approvals of the present evidence; with enough of them the entity is vouched for from that moment. */
import { and, eq } from 'drizzle-orm';
import { authorise } from '../../registry/actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry, requireVersion } from '../../registry/change.ts';
import { readEntity } from '../../registry/entities/read-entity.ts';
import { transitionEntity } from '../../registry/entities/transition-entity.ts';
import type { Tx } from '../../storage/connect.ts';
import { enrolmentApprovals, enrolmentSteps } from '../../storage/schema/enrolments.ts';
import { closeAs } from './close-enrolment.ts';
import {
  approvalsNeeded,
  type Enrolment,
  type EnrolmentRow,
  flowStep,
  onBehalfOfFlow,
  requireAction,
} from './enrolment.ts';
import { approvalsOf, readEnrolment } from './read-enrolment.ts';
import { keepTerms, lockEnrolment } from './save-run.ts';
import { hostOf } from './steps/hook.ts';

/** Who approves: a person with a token, or the hook. */
export interface Approver {
  id: string;
  name: string;
}

/**
 * Two approvals by one count once. The last that is needed approves the entity in the same change.
 * @throws RegistryError version_mismatch, illegal_transition, and what keeps an entity from being approved
 */
export async function giveApproval(
  context: ChangeContext,
  enrolment: Enrolment,
  approver: Approver,
  reason: string,
): Promise<void> {
  const { id: enrolmentId, version, authorityId, flow, steps } = enrolment;
  const inFlow = onBehalfOfFlow(context);
  authorise(inFlow.actor, ['approver'], authorityId);
  const given = await changeRegistry(context, async (tx, record) => {
    await lockToDecide(tx, enrolment);
    const added = await tx
      .insert(enrolmentApprovals)
      .values({ enrolmentId, version, actorId: approver.id, actorName: approver.name, reason, at: context.now })
      .onConflictDoNothing()
      .returning({ actorId: enrolmentApprovals.actorId });
    const approvals = await approvalsOf(tx, enrolment);
    if (added.length > 0) {
      const after = {
        approvedBy: approver.name,
        approvals: approvals.length,
        entityIdentifier: enrolment.entityIdentifier,
      };
      record({
        action: 'enrolment.approve',
        authorityId,
        subjectKind: 'enrolment',
        subjectId: enrolmentId,
        after,
        reason,
      });
    }
    return approvals;
  });
  const needed = approvalsNeeded(flow, steps);
  if (given.length < needed || enrolment.entityId === null) return;
  const { version: entityVersion } = await readEntity(inFlow.db, inFlow.actor, enrolment.entityId);
  const approve = async (tx: Tx, record: (entry: AuditEntry) => void) => {
    const before = await lockToDecide(tx, enrolment);
    await closeAs(tx, record, context, { before, steps, state: 'approved', reason });
    await keepTerms(tx, context, before, steps);
    const names = given.map(({ actorName }) => actorName).join(', ');
    await tx
      .update(enrolmentSteps)
      .set({ outcome: 'passed', detail: `approved by ${names}`, at: context.now })
      .where(and(eq(enrolmentSteps.enrolmentId, enrolmentId), eq(enrolmentSteps.step, 'approvals')));
  };
  await transitionEntity(inFlow, enrolment.entityId, 'approve', reason, entityVersion, approve);
}

async function lockToDecide(tx: Tx, { id, version }: EnrolmentRow): Promise<EnrolmentRow> {
  const present = await lockEnrolment(tx, id);
  requireAction(present, 'approve');
  requireVersion(present, version);
  return present;
}

/** A hook that approves counts as one approver; four eyes hold, since nobody submits as a hook. */
export async function hookApproval(
  context: ChangeContext,
  { id: enrolmentId, flow }: Pick<EnrolmentRow, 'id' | 'flow'>,
): Promise<void> {
  if (flowStep(flow, 'hook') === undefined) return;
  const inFlow = onBehalfOfFlow(context);
  const enrolment = await readEnrolment(inFlow.db, inFlow.actor, enrolmentId);
  const { evidence } = enrolment.steps.find(({ step }) => step === 'hook') ?? {};
  if (enrolment.state !== 'pending_approval' || evidence?.['decision'] !== 'approve') return;
  const host = hostOf(String(evidence['url']));
  const asHook = {
    ...inFlow,
    actor: { ...inFlow.actor, kind: 'system' as const, id: `hook ${host}`, name: `hook at ${host}` },
  };
  const step = enrolment.steps.find(({ step }) => step === 'hook');
  await giveApproval(asHook, enrolment, asHook.actor, step?.detail ?? 'approved by the hook');
}
