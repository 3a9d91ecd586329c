/** Members of a suspended organisation: they read what is theirs, mend what lapsed and take things back; nothing else. */
import { afterAll, describe, expect, it } from 'vitest';
import { accessOf } from '../../../src/registry/access.ts';
import { MEMBER_ROLES } from '../../../src/registry/actor.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { createToken } from '../../../src/registry/tokens/create-token.ts';
import { ApiClient, refusalOf } from '../../support/api-client.ts';
import { authorityRecords, organisationRecords, recordsAt } from '../../support/api-places.ts';
import { API_OPERATIONS, requestOf } from '../../support/api-requests.ts';
import { startApi } from '../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());
const { service } = api;
const authority = await service.authority();
const ofAuthority = await authorityRecords(api, authority);
const ids = recordsAt(ofAuthority, await organisationRecords(api, authority, ofAuthority));
const organisationId = ids['organisationId'] ?? '';

/** They let nothing live: what an appeal rests on, and what ends something. */
const OPEN: Record<string, readonly string[]> = {
  attested: ['addContact', 'updateContact', 'removeContact', 'confirmContact', 'acceptTerms'],
  ended: ['holdCredential', 'revokeCredential', 'removeEntityKey', 'markEntityKeyCompromised'],
  takenBack: ['removeAuthorizationServer', 'removeApiResource', 'revokeToken'],
  unproven: ['withdrawOrganisationDomain', 'withdrawTerms'],
};

async function memberOf(organisationIds: string[], role: (typeof MEMBER_ROLES)[number]): Promise<ApiClient> {
  const input = { name: role, roles: [role], authorityIds: null, organisationIds, lifetimeSeconds: 86_400 };
  const { secret } = await createToken(service.context(), input);
  return new ApiClient(service.app, { authorization: `Bearer ${secret}` });
}

const spare = await service.organisation(authority);
const members = {
  'organisation-admin': await memberOf([organisationId], 'organisation-admin'),
  'technical-contact': await memberOf([organisationId], 'technical-contact'),
};
const ofBoth = await memberOf([organisationId, spare.id], 'organisation-admin');
await transitionOrganisation(service.context(), organisationId, 'suspend', 'an investigation');

/** Their answers end when the service does; what they tell, `listEvents` tells as well. */
const ENDLESS = ['followEvents'];

const CELLS = API_OPERATIONS.filter(({ operationId }) => !ENDLESS.includes(operationId)).flatMap((operation) =>
  MEMBER_ROLES.filter((role) => accessOf(operation.operationId)?.roles.includes(role)).map((role) => ({
    operation,
    role,
    title: `${operation.operationId} by ${role}`,
  })),
);

describe('F05 members of a suspended organisation', () => {
  it.each(CELLS)('F05 $title', async ({ operation, role }) => {
    const { operationId } = operation;
    const { method, path, body } = requestOf(operation, ids);
    const seq = await service.seq();
    // Of a version that no record has: nothing is changed for the tests that follow.
    const answer = await members[role].send(method, path, { body, headers: { 'if-match': '"999"' } });
    const about = `${answer.status} ${JSON.stringify(answer.body)}`;
    if (method === 'GET' || Object.values(OPEN).flat().includes(operationId)) {
      expect(['organisation_suspended', 'role_missing'], about).not.toContain(answer.body?.code);
    } else {
      expect(refusalOf(answer), about).toBe('403 organisation_suspended');
      expect(await service.seq()).toBe(seq);
    }
  });

  it('F05 do for another of theirs what they did, and everything once theirs is back', async () => {
    const contact = { type: 'business', email: 'boss@partner.example' };
    expect((await ofBoth.post(`/api/v1/organisations/${spare.id}/contacts`, contact)).status).toBe(201);
    const server = { entityId: ids['entityId'], issuer: undefined };
    expect(refusalOf(await ofBoth.post('/api/v1/authorization-servers', server))).toBe('403 organisation_suspended');
    await transitionOrganisation(service.context(), organisationId, 'reinstate', 'all is well');
    const again = await ofBoth.post('/api/v1/authorization-servers', { entityId: ids['entityId'] });
    expect(again.body?.code).not.toBe('organisation_suspended');
  });
});
