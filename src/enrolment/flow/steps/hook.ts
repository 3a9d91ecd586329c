/** The word of somebody outside: a service of the operator that is asked over HTTPS, by a request that we sign. */
import { FederationError } from '../../../federation/errors.ts';
import type { JsonObject } from '../../../federation/json.ts';
import { DEFAULT_HOOK_SECONDS } from '../../../registry/authorities/enrolment-flow.ts';
import type { EnrolmentFlowStep } from '../../../storage/schema/enrolment-flow.ts';
import type { StepResult } from '../enrolment.ts';
import { failed, passed, type StepSubject } from '../step-subject.ts';

/** `approve` counts as one of the approvals; `people` leaves it to them. */
export const HOOK_DECISIONS = ['approve', 'decline', 'people'] as const;
export type HookDecision = (typeof HOOK_DECISIONS)[number];

export interface HookAnswer {
  decision: HookDecision;
  /** For people; null: none was given. */
  reason: string | null;
}

/** Asks the hook of an authority. @throws FederationError of the request, and claim_invalid for an answer that is none */
export type CallHook = (
  authorityId: string,
  call: { url: string; timeoutMs: number; enrolment: JsonObject },
) => Promise<HookAnswer>;

type HookSettings = Extract<EnrolmentFlowStep, { step: 'hook' }>;

/** @param steps how the others came out */
export async function askHook(
  { enrolment, organisation }: StepSubject,
  { url, timeoutSeconds = DEFAULT_HOOK_SECONDS }: HookSettings,
  steps: readonly StepResult[],
  callHook: CallHook,
): Promise<StepResult> {
  const { id, authorityId, entityIdentifier, submittedVia, request } = enrolment;
  const { entityTypes, name, mode, environment, roles, applicant } = request;
  const told: JsonObject = {
    ...{ id, entityIdentifier, submittedVia, entityTypes, name, mode, environment, roles },
    applicant: applicant && { ...applicant },
    organisation: organisation === undefined ? null : { id: organisation.id, legalName: organisation.legalName },
    steps: steps.map(({ step, outcome, evidence }) => ({ step, outcome, evidence })),
  };
  try {
    const { decision, reason } = await callHook(authorityId, {
      url,
      timeoutMs: timeoutSeconds * 1000,
      enrolment: told,
    });
    const said = reason === null ? '' : `: ${reason}`;
    const evidence = { url, decision };
    if (decision === 'decline') return failed('hook', 'hook_declined', `${hostOf(url)} declines${said}`, evidence);
    const detail =
      decision === 'approve' ? `${hostOf(url)} approves${said}` : `${hostOf(url)} leaves it to people${said}`;
    return passed('hook', { detail, evidence });
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const reason = error.reason === 'timed_out' ? 'hook_timeout' : 'hook_unavailable';
    return failed('hook', reason, `${error.message}; run the step again`, { url });
  }
}

export function hostOf(url: string): string {
  return new URL(url).host;
}
