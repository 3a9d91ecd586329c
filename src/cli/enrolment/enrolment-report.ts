/** How an enrolment is shown: what was asked, what each step found and would change, and who approved. */
import { z } from 'zod';
import type { ApiClient } from '../api-client.ts';
import { organisationSchema } from '../api-records.ts';
import { domainText } from '../domain-text.ts';
import type { Report } from '../report.ts';
import { momentText } from '../times.ts';
import type { EnrolmentRecord } from './enrolment-records.ts';

const rolesEvidence = z.looseObject({ roles: z.array(z.looseObject({ id: z.string(), name: z.string() })) });

export const ENROLMENT_COLUMNS = ['ID', 'ENTITY', 'STATE', 'FAILED', 'APPROVALS', 'SUBMITTED BY'];

export function enrolmentRow(enrolment: EnrolmentRecord): string[] {
  const { id, entityIdentifier, state, steps, submittedBy } = enrolment;
  const failed = steps.filter(({ outcome }) => outcome === 'failed').map(({ step }) => step);
  return [id, entityIdentifier, state, failed.join(', ') || '-', approvalsText(enrolment), submittedBy.name];
}

function approvalsText({ approvals, approvalsNeeded }: EnrolmentRecord): string {
  return `${approvals.length} of ${approvalsNeeded}`;
}

/** The name of its organisation, if there is one. */
export async function organisationNameOf(client: ApiClient, { organisationId }: EnrolmentRecord): Promise<string> {
  if (organisationId === null) return 'not said yet: holdfast enrolment update --organisation';
  const { legalName } = await client.send(
    { method: 'GET', path: `organisations/${organisationId}` },
    organisationSchema,
  );
  return legalName;
}

export function describeEnrolment(report: Report, enrolment: EnrolmentRecord, organisation?: string): void {
  const { applicant, terms, domainChallenge } = enrolment;
  report.heading(enrolment.entityIdentifier);
  report.facts([
    ['id', enrolment.id],
    ['name', enrolment.name ?? undefined],
    ['reads as', domainText(enrolment.internationalDomain)],
    ['state', enrolment.state],
    ['since', momentText(enrolment.stateChangedAt)],
    ['reason', enrolment.stateReason ?? undefined],
    ['possible', enrolment.allowedActions.join(', ')],
    ['organisation', organisation ?? enrolment.organisationId ?? undefined],
    ['applicant', applicant === null ? undefined : `${applicant.legalName} <${applicant.email}>, unchecked`],
    ['message', applicant?.message ?? undefined],
    ['submitted by', `${enrolment.submittedBy.name} (${enrolment.submittedVia})`],
    ['entity', enrolment.entityId ?? undefined],
    ['types', enrolment.entityTypes.join(', ')],
    ['roles', roleNames(enrolment).join(', ')],
    ['flow', enrolment.flowChanged ? `changed since: holdfast enrolment run ${enrolment.id}` : undefined],
    ['terms', terms === null ? undefined : `${terms.version}, accepted by ${terms.acceptedBy}`],
    ['lapses', enrolment.lapsesAt === null ? undefined : momentText(enrolment.lapsesAt)],
    ['version', String(enrolment.version)],
  ]);
  describeSteps(report, enrolment);
  const isDomainOpen = enrolment.steps.some(({ step, outcome }) => step === 'domain' && outcome !== 'passed');
  if (isDomainOpen) {
    report.heading('Domain challenge: publish it at one of these places');
    report.facts([
      ['challenge', domainChallenge.challenge],
      ['file', domainChallenge.file ?? undefined],
      ['TXT record', domainChallenge.record ?? undefined],
    ]);
  }
  if (enrolment.approvals.length === 0) return;
  report.heading('Approvals');
  report.table(
    [],
    enrolment.approvals.map(({ actorName, reason, at }) => [actorName, momentText(at), reason]),
  );
}

/** As the step about them found them; ids as long as it did not run. */
function roleNames({ roles, steps }: EnrolmentRecord): string[] {
  const found = rolesEvidence.safeParse(steps.find(({ step }) => step === 'roles')?.evidence);
  const names = new Map(found.data?.roles.map(({ id, name }) => [id, name]));
  return roles.map((id) => names.get(id) ?? id);
}

export function describeSteps(report: Report, enrolment: EnrolmentRecord): void {
  report.heading(`Steps (approvals: ${approvalsText(enrolment)})`);
  report.table(
    [],
    enrolment.steps.map(({ step, outcome, reason, detail }) => [
      step,
      outcome,
      reason === null ? detail : `${reason}: ${detail}`,
    ]),
  );
  const changes = enrolment.steps
    .filter(({ outcome }) => outcome !== 'skipped')
    .flatMap(({ step, wouldChange }) => changeRows(wouldChange).map((row) => [step, ...row]));
  if (changes.length === 0) return;
  report.heading('What it would change');
  report.table([], changes);
}

/** A row for each value, with the way to it; what is empty changes nothing. */
function changeRows(value: unknown, path: readonly string[] = []): [name: string, value: string][] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return value.length === 0 ? [] : [[nameOf(path), value.join(', ')]];
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([member, inner]) => changeRows(inner, [...path, member]));
  }
  if (value === null || value === false) return [];
  return [[nameOf(path), value === true ? 'yes' : typeof value === 'string' ? value : JSON.stringify(value)]];
}

/** `registersKeys` reads as `registers keys`; names of the standard stay as they are. */
function nameOf(path: readonly string[]): string {
  const words = path.map((name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
  return words.join(' / ');
}
