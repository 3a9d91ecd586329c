/** The main job: enrol, approve, vouch, mark, resolve, suspend, reinstate, roll, between real programs over real HTTP. */
import { auditRowSchema } from '../../../src/cli/api-records.ts';
import { shortMoment } from '../../../src/cli/times.ts';
import type { Stage } from '../stage.ts';
import type { Findings, Playground, Story } from '../story.ts';
import { INTERMEDIATE, TRUST_ANCHOR } from './cast.ts';
import { addIntermediate, type Federation, startTrustAnchor } from './federation.ts';
import { rollAnchorKey } from './key-roll.ts';
import { admitPartners, type Participant, startPartners } from './partners.ts';
import { resolveTwice } from './resolution.ts';
import { reinstate, suspend } from './suspension.ts';
import { type GrantedMark, grantTrustMark, showTrustMark, withdrawTrustMark } from './trust-mark.ts';

export const mainJob: Story = {
  name: 'main-job',
  summary: 'enrol two partners, vouch for them, mark one, resolve, withdraw the mark, suspend, reinstate, roll a key',
  nothingFound: () => ({
    resolved: false,
    policyApplied: false,
    trustMarkVerified: false,
    withdrawnRefusedAfterMs: null,
    suspendedRefusedAfterMs: null,
    reinstated: false,
    keyRolled: false,
  }),
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
  narrator.scene(
    `A Trust Mark for the ${provider.role}`,
    'A federation says more of some than that they belong to it. The Intermediate issues the mark, its bearer shows it,',
    'and it counts for whoever finds out that the Trust Anchor lists its issuer, and that its issuer stands by it.',
  );
  const mark = await grantTrustMark(stage, federation, provider);
  await showTrustMark(stage, provider, mark);
  await resolveEachOther(stage, federation, { provider, relyingParty, mark }, findings);

  narrator.scene(
    'The Trust Mark is withdrawn',
    'Its bearer may go on to show it: from the moment of that answer its issuer says "revoked" to whoever asks.',
  );
  findings['withdrawnRefusedAfterMs'] = await withdrawTrustMark(stage, federation, provider, mark);

  narrator.scene(
    `${provider.organisation} is suspended`,
    'From the moment of that answer nobody may vouch for its OpenID Provider: no statement, no place in the list,',
    'nothing resolved, not even from what was signed and kept before.',
  );
  const { refusedAfterMs, organisation } = await suspend(stage, federation, provider);
  findings['suspendedRefusedAfterMs'] = refusedAfterMs;

  narrator.scene('It is reinstated', 'Only what that suspension stopped comes back.');
  findings['reinstated'] = await reinstate(stage, federation, provider, organisation);

  narrator.scene(
    `${federation.trustAnchor.name} rolls its key`,
    'Whoever trusts it pinned its key, so the next one is published before it signs anything. The one before stays',
    'published while anything lives that it signed.',
  );
  const rolled = await rollAnchorKey(stage, federation, { subject: provider, relyingParty });
  findings['keyRolled'] = rolled.isRolled;
  await showAudit(stage, federation, provider);
  return await playground(stage, rolled.federation, { provider, relyingParty });
}

interface Participants {
  provider: Participant;
  relyingParty: Participant;
}

async function resolveEachOther(
  stage: Stage,
  federation: Federation,
  { provider, relyingParty, mark }: Participants & { mark: GrantedMark },
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
  findings['trustMarkVerified'] = ofProvider.trustMarks.includes(mark.record.trustMarkType);
  findings['policyApplied'] =
    [TRUST_ANCHOR, INTERMEDIATE].every(({ name }) => ofProvider.policiesApplied.includes(name)) &&
    ofRelyingParty.policiesApplied.includes(TRUST_ANCHOR.name);
}

async function showAudit(
  { narrator }: Stage,
  { api }: Federation,
  { organisationRecord: { id, legalName } }: Participant,
): Promise<void> {
  narrator.scene(
    'What stays',
    `The audit trail of ${legalName}: every change, by whom and why, under one gap-free number.`,
  );
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
