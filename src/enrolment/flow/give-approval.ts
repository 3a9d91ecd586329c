/** Counts approvals of the present evidence; with enough of them the entity is vouched for from that moment. */
import { and, eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { authorise } from '../../registry/actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry, requireVersion } from '../../registry/change.ts';
import type { Entity } from '../../registry/entities/entity.ts';
import { readEntity } from '../../registry/entities/read-entity.ts';
import { transitionEntity } from '../../registry/entities/transition-entity.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import type { EnrolmentStepName } from '../../storage/schema/enrolment-flow.ts';
import { enrolmentApprovals, enrolmentSteps } from '../../storage/schema/enrolments.ts';
import { closeAs } from './close-enrolment.ts';
import {
  approvalsNeeded,
  type Enrolment,
  type EnrolmentRow,
  flowStep,
  isSameFlow,
  onBehalfOfFlow,
  presentFlow,
  requireAction,
} from './enrolment.ts';
import { approvalsOf, readEnrolment } from './read-enrolment.ts';
import { keepTerms, lockEnrolment } from './save-run.ts';
import { hostOf } from './steps/hook.ts';
import { describedAs } from './steps/identity.ts';

/** Who approves: a person with a token, or the hook. */
export interface Approver {
  id: string;
  name: string;
}

/**
 * Two approvals by one count once. The last that is needed approves the entity in the same change.
 * @throws RegistryError version_mismatch, illegal_transition, flow_changed, evidence_changed, and what keeps an entity from being approved
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
  const entity = await readEntity(inFlow.db, inFlow.actor, enrolment.entityId);
  requireSeen(entity, enrolment);
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
  await transitionEntity(inFlow, entity.id, 'approve', reason, entity.version, approve);
}

/** The record may have changed since the steps looked at it. @throws RegistryError evidence_changed */
function requireSeen(entity: Entity, { steps, version }: Enrolment): void {
  const evidenceOf = (name: EnrolmentStepName) => steps.find(({ step }) => step === name)?.evidence ?? {};
  const { digest = null, settingsDigest = null } = entity.evidence;
  const isSeen =
    jsonEquals(evidenceOf('identity')['entity'] ?? null, describedAs(entity)) &&
    evidenceOf('configuration')['digest'] === digest &&
    evidenceOf('metadata_policy')['settingsDigest'] === settingsDigest;
  if (isSeen) return;
  const message = 'the record of the entity is not what the steps saw; run them again, look at it, decide anew';
  throw new RegistryError('evidence_changed', message, { version });
}

async function lockToDecide(tx: Tx, { id, version }: EnrolmentRow): Promise<EnrolmentRow> {
  const present = await lockEnrolment(tx, id);
  requireAction(present, 'approve');
  requireVersion(present, version);
  const [authority] = await tx
    .select({ enrolmentFlow: authorities.enrolmentFlow })
    .from(authorities)
    .where(eq(authorities.id, present.authorityId));
  if (authority === undefined || !isSameFlow(present.flow, presentFlow(authority))) throw flowChanged();
  return present;
}

/** What it went through is not what its authority asks for now. */
export function flowChanged(): RegistryError {
  const message = 'the authority asks for other steps now than those that ran; run the steps again, decide anew';
  return new RegistryError('flow_changed', message);
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
