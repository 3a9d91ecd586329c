import { afterAll, describe, expect, it } from 'vitest';
import { type ApiAnswer, refusalOf } from '../../../support/api-client.ts';
import { relyingParty, startApi } from '../../../support/api-service.ts';
import { flowWith, outcomes, stepOf, submitted } from '../../../support/enrolment-flow.ts';
import { serveFederation } from '../../../support/federation-server.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const { service } = api;
const authority = await service.authority();
const organisation = await service.organisation(authority);
const second = await api.client(['approver']);

function approve(path: string, etag: string, client = api.approver): Promise<ApiAnswer> {
  return client.post(`${path}/approve`, { reason: 'looked at it' }, { 'if-match': etag });
}

const fetchStatus = async (sub: string, by = authority) => (await service.ask(by, 'fetch', { sub })).status;

describe('F04', () => {
  it('F04 fetches the configuration, runs every check, and publishes the statement from the approval on', async () => {
    await using enrolment = await submitted(api.registrar, authority, organisation);
    const { answer, entityIdentifier, path } = enrolment;
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ state: 'pending_approval', approvalsNeeded: 1, approvals: [] });
    expect(outcomes(answer.body)).toEqual([
      ...['identity passed', 'keys passed', 'configuration passed', 'metadata_policy passed', 'roles passed'],
      ...['contacts passed', 'approvals waiting'],
    ]);
    const kid = enrolment.partner.federation.jwks('rp').keys[0]?.kid;
    expect(stepOf(answer.body, 'keys')).toMatchObject({
      evidence: { signedBy: kid, kids: [kid] },
      wouldChange: { registersKeys: [kid] },
    });
    expect(stepOf(answer.body, 'configuration').wouldChange.vouchesFor).toContain('openid_relying_party');
    expect(await fetchStatus(entityIdentifier)).toBe(404);
    const approved = await approve(path, answer.etag);
    expect([approved.status, approved.body.state]).toEqual([200, 'approved']);
    expect(await fetchStatus(entityIdentifier)).toBe(200);
    const { body: entity } = await api.auditor.get(`/api/v1/entities/${approved.body.entityId}`);
    expect(entity).toMatchObject({ state: 'active', stateReason: 'looked at it', entityIdentifier });
  });

  it.each([
    ['no configuration', 'configuration_retrieved', { status: 503 }, 'keys failed server_unavailable'],
    ['a configuration that is no JWT', 'configuration_valid', { body: 'x' }, 'keys failed jwt_malformed'],
  ])('F04 keeps what failed and what to mend: %s', async (_what, _check, override, outcome) => {
    await using partner = await serveFederation({ rp: relyingParty(authority) });
    partner.override(partner.configurationUrl('rp'), override);
    const entityIdentifier = partner.federation.id('rp');
    const body = { organisationId: organisation.id, entityIdentifier };
    const answer = await api.registrar.post('/api/v1/enrolments', body);
    expect(answer.body).toMatchObject({ state: 'checks_failed', entityId: null });
    expect(outcomes(answer.body)).toContain(outcome);
    expect(outcomes(answer.body)).toContain('metadata_policy skipped');
    expect(refusalOf(await approve(`/api/v1/enrolments/${answer.body.id}`, answer.etag))).toBe(
      '409 illegal_transition',
    );
    partner.restore(partner.configurationUrl('rp'));
    const again = await api.registrar.post(`/api/v1/enrolments/${answer.body.id}/steps/keys/run`);
    expect(again.body).toMatchObject({ state: 'pending_approval', version: 2 });
    expect(stepOf(again.body, 'keys')).toMatchObject({ outcome: 'passed', attempts: 2 });
    expect(stepOf(again.body, 'identity').attempts).toBe(1);
  });

  it('F04 finds that nobody hinted at us, and metadata that the policy forbids', async () => {
    await using partner = await serveFederation({
      rp: { ...relyingParty(authority), superiors: ['https://x.example'] },
    });
    const metadataPolicy = { openid_relying_party: { contacts: { essential: true } } };
    const body = { organisationId: organisation.id, entityIdentifier: partner.federation.id('rp'), metadataPolicy };
    const answer = await api.registrar.post('/api/v1/enrolments', body);
    expect(outcomes(answer.body)).toEqual(
      expect.arrayContaining([
        'configuration failed authority_hints_invalid',
        'metadata_policy failed policy_essential_missing',
      ]),
    );
  });

  it('F04 refuses approval by whoever submitted', async () => {
    const both = await api.client(['registrar', 'approver']);
    await using enrolment = await submitted(both, authority, organisation);
    const { answer, path, entityIdentifier } = enrolment;
    expect(refusalOf(await approve(path, answer.etag, both))).toBe('403 four_eyes');
    expect(await fetchStatus(entityIdentifier)).toBe(404);
    expect((await approve(path, answer.etag)).status).toBe(200);
  });

  it('F04 refuses approval by whoever changed what is asked', async () => {
    const both = await api.client(['registrar', 'approver']);
    await using enrolment = await submitted(api.registrar, authority, organisation);
    const { answer, path } = enrolment;
    const changed = await both.patch(path, { terms: null }, { 'if-match': answer.etag });
    expect(refusalOf(await approve(path, changed.etag, both))).toBe('403 four_eyes');
    expect((await approve(path, changed.etag)).status).toBe(200);
  });

  it('F04 refuses approval by whoever changed the record of the entity, also if others did so later', async () => {
    const both = await api.client(['registrar', 'approver']);
    await using enrolment = await submitted(api.registrar, authority, organisation);
    const record = `/api/v1/entities/${enrolment.answer.body.entityId}`;
    const metadata = { openid_relying_party: { client_name: 'Trusted' } };
    for (const [client, name] of [
      [both, 'One'],
      [api.registrar, 'Other'],
    ] as const) {
      const { etag } = await client.get(record);
      expect((await client.patch(record, { metadata, name }, { 'if-match': etag })).status).toBe(200);
    }
    await both.post(`${enrolment.path}/run`);
    const { etag } = await both.get(enrolment.path);
    expect(refusalOf(await approve(enrolment.path, etag, both))).toBe('403 four_eyes');
    expect((await approve(enrolment.path, etag)).status).toBe(200);
  });

  it('F04 refuses approval by whoever changed what is asked before somebody else did', async () => {
    const both = await api.client(['registrar', 'approver']);
    await using enrolment = await submitted(api.registrar, authority, organisation);
    let { etag } = enrolment.answer;
    for (const client of [both, api.registrar]) {
      ({ etag } = await client.patch(enrolment.path, { terms: null }, { 'if-match': etag }));
    }
    expect(refusalOf(await approve(enrolment.path, etag, both))).toBe('403 four_eyes');
    expect((await approve(enrolment.path, etag)).status).toBe(200);
  });

  it('F04 asks as many people as the authority says, each once', async () => {
    const strict = await service.authority({ enrolmentFlow: flowWith([], { count: 2 }) });
    await using enrolment = await submitted(api.registrar, strict, await service.organisation(strict));
    const { answer, path, entityIdentifier } = enrolment;
    expect(answer.body.approvalsNeeded).toBe(2);
    for (const _ of [1, 2]) {
      const once = await approve(path, answer.etag);
      expect([once.status, once.body.state, once.body.approvals.length]).toEqual([200, 'pending_approval', 1]);
    }
    expect(await fetchStatus(entityIdentifier, strict)).toBe(404);
    const twice = await approve(path, answer.etag, second);
    expect([twice.body.state, twice.body.approvals.length]).toEqual(['approved', 2]);
    expect(await fetchStatus(entityIdentifier, strict)).toBe(200);
  });

  it('F04 asks two people for an Intermediate where the authority says so', async () => {
    const strict = await service.authority({ enrolmentFlow: flowWith([], { intermediates: 2 }) });
    await using partner = await serveFederation({
      between: { superiors: [strict.entityIdentifier] },
      leaf: { superiors: ['between'] },
      rp: relyingParty(strict),
    });
    const { id: organisationId } = await service.organisation(strict);
    const needed = async (name: string) => {
      const entityIdentifier = partner.federation.id(name);
      const { body } = await api.registrar.post('/api/v1/enrolments', { organisationId, entityIdentifier });
      return body.approvalsNeeded;
    };
    expect([await needed('between'), await needed('rp')]).toEqual([2, 1]);
  });
});

describe('409', () => {
  it('approves no evidence that changed, and forgets the approvals of the old one', async () => {
    const strict = await service.authority({ enrolmentFlow: flowWith([], { count: 2 }) });
    await using enrolment = await submitted(api.registrar, strict, await service.organisation(strict));
    const { answer, path, partner } = enrolment;
    await approve(path, answer.etag);
    partner.federation.entity('rp').metadata['openid_provider'] = { issuer: partner.federation.id('rp') };
    const refused = await approve(path, answer.etag, second);
    expect(refusalOf(refused)).toBe('409 evidence_changed');
    const { body, etag } = await api.auditor.get(path);
    expect([body.version, body.state, body.approvals]).toEqual([2, 'pending_approval', []]);
    expect(refused.body.version).toBe(2);
    expect((await approve(path, etag)).body.approvals).toHaveLength(1);
    expect((await approve(path, etag, second)).body.state).toBe('approved');
  });

  it('approves nothing whose steps fail now', async () => {
    await using enrolment = await submitted(api.registrar, authority, organisation);
    const { answer, path, partner } = enrolment;
    partner.override(partner.configurationUrl('rp'), { status: 503 });
    expect(refusalOf(await approve(path, answer.etag))).toBe('409 checks_failed');
    const { body } = await api.auditor.get(path);
    expect(body.state).toBe('checks_failed');
    partner.restore(partner.configurationUrl('rp'));
    const { etag } = await api.approver.post(`${path}/run`);
    expect((await approve(path, etag)).body.state).toBe('approved');
  });

  it('takes one of two enrolments of the same entity', async () => {
    await using enrolment = await submitted(api.registrar, authority, organisation);
    const { entityIdentifier } = enrolment;
    const { body } = await api.registrar.post('/api/v1/enrolments', {
      organisationId: organisation.id,
      entityIdentifier,
    });
    expect(body.state).toBe('checks_failed');
    expect(outcomes(body)).toContain('configuration failed entity_exists');
  });

  it('approves an entity that is being enrolled by its enrolment alone', async () => {
    await using enrolment = await submitted(api.registrar, authority, organisation);
    const { answer } = enrolment;
    const path = `/api/v1/entities/${answer.body.entityId}`;
    const refused = await approve(path, '"1"');
    expect(refusalOf(refused)).toBe('409 enrolment_required');
    expect(refused.body.enrolment).toBe(answer.body.id);
  });

  it('lets nobody in beside the flow of an authority that has one', async () => {
    const strict = await service.authority({ enrolmentFlow: flowWith([]) });
    const { id: organisationId } = await service.organisation(strict);
    await using partner = await serveFederation({ rp: relyingParty(strict) });
    const entityIdentifier = partner.federation.id('rp');
    const { body, etag } = await api.registrar.post('/api/v1/entities', { organisationId, entityIdentifier });
    expect(refusalOf(await approve(`/api/v1/entities/${body.id}`, etag))).toBe('409 enrolment_required');
  });
});

describe('the short way', () => {
  it('keeps whoever added an entity from approving it where the authority says so', async () => {
    const strict = await service.authority({ fourEyes: 'on' });
    const { id: organisationId } = await service.organisation(strict);
    await using partner = await serveFederation({ rp: relyingParty(strict) });
    const both = await api.client(['registrar', 'approver']);
    const entityIdentifier = partner.federation.id('rp');
    const { body, etag } = await both.post('/api/v1/entities', { organisationId, entityIdentifier });
    const path = `/api/v1/entities/${body.id}`;
    expect(refusalOf(await approve(path, etag, both))).toBe('403 four_eyes');
    expect((await approve(path, etag)).status).toBe(200);
  });
});

describe('the short way where the authority asks for four eyes', () => {
  it('keeps whoever changed an entity from approving it', async () => {
    const strict = await service.authority({ fourEyes: 'on' });
    const { id: organisationId } = await service.organisation(strict);
    await using partner = await serveFederation({ rp: relyingParty(strict) });
    const both = await api.client(['registrar', 'approver']);
    const entityIdentifier = partner.federation.id('rp');
    const added = await api.registrar.post('/api/v1/entities', { organisationId, entityIdentifier });
    const path = `/api/v1/entities/${added.body.id}`;
    const metadata = { openid_relying_party: { client_name: 'Trusted' } };
    expect((await both.patch(path, { metadata }, { 'if-match': added.etag })).status).toBe(200);
    await both.post(`${path}/checks`);
    const { etag } = await both.get(path);
    expect(refusalOf(await approve(path, etag, both))).toBe('403 four_eyes');
    expect((await approve(path, etag)).status).toBe(200);
  });
});

describe('the end of an enrolment', () => {
  it.each([
    ['reject', 'rejected'],
    ['cancel', 'cancelled'],
  ])('%s closes it with its pending record, and the name is free again', async (action, state) => {
    await using enrolment = await submitted(api.registrar, authority, organisation);
    const { answer, path, entityIdentifier } = enrolment;
    const client = action === 'reject' ? api.approver : api.registrar;
    const { body } = await client.post(`${path}/${action}`, { reason: 'no more' });
    expect(body).toMatchObject({ state, stateReason: 'no more', allowedActions: [] });
    const { body: entity } = await api.auditor.get(`/api/v1/entities/${answer.body.entityId}`);
    expect(entity.state).toBe('rejected');
    const anew = await api.registrar.post('/api/v1/enrolments', { organisationId: organisation.id, entityIdentifier });
    expect(anew.body.state).toBe('pending_approval');
    expect(refusalOf(await api.registrar.post(`${path}/run`))).toBe('409 illegal_transition');
  });
});

describe('a draft', () => {
  it('runs nothing until it is submitted', async () => {
    await using enrolment = await submitted(api.registrar, authority, organisation, { draft: true, name: 'Portal' });
    const { answer, path, partner } = enrolment;
    expect(answer.body).toMatchObject({ state: 'draft', steps: [], allowedActions: ['update', 'submit', 'cancel'] });
    expect(partner.requests).toEqual([]);
    const { body, etag } = await api.registrar.patch(path, { name: 'Customer portal' }, { 'if-match': answer.etag });
    expect([body.name, body.steps]).toEqual(['Customer portal', []]);
    const { body: ready } = await api.registrar.post(`${path}/submit`);
    expect(ready).toMatchObject({ state: 'pending_approval', name: 'Customer portal' });
    expect(etag).toBe('"2"');
  });
});

describe('repeated requests', () => {
  it('make one enrolment, also at once', async () => {
    await using partner = await serveFederation({ rp: relyingParty(authority) });
    const body = { organisationId: organisation.id, entityIdentifier: partner.federation.id('rp') };
    const ask = () => api.registrar.post('/api/v1/enrolments', body, { 'idempotency-key': 'once' });
    const answers = await Promise.all([ask(), ask()]);
    const ids = new Set([...answers, await ask()].map(({ status, body: { id } }) => `${status} ${id}`));
    expect(ids.size).toBe(1);
  });
});

describe('the audit', () => {
  it('names each act with who did it', async () => {
    const seq = await service.seq();
    await using enrolment = await submitted(api.registrar, authority, organisation);
    await approve(enrolment.path, enrolment.answer.etag);
    const rows = await service.auditAfter(seq);
    expect(rows.map(({ action }) => action)).toEqual([
      ...['enrolment.submit', 'entity.add', 'enrolment.approve', 'entity.approve', 'enrolment.complete'],
    ]);
    expect(rows[0]?.after).toMatchObject({ state: 'pending_approval', submittedVia: 'token' });
  });
});
