import { afterAll, describe, expect, it } from 'vitest';
import { ApiClient, refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';
import { flowWith, outcomes, stepOf, submitted } from '../../../support/enrolment-flow.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());
const { service } = api;

const TERMS = { step: 'terms' as const, version: '2027-1', uri: 'https://trust-anchor.example/terms' };

describe('F04 identity', () => {
  it('F04 waits for an active organisation, and for its registration where that is asked for', async () => {
    const flow = flowWith([]).map((step) => (step.step === 'identity' ? { ...step, registration: true } : step));
    const authority = await service.authority({ enrolmentFlow: flow });
    const organisation = await service.organisation(authority, 'pending');
    await using enrolment = await submitted(api.registrar, authority, organisation);
    const path = `/api/v1/organisations/${organisation.id}`;
    const run = async () => (await api.registrar.post(`${enrolment.path}/steps/identity/run`)).body;
    expect(outcomes(enrolment.answer.body)).toContain('identity failed organisation_not_active');
    const { etag } = await api.approver.get(path);
    await api.approver.post(`${path}/approve`, { reason: 'x' }, { 'if-match': etag });
    expect(outcomes(await run())).toContain('identity failed registration_missing');
    const registration = { number: '05123456', register: 'Companies House', country: 'GB' };
    const read = await api.registrar.get(path);
    await api.registrar.patch(path, { registration }, { 'if-match': read.etag });
    const mended = await run();
    expect(mended.state).toBe('pending_approval');
    expect(stepOf(mended, 'identity').evidence).toMatchObject({ registration, legalName: 'Partner Ltd' });
  });
});

describe('F04 contacts', () => {
  it('F04 are complete, and confirmed where that is asked for', async () => {
    const step = { step: 'contacts' as const, types: ['incident' as const, 'technical' as const], confirmed: true };
    const authority = await service.authority({ enrolmentFlow: flowWith([step]) });
    const organisation = await service.organisation(authority);
    await using enrolment = await submitted(api.registrar, authority, organisation);
    const run = async () => (await api.registrar.post(`${enrolment.path}/steps/contacts/run`)).body;
    expect(stepOf(enrolment.answer.body, 'contacts')).toMatchObject({
      ...{ reason: 'contact_missing', evidence: { missing: ['technical'] } },
      detail: 'add a contact for technical to the organisation',
    });
    const contacts = `/api/v1/organisations/${organisation.id}/contacts`;
    await api.registrar.post(contacts, { type: 'technical', email: 'ops@partner.example' });
    expect(stepOf(await run(), 'contacts').reason).toBe('contact_unconfirmed');
    const { body } = await api.registrar.get(contacts);
    for (const { id, version } of body.items) {
      const headers = { 'if-match': `"${version}"` };
      await api.registrar.post(`${contacts}/${id}/confirm`, { reason: 'called' }, headers);
    }
    expect((await run()).state).toBe('pending_approval');
  });
});

describe('F04 terms', () => {
  it('F04 are accepted with the request or for the organisation, in the version that counts', async () => {
    const authority = await service.authority({ enrolmentFlow: flowWith([TERMS]) });
    const organisation = await service.organisation(authority);
    const old = { version: '2026-1', acceptedBy: 'Jo Doe' };
    await using enrolment = await submitted(api.registrar, authority, organisation, { terms: old });
    expect(stepOf(enrolment.answer.body, 'terms')).toMatchObject({
      ...{ reason: 'terms_not_accepted' },
      detail: expect.stringContaining('2026-1'),
    });
    const path = `/api/v1/organisations/${organisation.id}/terms`;
    expect(refusalOf(await api.registrar.post(path, old))).toBe('400 validation_failed /version');
    const terms = { version: '2027-1', acceptedBy: 'Jo Doe, director' };
    const headers = { 'if-match': enrolment.answer.etag };
    const { body } = await api.registrar.patch(enrolment.path, { terms }, headers);
    expect(body.state).toBe('pending_approval');
    const accepted = await api.auditor.get(path);
    expect(accepted.body.items).toMatchObject([{ ...terms, recordedBy: { kind: 'token' } }]);
    await using next = await submitted(api.registrar, authority, organisation);
    expect(next.answer.body.state).toBe('pending_approval');
    const seq = await service.seq();
    expect((await api.registrar.post(path, { ...terms, acceptedBy: 'Somebody else' })).body.acceptedBy).toBe(
      'Jo Doe, director',
    );
    expect(await service.seq()).toBe(seq);
  });
});

describe('F04 terms by members', () => {
  it('F04 are accepted by an organisation-admin; with the request of a technical-contact they are refused', async () => {
    const authority = await service.authority({ enrolmentFlow: flowWith([TERMS]) });
    const organisation = await service.organisation(authority);
    const terms = { version: TERMS.version, acceptedBy: 'Jo Doe' };
    const asMember = async (role: string) => {
      const token = { name: role, roles: [role], organisationIds: [organisation.id] };
      const { body } = await api.admin.post('/api/v1/tokens', token);
      return new ApiClient(service.app, { authorization: `Bearer ${body.secret}` });
    };
    const contact = await asMember('technical-contact');
    await using refused = await submitted(contact, authority, organisation, { terms });
    expect(refusalOf(refused.answer)).toBe('403 role_missing');
    await using enrolment = await submitted(contact, authority, organisation);
    const headers = { 'if-match': enrolment.answer.etag };
    expect(refusalOf(await contact.patch(enrolment.path, { terms }, headers))).toBe('403 role_missing');
    const owner = await asMember('organisation-admin');
    expect((await owner.patch(enrolment.path, { terms }, headers)).body.state).toBe('pending_approval');
  });
});

describe('F04 roles', () => {
  const policy = { openid_relying_party: { client_name: { value: 'Licensed' } } };

  /** An authority whose enrolments look at roles, and a role that the organisation holds. */
  async function setting(role: object = {}) {
    const authority = await service.authority({ enrolmentFlow: flowWith([{ step: 'roles' }]) });
    const organisation = await service.organisation(authority);
    const domain = await api.admin.post('/api/v1/authorisation-domains', {
      authorityId: authority.id,
      name: 'Banking',
    });
    const made = await api.admin.post('/api/v1/roles', { domainId: domain.body.id, name: 'pisp', ...role });
    const roleId: string = made.body.id;
    const path = `/api/v1/organisations/${organisation.id}/roles`;
    const give = () => api.admin.post(path, { roleId });
    return { authority, organisation, roleId, path, give };
  }

  it('F04 are those that the organisation holds, and their policy shapes the statement', async () => {
    const { authority, organisation, roleId, give } = await setting({ metadataPolicy: policy });
    await using enrolment = await submitted(api.registrar, authority, organisation, { roles: [roleId] });
    expect(outcomes(enrolment.answer.body)).toContain('roles failed role_not_held');
    await give();
    const { body, etag } = await api.registrar.post(`${enrolment.path}/run`);
    const wouldChange = { holdsRoles: ['pisp'], metadataPolicies: { pisp: policy } };
    expect(stepOf(body, 'roles')).toMatchObject({ outcome: 'passed', wouldChange });
    const approved = await api.approver.post(`${enrolment.path}/approve`, { reason: 'x' }, { 'if-match': etag });
    expect(approved.body.state).toBe('approved');
    const { body: entity } = await api.auditor.get(`/api/v1/entities/${approved.body.entityId}`);
    expect(entity.roles).toMatchObject([{ role: 'pisp', roleId }]);
    const statement = await service.ask(authority, 'fetch', { sub: enrolment.entityIdentifier });
    const [, payload = ''] = (await statement.text()).split('.');
    const { metadata_policy } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    expect(metadata_policy).toEqual(policy);
  });

  it('F04 that ask for two people get two', async () => {
    const { authority, organisation, roleId, give } = await setting({ approvals: 2 });
    await give();
    await using enrolment = await submitted(api.registrar, authority, organisation, { roles: [roleId] });
    expect(enrolment.answer.body).toMatchObject({ state: 'pending_approval', approvalsNeeded: 2 });
  });

  it('F04 approves nothing with a role that was removed meanwhile', async () => {
    const { authority, organisation, roleId, path, give } = await setting();
    const { body: assignment, etag } = await give();
    await using enrolment = await submitted(api.registrar, authority, organisation, { roles: [roleId] });
    expect(enrolment.answer.body.state).toBe('pending_approval');
    const removal = `${path}/${assignment.id}/remove`;
    expect((await api.admin.post(removal, { reason: 'licence lost' }, { 'if-match': etag })).status).toBe(200);
    const headers = { 'if-match': enrolment.answer.etag };
    const refused = await api.approver.post(`${enrolment.path}/approve`, { reason: 'x' }, headers);
    expect([refusalOf(refused), refused.body.failed]).toEqual(['409 checks_failed', ['roles']]);
    expect((await service.ask(authority, 'fetch', { sub: enrolment.entityIdentifier })).status).toBe(404);
  });

  it('F04 of another authority are none', async () => {
    const { roleId } = await setting();
    const { authority, organisation } = await setting();
    await using enrolment = await submitted(api.registrar, authority, organisation, { roles: [roleId] });
    expect(refusalOf(enrolment.answer)).toBe('400 validation_failed /roles/0');
  });
});

describe('bad input', () => {
  it.each<[string, object, string]>([
    ['an unknown member', { state: 'approved' }, ''],
    ['a line feed in a name', { name: 'x\ny' }, '/name'],
    ['an escape sequence in a name', { name: '\u001b[31mx' }, '/name'],
    ['text that turns its direction', { name: 'x\u202ey' }, '/name'],
    ['a header in who accepts', { terms: { version: '1', acceptedBy: 'x\r\nset-cookie: y' } }, '/terms/acceptedBy'],
    ['a version that is no word', { terms: { version: '1 <b>', acceptedBy: 'x' } }, '/terms/version'],
    [
      'a role twice',
      { roles: [service.clock, service.clock].map(() => '019baf5e-0000-7000-8000-000000000000') },
      '/roles',
    ],
    ['a domain elsewhere', { domain: 'elsewhere.example' }, '/domain'],
  ])('is refused: %s', async (_what, members, pointer) => {
    const authority = await service.authority();
    const seq = await service.seq();
    await using enrolment = await submitted(api.registrar, authority, await service.organisation(authority), members);
    expect(refusalOf(enrolment.answer)).toMatch(`400 validation_failed ${pointer}`.trimEnd());
    expect((await service.auditAfter(seq)).filter(({ action }) => action.startsWith('enrolment'))).toEqual([]);
  });

  it('is kept as the text that it is, where it is text', async () => {
    const authority = await service.authority();
    const name = '<img src=x onerror=alert(1)> =1+1 "; --';
    await using enrolment = await submitted(api.registrar, authority, await service.organisation(authority), { name });
    expect(enrolment.answer.body.name).toBe(name);
  });
});
