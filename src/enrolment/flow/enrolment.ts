/** Enrolments as records: what was asked, what each step found, who approved, and what may be done next. */
import { createHash } from 'node:crypto';
import { canonicalJson, type JsonObject, type JsonValue } from '../../federation/json.ts';
import type { Actor } from '../../registry/actor.ts';
import type { Authority } from '../../registry/authorities/authority.ts';
import { USUAL_FLOW } from '../../registry/authorities/enrolment-flow.ts';
import type { ChangeContext } from '../../registry/change.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import type { EnrolmentFlowStep, EnrolmentStepName } from '../../storage/schema/enrolment-flow.ts';
import type {
  EnrolmentState,
  enrolmentApprovals,
  enrolmentSteps,
  enrolments,
  StepOutcome,
} from '../../storage/schema/enrolments.ts';

export type EnrolmentRow = typeof enrolments.$inferSelect;
export type EnrolmentStepRow = typeof enrolmentSteps.$inferSelect;
export type EnrolmentApproval = typeof enrolmentApprovals.$inferSelect;

export interface Enrolment extends EnrolmentRow {
  /** In the order of the flow; those that never ran are missing. */
  steps: EnrolmentStepRow[];
  /** Of the present version, in the order in which they were given. */
  approvals: EnrolmentApproval[];
  /** It is open, and its authority asks for other steps now than those it went through: they have to run again. */
  isFlowChanged: boolean;
}

/** The record alone. */
export function rowOf({ steps: _, approvals: __, isFlowChanged: ___, ...row }: Enrolment): EnrolmentRow {
  return row;
}

/** How a step came out. */
export interface StepResult {
  step: EnrolmentStepName;
  outcome: StepOutcome;
  reason: string | null;
  detail: string;
  /** What it rests on, without times: equal evidence is the same evidence. */
  evidence: JsonObject;
  wouldChange: JsonObject;
}

/** Public requests that nobody took up count no more after so long. */
export const PUBLIC_LIFETIME_SECONDS = 14 * 86_400;

export const ENROLMENT_STATES = [
  'draft',
  'submitted',
  'checks_failed',
  'pending_approval',
  'approved',
  'rejected',
  'cancelled',
  'lapsed',
] as const satisfies readonly EnrolmentState[];

/** In these states something may still come of it. */
export const OPEN_STATES: readonly EnrolmentState[] = ['draft', 'submitted', 'checks_failed', 'pending_approval'];

const ACTIONS = {
  update: ['draft', 'submitted', 'checks_failed', 'pending_approval'],
  submit: ['draft'],
  run: ['submitted', 'checks_failed', 'pending_approval'],
  cancel: OPEN_STATES,
  approve: ['pending_approval'],
  reject: ['submitted', 'checks_failed', 'pending_approval'],
} as const satisfies Record<string, readonly EnrolmentState[]>;

export type EnrolmentAction = keyof typeof ACTIONS;

export const ENROLMENT_ACTIONS = Object.keys(ACTIONS) as EnrolmentAction[];

export function allowedActions(state: EnrolmentState): EnrolmentAction[] {
  return ENROLMENT_ACTIONS.filter((action) => (ACTIONS[action] as readonly EnrolmentState[]).includes(state));
}

/** @throws RegistryError illegal_transition, naming what is allowed */
export function requireAction({ state }: Pick<EnrolmentRow, 'state'>, action: EnrolmentAction): void {
  const allowed = allowedActions(state);
  if (allowed.includes(action)) return;
  const possible = allowed.length === 0 ? 'nothing; enrol it anew' : allowed.join(', ');
  throw new RegistryError(
    'illegal_transition',
    `cannot ${action} an enrolment that is ${state}; possible: ${possible}`,
    {
      from: state,
      allowed,
    },
  );
}

/** What comes of an enrolment when its steps have run. */
export function stateAfter(steps: readonly Pick<StepResult, 'step' | 'outcome'>[]): EnrolmentState {
  const isOpen = steps.some(({ step, outcome }) => step !== 'approvals' && outcome !== 'passed');
  return isOpen ? 'checks_failed' : 'pending_approval';
}

/** Equal for the same outcome on the same evidence. */
export function evidenceDigest(steps: readonly Pick<StepResult, 'step' | 'outcome' | 'reason' | 'evidence'>[]): string {
  const seen = steps
    .filter(({ step }) => step !== 'approvals')
    .map(({ step, outcome, reason, evidence }) => [step, outcome, reason, evidence]);
  return createHash('sha256')
    .update(canonicalJson(seen as JsonValue))
    .digest('base64url');
}

/** The flow of an authority as it is now. */
export function presentFlow({ enrolmentFlow }: Pick<Authority, 'enrolmentFlow'>): EnrolmentFlowStep[] {
  return enrolmentFlow ?? [...USUAL_FLOW];
}

/** What was asked for under one flow was asked for under the other. */
export function isSameFlow(one: readonly EnrolmentFlowStep[], other: readonly EnrolmentFlowStep[]): boolean {
  const text = (flow: readonly EnrolmentFlowStep[]) => canonicalJson([...flow] as JsonValue);
  return text(one) === text(other);
}

/** A step of the flow with its settings; undefined when the flow has none. */
export function flowStep<S extends EnrolmentStepName>(
  flow: readonly EnrolmentFlowStep[],
  name: S,
): Extract<EnrolmentFlowStep, { step: S }> | undefined {
  return flow.find((step): step is Extract<EnrolmentFlowStep, { step: S }> => step.step === name);
}

/** How many people approve: the most that the flow asks for, for Intermediates, and the roles that would be held. */
export function approvalsNeeded(
  flow: readonly EnrolmentFlowStep[],
  steps: readonly Pick<StepResult, 'step' | 'evidence'>[],
): number {
  const { count = 1, intermediates = 1 } = flowStep(flow, 'approvals') ?? {};
  const evidenceOf = (name: EnrolmentStepName) => steps.find(({ step }) => step === name)?.evidence ?? {};
  const isIntermediate = evidenceOf('configuration')['intermediate'] === true;
  const ofRoles = Number(evidenceOf('roles')['approvals'] ?? 1);
  return Math.max(count, isIntermediate ? intermediates : 1, ofRoles);
}

/** The record as the audit keeps it. */
export function enrolmentSnapshot(
  enrolment: EnrolmentRow,
  steps: readonly Pick<StepResult, 'step' | 'outcome' | 'reason'>[],
): JsonObject {
  const { organisationId, entityIdentifier, entityId, state, submittedVia, request } = enrolment;
  const { terms, applicant, settings, ...asked } = request;
  return {
    ...{ entityIdentifier, organisationId, entityId, state, submittedVia },
    request: {
      ...asked,
      terms: terms && { ...terms },
      applicant: applicant && { ...applicant },
      settings: { ...settings },
    },
    steps: steps.map(({ step, outcome, reason }) => ({ step, outcome, ...(reason !== null && { reason }) })),
  };
}

/**
 * The same caller, let in by the enrolment: it acts for the authority in what follows from its rules. The audit names
 * who it was.
 */
export function onBehalfOfFlow(context: ChangeContext): ChangeContext {
  const { kind, id, name, authorities } = context.actor;
  const actor: Actor = { kind, id, name, authorities, roles: ['admin', 'registrar', 'approver'], organisations: 'all' };
  return { ...context, actor };
}
