/** A partner comes: on record as its register has it, with a role and a token, and a program that publishes itself. */

import { isDeepStrictEqual } from 'node:util';
import type { ApiClient } from '../../../src/cli/api-client.ts';
import { type OrganisationRecord, organisationSchema } from '../../../src/cli/api-records.ts';
import { organisationRoleSchema } from '../../../src/cli/role/role-records.ts';
import { short } from '../narrator.ts';
import { publishPartner } from '../partner-program.ts';
import { freePorts, type Stage } from '../stage.ts';
import { PARTNER } from './cast.ts';
import { clientOf, type Directory } from './staff.ts';

export interface Partner {
  /** As the partner's own token reaches. */
  api: ApiClient;
  entity: string;
  organisation: OrganisationRecord;
}

/** @returns the partner, and whether it is on record with its registration and each contact */
export async function admitOrganisation(
  stage: Stage,
  directory: Directory,
): Promise<{ partner: Partner; isOnRecord: boolean }> {
  const { narrator } = stage;
  narrator.scene(
    'An organisation comes on record',
    'As its register knows it, with somebody to call. One records it, another lets it in, and it gets its role.',
  );
  const organisation = await addOrganisation(stage, directory);
  narrator.table(organisation.contacts.map(({ type, email }) => [type, email]));
  await narrator.step(
    () => {
      const body = { roleId: directory.role.id, registrationId: PARTNER.registrationId, jurisdictions: ['GB'] };
      const path = `organisations/${organisation.id}/roles`;
      return directory.registrar.send({ method: 'POST', path, body }, organisationRoleSchema);
    },
    ({ role, registrationId, state }) => `it holds ${role}, registered as ${registrationId}: ${state}`,
    'POST /api/v1/organisations/{id}/roles',
  );
  const api = await narrator.step(
    () =>
      clientOf(directory, {
        ...{ name: PARTNER.signatory, roles: ['organisation-admin'] },
        organisationIds: [organisation.id],
      }),
    () => `${PARTNER.signatory} gets a token for this organisation alone`,
    'POST /api/v1/tokens',
  );
  const [port = 0] = await freePorts(1);
  const partner = { api, organisation, entity: `http://localhost:${port}` };
  return { partner, isOnRecord: isAsToldOf(organisation) };
}

async function addOrganisation({ narrator }: Stage, directory: Directory): Promise<OrganisationRecord> {
  const { legalName, registration, contacts } = PARTNER;
  const body = { authorityId: directory.trustAnchor.id, legalName, registration, contacts };
  const added = await narrator.step(
    () => directory.registrar.send({ method: 'POST', path: 'organisations', body }, organisationSchema),
    ({ registration: found, state }) => `${legalName}, ${found?.register} ${found?.number}: ${state}`,
    'POST /api/v1/organisations',
  );
  const [approver] = directory.approvers;
  return await narrator.step(
    () => {
      const path = `organisations/${added.id}/approve`;
      const approval = { reason: 'contract signed' };
      return approver.send({ method: 'POST', path, body: approval, ifMatch: added.version }, organisationSchema);
    },
    ({ state }) => `${legalName} is ${state}`,
    'POST /api/v1/organisations/{id}/approve',
  );
}

function isAsToldOf({ legalName, registration, contacts, state }: OrganisationRecord): boolean {
  const found = { legalName, registration, contacts: contacts.map(({ type, email }) => ({ type, email })) };
  const wanted = { legalName: PARTNER.legalName, registration: PARTNER.registration, contacts: [...PARTNER.contacts] };
  return state === 'active' && isDeepStrictEqual(sorted(found), sorted(wanted));
}

function sorted<T extends { contacts: { type: string }[] }>(record: T): T {
  return { ...record, contacts: record.contacts.toSorted((one, other) => one.type.localeCompare(other.type)) };
}

/** The partner's program runs from now on; what it publishes has a mistake in it. */
export async function startPartner(stage: Stage, { trustAnchor }: Directory, { entity }: Partner): Promise<void> {
  stage.narrator.scene(
    'It publishes who it is',
    'A program of its own with keys of its own: the federation never sees a private key.',
  );
  const { role, folder, entityType, legalName, published } = PARTNER;
  const program = { role, folder, entityType, name: legalName, entity, superior: trustAnchor };
  await publishPartner(stage, { ...program, published: { ...published(entity), ...PARTNER.mistake } });
  stage.narrator.tell(`${short(entity)} asks for less than its role needs: nobody has noticed yet`);
}
