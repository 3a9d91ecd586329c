import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { relyingParty, startApi } from '../../../support/api-service.ts';
import { flowWith, outcomes, stepOf, submitted } from '../../../support/enrolment-flow.ts';
import { serveFederation } from '../../../support/federation-server.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());
const { service } = api;

const TERMS = { step: 'terms' as const, version: '2027-1', uri: 'https://trust-anchor.example/terms' };
const approval = { reason: 'looked at it' };

describe('F04 a domain that is taken back', () => {
  it('F04 counts no more: entities that it let in are flagged, until it is proven again', async () => {
    const authority = await service.authority({ enrolmentFlow: flowWith([{ step: 'domain' }]) });
    const { id: organisationId } = await service.organisation(authority);
    await using partner = await serveFederation({ one: relyingParty(authority), two: relyingParty(authority) });
    const file = `${partner.origin}/.well-known/holdfast-domain-challenge`;
    const prove = async (name: string) => {
      const entityIdentifier = partner.federation.id(name);
      const { body } = await api.registrar.post('/api/v1/enrolments', { organisationId, entityIdentifier });
      expect(outcomes(body)).toContain('domain failed domain_unproven');
      partner.override(file, { status: 200, body: body.domainChallenge.challenge });
      const path = `/api/v1/enrolments/${body.id}`;
      return { path, ...(await api.registrar.post(`${path}/run`)) };
    };
    const one = await prove('one');
    const approved = await api.approver.post(`${one.path}/approve`, approval, { 'if-match': one.etag });
    const entity = `/api/v1/entities/${approved.body.entityId}`;
    const findings = async () => (await api.auditor.get(entity)).body.findings;
    const organisation = `/api/v1/organisations/${organisationId}`;
    const { host } = new URL(partner.origin);
    const withdraw = (more: object = {}) =>
      api.registrar.post(`${organisation}/domains/withdraw`, { domain: host, reason: 'sold', ...more });
    expect(refusalOf(await withdraw({ domain: 'other.example' }))).toBe('404 not_found');
    const dependent = [{ id: approved.body.entityId, entityIdentifier: partner.federation.id('one') }];
    expect((await withdraw({ dryRun: true })).body.entities).toEqual(dependent);
    expect(await findings()).toEqual([]);
    const seq = await service.seq();
    expect((await withdraw()).body).toEqual({ organisationId, domain: host, entities: dependent });
    expect(await service.auditAfter(seq)).toMatchObject([{ action: 'organisation.withdraw_domain', reason: 'sold' }]);
    expect(await findings()).toMatchObject([{ kind: 'domain_unproven', detail: expect.stringContaining(host) }]);
    expect((await api.auditor.get(`${organisation}/domains`)).body.items).toEqual([]);
    expect((await prove('two')).body.state).toBe('pending_approval');
    expect(await findings()).toEqual([]);
  });
});

describe('F04 terms that are taken back', () => {
  it('F04 count no more, with a request from before neither, until they are accepted anew', async () => {
    const authority = await service.authority({ enrolmentFlow: flowWith([TERMS]) });
    const organisation = await service.organisation(authority);
    const terms = { version: TERMS.version, acceptedBy: 'Jo Doe' };
    await using enrolment = await submitted(api.registrar, authority, organisation, { terms });
    expect(enrolment.answer.body.state).toBe('pending_approval');
    const path = `/api/v1/organisations/${organisation.id}/terms`;
    const withdraw = () => api.registrar.post(`${path}/withdraw`, { version: TERMS.version, reason: 'left' });
    expect((await withdraw()).body).toMatchObject({ version: TERMS.version, required: true });
    expect(refusalOf(await withdraw())).toBe('404 not_found');
    const { etag } = enrolment.answer;
    const refused = await api.approver.post(`${enrolment.path}/approve`, approval, { 'if-match': etag });
    expect(refusalOf(refused)).toBe('409 checks_failed');
    const { body } = await api.auditor.get(enrolment.path);
    expect(stepOf(body, 'terms')).toMatchObject({
      reason: 'terms_not_accepted',
      detail: expect.stringContaining('took back'),
    });
    const withdrawn = { ...terms, withdrawnAt: expect.any(String), withdrawalReason: 'left' };
    expect((await api.auditor.get(path)).body.items).toMatchObject([withdrawn]);
    expect((await api.registrar.post(path, { ...terms, acceptedBy: 'Ann Doe' })).body).toMatchObject({
      acceptedBy: 'Ann Doe',
      withdrawnAt: null,
    });
    expect((await api.registrar.post(`${enrolment.path}/run`)).body.state).toBe('pending_approval');
  });
});
