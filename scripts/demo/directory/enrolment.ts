/** The way in: steps that fail and say what to mend, proofs of the domain and the keys, and people who approve. */
import { writeFile } from 'node:fs/promises';
import type { ApiClient } from '../../../src/cli/api-client.ts';
import { CommandError, EXIT } from '../../../src/cli/command-error.ts';
import { type EnrolmentRecord, enrolmentSchema } from '../../../src/cli/enrolment/enrolment-records.ts';
import { anchorOf } from '../deployment.ts';
import { askFetch } from '../federation-client.ts';
import { millisecondsText, short } from '../narrator.ts';
import { editConfiguration } from '../partner-program.ts';
import type { Stage } from '../stage.ts';
import { StoryError } from '../story.ts';
import { PARTNER, STAFF, TERMS } from './cast.ts';
import type { Partner } from './partner.ts';
import type { Directory } from './staff.ts';

/** The file of `holdfast configuration serve` that it shows where a domain is proven. */
const CHALLENGE_FILE = 'domain-challenge';

/** The partner asks, the registrar hands it in; what fails says so. */
export async function submitEnrolment(
  stage: Stage,
  { role, registrar }: Directory,
  partner: Partner,
): Promise<EnrolmentRecord> {
  const { narrator } = stage;
  narrator.scene(
    'It asks to be enrolled',
    'With its own token, through the API; the registrar hands it in. Each step says what it found, and what to mend.',
  );
  const body = {
    ...{ organisationId: partner.organisation.id, entityIdentifier: partner.entity, roles: [role.id] },
    terms: { version: TERMS.version, acceptedBy: PARTNER.signatory },
    draft: true,
  };
  const draft = await narrator.step(
    () => partner.api.send({ method: 'POST', path: 'enrolments', body }, enrolmentSchema),
    ({ state, entityIdentifier }) => `${short(entityIdentifier)}: ${state}`,
    'POST /api/v1/enrolments',
  );
  const enrolment = await narrator.step(
    () => registrar.send({ method: 'POST', path: `enrolments/${draft.id}/submit` }, enrolmentSchema),
    ({ state }) => `${STAFF[0].name} submits it: ${state}`,
    'POST /api/v1/enrolments/{id}/submit',
  );
  showSteps(stage, enrolment);
  return enrolment;
}

export interface MendingFindings {
  enrolment: EnrolmentRecord;
  /** The steps that failed at first, and nothing else, pass now. */
  isMended: boolean;
  isDomainProven: boolean;
  areKeysProven: boolean;
}

/** The partner puts the challenge where it belongs, mends what it publishes, and has all steps run again. */
export async function mendAndRun(
  stage: Stage,
  { api, entity }: Partner,
  before: EnrolmentRecord,
): Promise<MendingFindings> {
  const { narrator } = stage;
  narrator.scene(
    'What failed is mended',
    'Whoever can put a file on the host rules over its name; whoever signs the configuration has the keys.',
  );
  const { challenge } = before.domainChallenge;
  await narrator.step(
    () => writeFile(stage.file(PARTNER.folder, CHALLENGE_FILE), `${challenge}\n`),
    () => `the challenge ${challenge.slice(0, 8)}… stands in a file on its host`,
    `echo … > ${PARTNER.folder}/${CHALLENGE_FILE}`,
  );
  await narrator.step(
    () => editConfiguration(stage, PARTNER.folder, withMetadata(entity)),
    () => `it publishes the scope "${PARTNER.published(entity)['scope']}"`,
    `$EDITOR ${PARTNER.folder}/configuration.json`,
  );
  const enrolment = await narrator.step(
    () => api.send({ method: 'POST', path: `enrolments/${before.id}/run` }, enrolmentSchema),
    ({ state }) => `all steps run again: ${state}`,
    'POST /api/v1/enrolments/{id}/run',
  );
  showSteps(stage, enrolment);
  const outcomes = (of: EnrolmentRecord, outcome: string) =>
    of.steps.filter((step) => step.outcome === outcome).map(({ step }) => step);
  const hadFailed = outcomes(before, 'failed').sort().join(' ');
  const domain = enrolment.steps.find(({ step }) => step === 'domain');
  const keys = enrolment.steps.find(({ step }) => step === 'keys');
  return {
    enrolment,
    isMended:
      before.state === 'checks_failed' &&
      hadFailed === 'domain metadata_policy' &&
      outcomes(enrolment, 'failed').length === 0 &&
      enrolment.state === 'pending_approval',
    isDomainProven: domain?.outcome === 'passed' && domain.evidence['method'] === 'https',
    areKeysProven: keys?.outcome === 'passed' && typeof keys.evidence['signedBy'] === 'string',
  };
}

function withMetadata(entity: string): Parameters<typeof editConfiguration>[2] {
  return (settings) => {
    const metadata = settings['metadata'] as Record<string, object>;
    const mended = { ...metadata[PARTNER.entityType], ...PARTNER.published(entity) };
    return { ...settings, metadata: { ...metadata, [PARTNER.entityType]: mended } };
  };
}

function showSteps({ narrator }: Stage, { steps }: EnrolmentRecord): void {
  narrator.table(
    steps.map(({ step, outcome, reason, detail }) => [step, outcome, reason ?? '', short(detail.split('; ')[0] ?? '')]),
  );
}

export interface ApprovalFindings {
  /** Whoever submitted it may approve, but not this one: that was the reason given, before anybody else approved. */
  isSubmitterRefused: boolean;
  /** The partner was refused, one approval twice counted once, and nothing was said before the last one. */
  areFourEyesKept: boolean;
  /** From the answer to the last approval until the statement was served; null if it was not. */
  servedAfterMs: number | null;
}

/** Two people approve what they saw; nobody else can. */
export async function approve(
  stage: Stage,
  directory: Directory,
  partner: Partner,
  enrolment: EnrolmentRecord,
): Promise<ApprovalFindings> {
  const { narrator } = stage;
  narrator.scene(
    'Four eyes, and two more',
    'The approval names the evidence that was seen, which is looked at once more. Nothing is vouched for before.',
  );
  const refused = await refusalOf(() => giveApproval(partner.api, enrolment));
  narrator.tell(`${PARTNER.signatory}, who asked for it, is refused: ${refused}`);
  const own = await refusalOf(() => giveApproval(directory.registrar, enrolment));
  narrator.tell(`${STAFF[0].name}, who submitted it, is refused: ${own}`);
  const [anna, otto] = directory.approvers;
  const seen: string[] = [];
  for (const _ of ['first', 'again']) {
    const { state, approvals } = await giveApproval(anna, enrolment);
    const { isVouchedFor, says } = await askFetch(anchorOf(directory), partner.entity);
    seen.push(`${state} ${approvals.length} ${isVouchedFor}`);
    narrator.tell(`${STAFF[1].name} approves: ${approvals.length} of ${enrolment.approvalsNeeded}; fetch ${says}`);
  }
  const { approved, answeredAt } = await narrator.step(
    async () => ({ approved: await giveApproval(otto, enrolment), answeredAt: performance.now() }),
    ({ approved: { state, approvals } }) => `${STAFF[2].name} approves: ${approvals.length} of 2, ${state}`,
    `POST …/approve, If-Match: "${enrolment.version}"`,
  );
  const { isVouchedFor, says } = await askFetch(anchorOf(directory), partner.entity);
  const servedAfterMs = Math.round((performance.now() - answeredAt) * 10) / 10;
  narrator.tell(`fetch ${says}, ${millisecondsText(servedAfterMs)} after that answer`);
  return {
    isSubmitterRefused: own === 'four_eyes',
    areFourEyesKept:
      refused !== undefined &&
      seen.every((one) => one === 'pending_approval 1 false') &&
      approved.approvals.length === 2,
    servedAfterMs: isVouchedFor && approved.state === 'approved' ? servedAfterMs : null,
  };
}

async function giveApproval(api: ApiClient, { id, version }: EnrolmentRecord): Promise<EnrolmentRecord> {
  const body = { reason: 'looked at every step' };
  return await api.send({ method: 'POST', path: `enrolments/${id}/approve`, body, ifMatch: version }, enrolmentSchema);
}

/** The code of a refusal; undefined if there is none. @throws CommandError when no proper answer came */
async function refusalOf(attempt: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === EXIT.refused) return error.code;
    throw new StoryError('the service does not answer', { cause: error });
  }
}
