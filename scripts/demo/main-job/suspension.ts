/** The moment that counts: whoever is suspended is vouched for nowhere any more, until reinstated. */
import type { OrganisationRecord } from '../../../src/cli/api-records.ts';
import { anchorOf } from '../deployment.ts';
import { readEntity, transitionOrganisation } from '../enrolment.ts';
import { askFetch, askList, askResolve, publishedMetadata } from '../federation-client.ts';
import { short } from '../narrator.ts';
import { resolveAlone } from '../resolve-alone.ts';
import type { Stage } from '../stage.ts';
import { refuseAll, tellBefore, type Witness, watchRefusals } from '../witnesses.ts';
import type { Federation } from './federation.ts';
import type { Participant } from './partners.ts';
import { wayText } from './resolution.ts';

export interface SuspensionFindings {
  /** From the answer to the suspension until the last of the three endpoints refused; null if one did not. */
  refusedAfterMs: number | null;
  organisation: OrganisationRecord;
}

/** Suspends the organisation of a participant, which is vouched for until then, and watches the endpoints. */
export async function suspend(stage: Stage, federation: Federation, subject: Participant): Promise<SuspensionFindings> {
  const { narrator } = stage;
  const { organisationRecord: owner, entity, record, role } = subject;
  const witnesses = witnessesOf(federation, subject);
  const wasVouchedFor = await tellBefore(stage, witnesses);
  const { organisation, suspendedAt } = await narrator.step(
    async () => {
      const suspended = await transitionOrganisation(federation.api, owner, 'suspend', 'incident 4711: key leaked');
      return { organisation: suspended, suspendedAt: performance.now() };
    },
    ({ organisation: { legalName, state, stateReason } }) => `${legalName} is ${state}, "${stateReason}"`,
    'POST /api/v1/organisations/{id}/suspend',
  );
  const refusedAfterMs = await watchRefusals(stage, witnesses, suspendedAt);
  const own = await narrator.step(
    () => resolveAlone(stage, federation, entity),
    ({ says }) => short(says),
    'holdfast resolve …',
  );
  const { state, effectiveState } = await readEntity(federation.api, record);
  await publishedMetadata(entity);
  narrator.tell(
    `the ${role} runs on and its own state is ${state}; what counts is its organisation's: ${effectiveState}`,
  );
  const isRefusedStill = await refuseAll(witnesses);
  const isShown = wasVouchedFor && isRefusedStill && own.reason === 'subject_not_active';
  return { refusedAfterMs: isShown ? refusedAfterMs : null, organisation };
}

/** Reinstates the organisation. @returns whether everything is as before the suspension */
export async function reinstate(
  stage: Stage,
  federation: Federation,
  subject: Participant,
  suspended: OrganisationRecord,
): Promise<boolean> {
  const { narrator } = stage;
  await narrator.step(
    () => transitionOrganisation(federation.api, suspended, 'reinstate', 'key replaced'),
    ({ legalName, state, stateReason }) => `${legalName} is ${state} again, "${stateReason}"`,
    'POST /api/v1/organisations/{id}/reinstate',
  );
  const witnesses = witnessesOf(federation, subject);
  const answers = await Promise.all(witnesses.map(({ ask }) => ask()));
  narrator.table(answers.map(({ says }, index) => [witnesses[index]?.endpoint ?? '', says]));
  const own = await narrator.step(
    () => resolveAlone(stage, federation, subject.entity),
    ({ resolved, says }) => (resolved === undefined ? short(says) : wayText(resolved.way, federation, subject)),
    'holdfast resolve …',
  );
  return answers.every(({ isVouchedFor }) => isVouchedFor) && own.resolved !== undefined;
}

function witnessesOf(federation: Federation, { entity, superior }: Participant): Witness[] {
  return [
    { endpoint: 'fetch', ask: () => askFetch(superior, entity) },
    { endpoint: 'list', ask: () => askList(superior, entity) },
    { endpoint: 'resolve', ask: () => askResolve(anchorOf(federation), entity) },
  ];
}
