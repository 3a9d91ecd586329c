/** The main job: enrol, approve, vouch, resolve, suspend, reinstate, between real programs over real HTTP. */
import { auditRowSchema } from '../../../src/cli/api-records.ts';
import { shortMoment } from '../../../src/cli/times.ts';
import type { Stage } from '../stage.ts';
import type { Findings, Playground, Story } from '../story.ts';
import { INTERMEDIATE, TRUST_ANCHOR } from './cast.ts';
import { addIntermediate, type Federation, startTrustAnchor } from './federation.ts';
import { admitPartners, type Participant, startPartners } from './partners.ts';
import { resolveTwice } from './resolution.ts';
import { reinstate, suspend } from './suspension.ts';

export const mainJob: Story = {
  name: 'main-job',
  summary: 'enrol two partners, vouch for them, resolve, suspend, reinstate',
  nothingFound: () => ({ resolved: false, policyApplied: false, suspendedRefusedAfterMs: null, reinstated: false }),
  tell,
};

async function tell(stage: Stage, findings: Findings): Promise<Playground> {
  const { narrator } = stage;
  narrator.title(
    'The main job of Holdfast',
    'A federation operator admits two partners, an OpenID Provider and a Relying Party. They have never met, and',
    'believe each other because of the federation alone. Then one of them must not be believed any more.',
  );
  const started = await startTrustAnchor(stage);
  const federation: Federation = { ...started, intermediate: await addIntermediate(stage, started) };
  const partners = await startPartners(stage, federation);
  const { provider, relyingParty } = await admitPartners(stage, federation, partners);
  await resolveEachOther(stage, federation, { provider, relyingParty }, findings);

  narrator.scene(
    `${provider.organisation} is suspended`,
    'From the moment of that answer nobody may vouch for its OpenID Provider: no statement, no place in the list,',
    'nothing resolved, not even from what was signed and kept before.',
  );
  const { refusedAfterMs, organisation } = await suspend(stage, federation, provider);
  findings['suspendedRefusedAfterMs'] = refusedAfterMs;

  narrator.scene('It is reinstated', 'Only what that suspension stopped comes back.');
  findings['reinstated'] = await reinstate(stage, federation, provider, organisation);
  await showAudit(stage, federation, provider);
  return await playground(stage, federation, { provider, relyingParty });
}

interface Participants {
  provider: Participant;
  relyingParty: Participant;
}

async function resolveEachOther(
  stage: Stage,
  federation: Federation,
  { provider, relyingParty }: Participants,
  findings: Findings,
): Promise<void> {
  const { narrator } = stage;
  narrator.scene(
    'The Relying Party resolves the OpenID Provider',
    'It knows the key of the Trust Anchor and nothing else. It asks the Trust Anchor to resolve; then, without that,',
    'it walks the way up itself and checks every statement.',
  );
  const ofProvider = await resolveTwice(stage, federation, provider);
  narrator.scene('The OpenID Provider resolves the Relying Party', 'The same in the other direction.');
  const ofRelyingParty = await resolveTwice(stage, federation, relyingParty);
  findings['resolved'] = ofProvider.isResolved && ofRelyingParty.isResolved;
  findings['policyApplied'] =
    [TRUST_ANCHOR, INTERMEDIATE].every(({ name }) => ofProvider.policiesApplied.includes(name)) &&
    ofRelyingParty.policiesApplied.includes(TRUST_ANCHOR.name);
}

async function showAudit(
  { narrator }: Stage,
  { api }: Federation,
  { organisationRecord: { id, name } }: Participant,
): Promise<void> {
  narrator.scene('What stays', `The audit trail of ${name}: every change, by whom and why, under one gap-free number.`);
  const query = { subjectKind: 'organisation', subjectId: id };
  const { items } = await api.list('audit', query, auditRowSchema, { limit: Number.POSITIVE_INFINITY });
  narrator.table(
    items.map(({ seq, at, actor, action, reason }) => [
      `seq ${seq}`,
      shortMoment(at),
      actor.name,
      action,
      reason ?? '',
    ]),
  );
}

async function playground(
  stage: Stage,
  { api, token, trustAnchor, intermediate, anchorKeysFile }: Federation,
  { provider, relyingParty }: Participants,
): Promise<Playground> {
  const url = api.serviceUrl.origin;
  const environment = await stage.write(
    'environment',
    `export HOLDFAST_URL='${url}'\nexport HOLDFAST_TOKEN='${token}'\n`,
  );
  const anchor = trustAnchor.entityIdentifier;
  return {
    facts: [
      ['service', `${url} (documentation: ${url}/docs)`],
      ['Trust Anchor', `${anchor} (${trustAnchor.name})`],
      ['Intermediate', `${intermediate.entityIdentifier} (${intermediate.name})`],
      ['OpenID Provider', `${provider.entity} (${provider.organisation})`],
      ['Relying Party', `${relyingParty.entity} (${relyingParty.organisation})`],
      ['token of the admin', `${environment}, to be read by the shell`],
    ],
    commands: [
      `. ${environment}`,
      'npx holdfast entity list',
      `npx holdfast entity show ${provider.entity}`,
      `npx holdfast resolve ${provider.entity} --anchor ${anchor} --anchor-jwks ${anchorKeysFile}`,
      `curl -s '${anchor}/federation/resolve?sub=${relyingParty.entity}&trust_anchor=${anchor}'`,
      `npx holdfast entity suspend ${relyingParty.entity} --reason "to try it"   # then the line above again`,
      `npx holdfast entity reinstate ${relyingParty.entity}`,
      'npx holdfast audit',
      `$EDITOR ${stage.file(relyingParty.folder, 'configuration.json')}   # it serves at once what you save`,
      `npx holdfast entity check ${relyingParty.entity}`,
    ],
  };
}
