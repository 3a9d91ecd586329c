/** The way in, for every entity the same: an organisation, enrolment with its checks, a decision about what was seen. */
import type { ApiClient } from '../../src/cli/api-client.ts';
import {
  type AuthorityRecord,
  type EntityRecord,
  entitySchema,
  type OrganisationRecord,
  organisationSchema,
} from '../../src/cli/api-records.ts';
import { short } from './narrator.ts';
import type { Stage } from './stage.ts';
import { StoryError } from './story.ts';

interface NewOrganisation {
  authority: AuthorityRecord;
  legalName: string;
  contact: string;
}

/** Records an organisation and approves it. */
export async function addOrganisation(
  { narrator }: Stage,
  api: ApiClient,
  { authority, legalName, contact }: NewOrganisation,
): Promise<OrganisationRecord> {
  const body = { authorityId: authority.id, legalName, contacts: [{ type: 'incident', email: contact }] };
  return await narrator.step(
    async () => {
      const added = await api.send({ method: 'POST', path: 'organisations', body }, organisationSchema);
      return await transitionOrganisation(api, added, 'approve', 'contract checked');
    },
    ({ state }) => `${legalName}, an organisation: ${state}`,
    'POST /api/v1/organisations; …/approve',
  );
}

export async function transitionOrganisation(
  api: ApiClient,
  { id, version }: OrganisationRecord,
  transition: 'approve' | 'suspend' | 'reinstate',
  reason: string,
): Promise<OrganisationRecord> {
  const path = `organisations/${id}/${transition}`;
  return await api.send({ method: 'POST', path, body: { reason }, ifMatch: version }, organisationSchema);
}

interface NewEntity {
  organisation: OrganisationRecord;
  entityIdentifier: string;
  entityTypes: string[];
}

/**
 * Enrols an entity and shows what the checks found.
 * @throws StoryError when one was not passed
 */
export async function enrolEntity(
  { narrator }: Stage,
  api: ApiClient,
  { organisation, ...entity }: NewEntity,
): Promise<EntityRecord> {
  const body = { organisationId: organisation.id, ...entity };
  const enrolled = await narrator.step(
    () => api.send({ method: 'POST', path: 'entities', body }, entitySchema),
    ({ entityIdentifier, state }) => `enrolled ${short(entityIdentifier)}: ${state}`,
    'POST /api/v1/entities',
  );
  narrator.table(enrolled.checks.map(({ outcome, check, detail }) => [outcome, check, short(detail)]));
  const failed = enrolled.checks.filter(({ outcome }) => outcome !== 'passed').map(({ check }) => check);
  if (failed.length === 0) return enrolled;
  throw new StoryError(`${enrolled.entityIdentifier} did not pass ${failed.join(', ')}`);
}

/** Approves what was seen: the version names the evidence, which is fetched and compared again. */
export async function approveEntity(
  { narrator }: Stage,
  api: ApiClient,
  { id, version, entityIdentifier }: EntityRecord,
  reason: string,
): Promise<EntityRecord> {
  const path = `entities/${id}/approve`;
  return await narrator.step(
    () => api.send({ method: 'POST', path, body: { reason }, ifMatch: version }, entitySchema),
    ({ state }) => `approved ${short(entityIdentifier)}: ${state}`,
    `POST …/approve, If-Match: "${version}"`,
  );
}

export async function readEntity(api: ApiClient, { id }: EntityRecord): Promise<EntityRecord> {
  return await api.send({ method: 'GET', path: `entities/${id}` }, entitySchema);
}
