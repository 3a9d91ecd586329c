/** The directory: a partner's whole way through the API, from the first record to the withdrawal. */
import type { Stage } from '../stage.ts';
import { type Findings, type Playground, type Story, StoryError } from '../story.ts';
import { approve, mendAndRun, submitEnrolment } from './enrolment.ts';
import { reinstate, suspend, withdraw } from './life.ts';
import { admitOrganisation, type Partner, startPartner } from './partner.ts';
import { resolvePartner } from './resolution.ts';
import { type Directory, openDirectory } from './staff.ts';

export const directory: Story = {
  name: 'directory',
  summary:
    'one partner from the first record to the last: proofs, a mended check, four eyes, a role, suspension, withdrawal',
  nothingFound: () => ({
    onRecord: false,
    checkMended: false,
    domainProven: false,
    keysProven: false,
    submitterRefused: false,
    fourEyesKept: false,
    approvedServedAfterMs: null,
    rolePolicyApplied: false,
    previewTrue: false,
    suspendedRefusedAfterMs: null,
    reinstated: false,
    withdrawn: false,
  }),
  tell,
};

async function tell(stage: Stage, findings: Findings): Promise<Playground> {
  stage.narrator.title(
    'The directory of Holdfast',
    'Who belongs to the federation, who says so, and how one enters and leaves: a payment service comes, gets a role,',
    'is stopped, comes back and leaves. Every step goes through the API, with the token of whoever may do it.',
  );
  const opened = await openDirectory(stage);
  const { partner, isOnRecord } = await admitOrganisation(stage, opened);
  findings['onRecord'] = isOnRecord;
  await startPartner(stage, opened, partner);
  const entityId = await enrol(stage, { opened, partner }, findings);
  findings['rolePolicyApplied'] = await resolvePartner(stage, opened, partner);
  const { isPreviewTrue, refusedAfterMs } = await suspend(stage, opened, partner, entityId);
  findings['previewTrue'] = isPreviewTrue;
  findings['suspendedRefusedAfterMs'] = refusedAfterMs;
  findings['reinstated'] = await reinstate(stage, opened, partner);
  findings['withdrawn'] = await withdraw(stage, opened, partner, entityId);
  return await playground(stage, opened, partner);
}

/** @returns the id of the entity's record */
async function enrol(
  stage: Stage,
  { opened, partner }: { opened: Directory; partner: Partner },
  findings: Findings,
): Promise<string> {
  const failed = await submitEnrolment(stage, opened, partner);
  const { enrolment, isMended, isDomainProven, areKeysProven } = await mendAndRun(stage, partner, failed);
  findings['checkMended'] = isMended;
  findings['domainProven'] = isDomainProven;
  findings['keysProven'] = areKeysProven;
  if (enrolment.entityId === null) throw new StoryError(`the enrolment of ${partner.entity} is ${enrolment.state}`);
  const { isSubmitterRefused, areFourEyesKept, servedAfterMs } = await approve(stage, opened, partner, enrolment);
  findings['submitterRefused'] = isSubmitterRefused;
  findings['fourEyesKept'] = areFourEyesKept;
  findings['approvedServedAfterMs'] = servedAfterMs;
  return enrolment.entityId;
}

async function playground(
  stage: Stage,
  { api, token, trustAnchor }: Directory,
  { entity, organisation }: Partner,
): Promise<Playground> {
  const url = api.serviceUrl.origin;
  const environment = await stage.write(
    'environment',
    `export HOLDFAST_URL='${url}'\nexport HOLDFAST_TOKEN='${token}'\n`,
  );
  return {
    facts: [
      ['service', `${url} (documentation: ${url}/docs)`],
      ['Trust Anchor', `${trustAnchor.entityIdentifier} (${trustAnchor.name})`],
      ['partner', `${entity} (${organisation.legalName})`],
      ['token of the admin', `${environment}, to be read by the shell`],
    ],
    commands: [
      `. ${environment}`,
      'npx holdfast organisation list',
      `npx holdfast organisation show ${organisation.id}`,
      `npx holdfast enrolment show ${entity}`,
      'npx holdfast role list',
      `npx holdfast entity show ${entity}`,
      'npx holdfast audit',
    ],
  };
}
