/** The partners: programs of their own that publish their Entity Configurations, then the way into the federation. */
import type { AuthorityRecord, EntityRecord, OrganisationRecord } from '../../../src/cli/api-records.ts';
import type { Metadata } from '../../../src/federation/metadata/metadata.ts';
import { anchorOf } from '../deployment.ts';
import { addOrganisation, approveEntity, enrolEntity } from '../enrolment.ts';
import { askFetch, askResolve } from '../federation-client.ts';
import { publishPartner } from '../partner-program.ts';
import { freePorts, type Stage } from '../stage.ts';
import { StoryError } from '../story.ts';
import { type Part, PROVIDER, RELYING_PARTY } from './cast.ts';
import type { Federation } from './federation.ts';

export interface Partner extends Part {
  entity: string;
  superior: AuthorityRecord;
  /** What it really published, by Entity Type. */
  metadata: Metadata;
}

/** A partner that is vouched for. */
export interface Participant extends Partner {
  organisationRecord: OrganisationRecord;
  record: EntityRecord;
}

export async function startPartners(
  stage: Stage,
  { trustAnchor, intermediate }: Federation,
): Promise<{ provider: Partner; relyingParty: Partner }> {
  stage.narrator.scene(
    'Two partners publish who they are',
    'Programs of their own with keys of their own: the federation never sees a private key.',
  );
  const [providerPort, relyingPartyPort] = await freePorts(2);
  const [provider, relyingParty] = await Promise.all([
    startPartner(stage, PROVIDER, intermediate, `http://localhost:${providerPort}`),
    startPartner(stage, RELYING_PARTY, trustAnchor, `http://localhost:${relyingPartyPort}`),
  ]);
  return { provider, relyingParty };
}

async function startPartner(stage: Stage, part: Part, superior: AuthorityRecord, entity: string): Promise<Partner> {
  const { role, folder, entityType, published, organisation: name } = part;
  const program = { role, folder, entityType, name, entity, superior, published: published(entity) };
  return { ...part, entity, superior, metadata: await publishPartner(stage, program) };
}

/** Enrols both partners; before the approval nobody hears of them. */
export async function admitPartners(
  stage: Stage,
  federation: Federation,
  partners: { provider: Partner; relyingParty: Partner },
): Promise<{ provider: Participant; relyingParty: Participant }> {
  stage.narrator.scene(
    'Look first, then vouch',
    'Holdfast fetches what each partner publishes, checks it and keeps the evidence. A person decides; the approval',
    'names the evidence that was seen. Until then the federation endpoints answer as if the partner did not exist.',
  );
  const provider = await admit(stage, federation, partners.provider);
  const relyingParty = await admit(stage, federation, partners.relyingParty);
  return { provider, relyingParty };
}

async function admit(stage: Stage, federation: Federation, partner: Partner): Promise<Participant> {
  const { narrator } = stage;
  const { api } = federation;
  const { superior, entity, entityType, organisation: legalName, contact } = partner;
  const organisationRecord = await addOrganisation(stage, api, { authority: superior, legalName, contact });
  const enrolled = await enrolEntity(stage, api, {
    organisation: organisationRecord,
    entityIdentifier: entity,
    entityTypes: [entityType],
  });
  const [fetched, resolved] = await Promise.all([askFetch(superior, entity), askResolve(anchorOf(federation), entity)]);
  if (fetched.isVouchedFor || resolved.isVouchedFor) throw new StoryError(`${entity} is vouched for without approval`);
  narrator.tell(`before the approval: fetch ${fetched.says}, resolve ${resolved.says}`);
  const record = await approveEntity(stage, api, enrolled, 'contract signed, thumbprint read out on the telephone');
  const { isVouchedFor } = await narrator.step(
    () => askFetch(superior, entity),
    ({ says }) => `after it: fetch ${says}`,
    'GET …/federation/fetch?sub=…',
  );
  if (!isVouchedFor) throw new StoryError(`${entity} is not vouched for after its approval`);
  return { ...partner, organisationRecord, record };
}
