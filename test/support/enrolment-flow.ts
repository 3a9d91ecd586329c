/** Enrolments over the API: an authority with a flow, partners that publish, and people who submit and approve. */
import type { EnrolmentFlowStep } from '../../src/storage/schema/enrolment-flow.ts';
import type { ApiAnswer, ApiClient, Body } from './api-client.ts';
import { publishRelyingParty } from './api-service.ts';
import type { FederationServer } from './federation-server.ts';

/** A flow with the steps that no enrolment does without, and the given ones before its approvals. */
export function flowWith(steps: readonly EnrolmentFlowStep[], approvals: object = {}): EnrolmentFlowStep[] {
  return [
    { step: 'identity' },
    { step: 'keys' },
    { step: 'configuration' },
    { step: 'metadata_policy' },
    ...steps,
    { step: 'approvals', ...approvals },
  ];
}

export interface SubmittedEnrolment extends AsyncDisposable {
  partner: FederationServer;
  entityIdentifier: string;
  answer: ApiAnswer;
  /** Of the enrolment. */
  path: string;
}

/** A Relying Party that publishes itself, and the enrolment that somebody submits for it. */
export async function submitted(
  client: ApiClient,
  authority: { entityIdentifier: string },
  organisation: { id: string },
  members: object = {},
): Promise<SubmittedEnrolment> {
  const partner = await publishRelyingParty(authority);
  const entityIdentifier = partner.federation.id('rp');
  const body = { organisationId: organisation.id, entityIdentifier, ...members };
  const answer = await client.post('/api/v1/enrolments', body);
  return {
    ...{ partner, entityIdentifier, answer },
    path: `/api/v1/enrolments/${answer.body.id}`,
    [Symbol.asyncDispose]: () => partner[Symbol.asyncDispose](),
  };
}

/** One step of an enrolment as the API shows it. */
export function stepOf(body: Body, name: string): Body {
  return body.steps.find(({ step }: { step: string }) => step === name);
}

/** How each step came out, in order: `domain failed domain_unproven`. */
export function outcomes(body: Body): string[] {
  return body.steps.map(({ step, outcome, reason }: Body) =>
    [step, outcome, ...(reason === null ? [] : [reason])].join(' '),
  );
}
