import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, publishRelyingParty, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const { service } = api;
const authority = await service.authority();
const organisation = await service.organisation(authority);

describe('200', () => {
  it('keeps what it finds, and takes no seq when that is nothing new', async () => {
    await using partner = await publishRelyingParty(authority);
    partner.override(partner.configurationUrl('rp'), { status: 404 });
    const input = { organisationId: organisation.id, entityIdentifier: partner.federation.id('rp') };
    const { body: enrolled } = await api.registrar.post('/api/v1/entities', input);
    expect(enrolled.checks[0].outcome).toBe('failed');
    partner.restore(partner.configurationUrl('rp'));
    const path = `/api/v1/entities/${enrolled.id}/checks`;
    const { status, etag, body } = await api.approver.post(path);
    expect([status, etag, body.checks[0].outcome]).toEqual([200, '"2"', 'passed']);
    expect(body.jwks).toEqual(partner.federation.jwks('rp'));
    const seq = await service.seq();
    expect((await api.registrar.post(path)).etag).toBe('"2"');
    expect(await service.seq()).toBe(seq);
  });
});

describe('403', () => {
  it('is not for auditors', async () => {
    const { id } = await service.entity(organisation);
    expect(refusalOf(await api.auditor.post(`/api/v1/entities/${id}/checks`))).toBe('403 role_missing');
  });
});

describe('404', () => {
  it('knows no such entity', async () => {
    expect(refusalOf(await api.admin.post(`/api/v1/entities/${NO_SUCH_ID}/checks`))).toBe('404 not_found');
  });
});

describe('409', () => {
  it('has nothing to fetch for keys that were handed over', async () => {
    const { id } = await service.entity(organisation, { enrolment: 'handed_over' });
    expect(refusalOf(await api.admin.post(`/api/v1/entities/${id}/checks`))).toBe('409 checks_failed');
  });
});

describe('412', () => {
  it('keeps nothing about a record that changed while the configuration was fetched', async () => {
    await using partner = await publishRelyingParty(authority);
    const input = { organisationId: organisation.id, entityIdentifier: partner.federation.id('rp') };
    const { body: enrolled, etag } = await api.registrar.post('/api/v1/entities', input);
    const path = `/api/v1/entities/${enrolled.id}`;
    partner.federation.entity('rp').claims['note'] = 'something new';
    const url = partner.configurationUrl('rp');
    partner.override(url, (request, response) => {
      partner.restore(url);
      const metadata = { openid_relying_party: { client_name: 'Verified Name' } };
      void api.registrar
        .patch(path, { metadata }, { 'if-match': etag })
        .then(() => partner.listener(request, response));
    });
    expect(refusalOf(await api.approver.post(`${path}/checks`))).toBe('412 version_mismatch');
    expect((await api.auditor.get(path)).body).toMatchObject({ checksOutdated: true, evidence: enrolled.evidence });
    const again = await api.approver.post(`${path}/checks`);
    expect([again.status, again.body.checksOutdated]).toEqual([200, false]);
  });
});
