/** Ends an enrolment, in whatever way, with the pending record of its entity. */
import { eq } from 'drizzle-orm';
import { authorise } from '../../registry/actor.ts';
import { type AuditEntry, type ChangeContext, changeRegistry, requireVersion } from '../../registry/change.ts';
import { readEntity } from '../../registry/entities/read-entity.ts';
import { transitionEntity } from '../../registry/entities/transition-entity.ts';
import type { Tx } from '../../storage/connect.ts';
import { enrolments } from '../../storage/schema/enrolments.ts';
import {
  type Enrolment,
  type EnrolmentAction,
  type EnrolmentRow,
  enrolmentSnapshot,
  onBehalfOfFlow,
  requireAction,
} from './enrolment.ts';
import { readEnrolment } from './read-enrolment.ts';
import { lockEnrolment } from './save-run.ts';

export interface Closing {
  before: EnrolmentRow;
  steps: Enrolment['steps'];
  state: 'approved' | 'rejected' | 'cancelled' | 'lapsed';
  reason: string;
}

/** Ends the enrolment, in whatever way. */
export async function closeAs(
  tx: Tx,
  record: (entry: AuditEntry) => void,
  { now }: ChangeContext,
  { before, steps, state, reason }: Closing,
): Promise<void> {
  const moved = { state, stateReason: reason, stateChangedAt: now, askedFrom: null, lapsesAt: null, nextRunAt: null };
  // The version stays that of the evidence when it is approved: the approvals are shown with it.
  const change = { ...moved, version: state === 'approved' ? before.version : before.version + 1 };
  await tx.update(enrolments).set(change).where(eq(enrolments.id, before.id));
  record({
    action: VERBS[state],
    authorityId: before.authorityId,
    subjectKind: 'enrolment',
    subjectId: before.id,
    before: enrolmentSnapshot(before, steps),
    after: enrolmentSnapshot({ ...before, ...change }, steps),
    reason,
  });
}

const VERBS = {
  approved: 'enrolment.complete',
  rejected: 'enrolment.reject',
  cancelled: 'enrolment.cancel',
  lapsed: 'enrolment.lapse',
} as const satisfies Record<Closing['state'], string>;

/** The pending record of the entity goes with it, so that its name is free again. */
export async function closeEnrolment(
  context: ChangeContext,
  enrolment: Enrolment,
  action: EnrolmentAction,
  { expectedVersion, ...closing }: Pick<Closing, 'state' | 'reason'> & { expectedVersion?: number | undefined },
): Promise<Enrolment> {
  const { id, entityId, steps } = enrolment;
  const inFlow = onBehalfOfFlow(context);
  authorise(inFlow.actor, ['approver'], enrolment.authorityId);
  const end = async (tx: Tx, record: (entry: AuditEntry) => void) => {
    const before = await lockEnrolment(tx, id);
    requireAction(before, action);
    requireVersion(before, expectedVersion);
    await closeAs(tx, record, context, { before, steps, ...closing });
  };
  requireAction(enrolment, action);
  const entity = entityId === null ? undefined : await readEntity(inFlow.db, inFlow.actor, entityId);
  if (entity?.state === 'pending') {
    await transitionEntity(inFlow, entity.id, 'reject', closing.reason, undefined, end);
  } else await changeRegistry(context, end);
  return await readEnrolment(inFlow.db, inFlow.actor, id);
}
