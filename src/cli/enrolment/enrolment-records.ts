/** Enrolments as the API gives them, and how the one that a person means is found. */
import { z } from 'zod';
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { CommandError } from '../command-error.ts';
import { only } from '../find-record.ts';

const jsonObject = z.record(z.string(), z.unknown());

export const enrolmentSchema = z.looseObject({
  id: z.string(),
  authorityId: z.string(),
  organisationId: z.string().nullable(),
  entityIdentifier: z.string(),
  internationalDomain: z
    .looseObject({ unicode: z.string(), scripts: z.array(z.string()), isMixed: z.boolean() })
    .nullable(),
  entityId: z.string().nullable(),
  state: z.string(),
  allowedActions: z.array(z.string()),
  stateReason: z.string().nullable(),
  stateChangedAt: z.string(),
  submittedVia: z.string(),
  submittedBy: z.looseObject({ kind: z.string(), id: z.string(), name: z.string() }),
  entityTypes: z.array(z.string()),
  name: z.string().nullable(),
  mode: z.string(),
  environment: z.string().nullable(),
  roles: z.array(z.string()),
  terms: z.looseObject({ version: z.string(), acceptedBy: z.string() }).nullable(),
  applicant: z.looseObject({ legalName: z.string(), email: z.string(), message: z.string().nullable() }).nullable(),
  domainChallenge: z.looseObject({
    domain: z.string(),
    challenge: z.string(),
    file: z.string().nullable(),
    record: z.string().nullable(),
  }),
  steps: z.array(
    z.looseObject({
      step: z.string(),
      outcome: z.string(),
      reason: z.string().nullable(),
      detail: z.string(),
      evidence: jsonObject,
      wouldChange: jsonObject,
      attempts: z.number(),
      at: z.string(),
    }),
  ),
  flowChanged: z.boolean(),
  approvalsNeeded: z.number(),
  approvals: z.array(z.looseObject({ actorName: z.string(), reason: z.string(), at: z.string() })),
  lapsesAt: z.string().nullable(),
  version: z.number(),
  createdAt: z.string(),
});

export type EnrolmentRecord = z.infer<typeof enrolmentSchema>;

const OPEN_STATES = ['draft', 'submitted', 'checks_failed', 'pending_approval'];

/** By its id, or by the Entity Identifier if one enrolment of it is open. @throws CommandError refused, usage */
export async function findEnrolment(client: ApiClient, given: string): Promise<EnrolmentRecord> {
  if (isRecordId(given)) return await client.send({ method: 'GET', path: `enrolments/${given}` }, enrolmentSchema);
  const query = { entityIdentifier: given };
  const { items } = await client.list('enrolments', query, enrolmentSchema, { limit: Number.POSITIVE_INFINITY });
  const open = items.filter(({ state }) => OPEN_STATES.includes(state));
  return only(open.length > 0 ? open : items.slice(-1), 'enrolment', given);
}

/** For the exit code: a step that failed. @throws CommandError refused */
export function requirePassedSteps({ id, steps }: EnrolmentRecord): void {
  const failed = steps.filter(({ outcome }) => outcome === 'failed');
  if (failed.length === 0) return;
  const named = failed.map(({ step, reason }) => (reason === null ? step : `${step} (${reason})`));
  throw new CommandError('refused', `steps failed: ${named.join(', ')}`, {
    hint: `When it is mended: \`holdfast enrolment run ${id}\`, or one step alone: --step ${failed[0]?.step}`,
    code: 'checks_failed',
  });
}
