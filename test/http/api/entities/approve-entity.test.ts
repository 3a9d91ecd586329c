import { afterAll, describe, expect, it } from 'vitest';
import type { ApiAnswer } from '../../../support/api-client.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { publishRelyingParty, startApi } from '../../../support/api-service.ts';
import type { FederationServer } from '../../../support/federation-server.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const { service } = api;
const authority = await service.authority();
const organisation = await service.organisation(authority);

/** A pending entity whose configuration is still as it was when it was checked. */
async function pending(organisationId = organisation.id): Promise<{ path: string; partner: FederationServer }> {
  const partner = await publishRelyingParty(authority);
  const entityIdentifier = partner.federation.id('rp');
  const { body } = await api.registrar.post('/api/v1/entities', { organisationId, entityIdentifier });
  return { path: `/api/v1/entities/${body.id}`, partner };
}

function approve(path: string, tag = '"1"', client = api.approver): Promise<ApiAnswer> {
  return client.post(`${path}/approve`, { reason: 'looked at it' }, { 'if-match': tag });
}

describe('200', () => {
  it('vouches for the entity from then on', async () => {
    const { path, partner } = await pending();
    await using _ = partner;
    const sub = partner.federation.id('rp');
    expect((await service.ask(authority, 'fetch', { sub })).status).toBe(404);
    const { status, etag, body } = await approve(path);
    expect([status, etag]).toEqual([200, '"2"']);
    expect(body).toMatchObject({ state: 'active', effectiveState: 'active', stateReason: 'looked at it' });
    expect((await service.ask(authority, 'fetch', { sub })).status).toBe(200);
  });
});

describe('200 of a dry run', () => {
  it('tells what the approval does, code and effects alike, and keeps nothing of what it looked at', async () => {
    const { path, partner } = await pending();
    await using _ = partner;
    const headers = { 'if-match': '"1"' };
    const decision = { reason: 'looked at it', reasonCode: 'requirements_met' };
    const seq = await service.seq();
    const tried = await api.approver.post(`${path}/approve`, { ...decision, dryRun: true }, headers);
    expect([tried.status, tried.body.seq, tried.body.state, tried.body.affected]).toEqual([200, null, 'pending', []]);
    partner.override(partner.configurationUrl('rp'), { status: 503 });
    const refused = await api.approver.post(`${path}/approve`, { ...decision, dryRun: true }, headers);
    expect([refusalOf(refused), await service.seq()]).toEqual(['409 checks_failed', seq]);
    partner.restore(partner.configurationUrl('rp'));
    const { body } = await api.approver.post(`${path}/approve`, decision, headers);
    expect(body).toMatchObject({ state: 'active', stateReasonCode: 'requirements_met', seq: await service.seq() });
  });
});

describe('403', () => {
  it('needs the role, whatever else the token may do', async () => {
    const { path, partner } = await pending();
    await using _ = partner;
    for (const client of [api.registrar, api.auditor]) {
      expect(refusalOf(await approve(path, '"1"', client))).toBe('403 role_missing');
    }
    expect((await api.auditor.get(path)).body.state).toBe('pending');
  });
});

describe('409', () => {
  it('lets one of two approvals at once win', async () => {
    const { path, partner } = await pending();
    await using _ = partner;
    const atOnce = await Promise.all([approve(path), approve(path)]);
    expect(atOnce.map(refusalOf).sort()).toEqual(['200 ', '409 illegal_transition']);
  });

  it('approves nothing that changed since it was looked at, and shows the new evidence', async () => {
    const { path, partner } = await pending();
    await using _ = partner;
    partner.federation.entity('rp').metadata['openid_provider'] = { issuer: partner.federation.id('rp') };
    const answer = await approve(path);
    expect(refusalOf(answer)).toBe('409 evidence_changed');
    const { body, etag } = await api.auditor.get(path);
    expect([body.state, answer.body.version, etag]).toEqual(['pending', 2, '"2"']);
    expect((await approve(path, etag)).status).toBe(200);
  });

  it('approves nothing whose checks fail', async () => {
    const { path, partner } = await pending();
    await using _ = partner;
    partner.override(partner.configurationUrl('rp'), { status: 503 });
    const answer = await approve(path);
    expect(refusalOf(answer)).toBe('409 checks_failed');
    expect(answer.body.failed).toContain('configuration_retrieved');
    expect((await api.auditor.get(path)).body.state).toBe('pending');
  });

  it('approves nothing under an organisation that is not active', async () => {
    const { path, partner } = await pending((await service.organisation(authority, 'pending')).id);
    await using _ = partner;
    expect(refusalOf(await approve(path))).toBe('409 organisation_not_active');
  });
});

describe('412', () => {
  it('refuses a decision on another version', async () => {
    const { path, partner } = await pending();
    await using _ = partner;
    expect(refusalOf(await approve(path, '"2"'))).toBe('412 version_mismatch');
  });
});

describe('428', () => {
  it('approves only what was looked at', async () => {
    const { path, partner } = await pending();
    await using _ = partner;
    expect(refusalOf(await api.approver.post(`${path}/approve`, { reason: 'x' }))).toBe('428 version_required');
    expect(refusalOf(await approve(path, '*'))).toBe('428 version_required');
  });
});
