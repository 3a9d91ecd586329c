import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const { service } = api;
const authority = await service.authority();
const organisation = await service.organisation(authority);

const REASON = { reason: 'incident 7' };

describe('200', () => {
  it('suspends at once on every surface, and reinstates', async () => {
    const entity = await service.entity(organisation);
    const path = `/api/v1/entities/${entity.id}`;
    const fetched = async () => (await service.ask(authority, 'fetch', { sub: entity.entityIdentifier })).status;
    expect(await fetched()).toBe(200);
    expect((await api.approver.post(`${path}/suspend`, REASON)).body).toMatchObject({
      state: 'suspended',
      stateReason: 'incident 7',
      allowedTransitions: ['reinstate', 'withdraw', 'revoke'],
    });
    expect(await fetched()).toBe(404);
    expect((await api.admin.post(`${path}/reinstate`, REASON)).body.state).toBe('active');
    expect(await fetched()).toBe(200);
  });

  it.each([
    ['reject', 'pending', 'rejected'],
    ['withdraw', 'active', 'withdrawn'],
    ['revoke', 'suspended', 'revoked'],
  ] as const)('can %s what is %s', async (transition, from, to) => {
    const { id, version } = await service.entity(organisation, {}, from);
    const path = `/api/v1/entities/${id}/${transition}`;
    const { status, body } = await api.approver.post(path, REASON, { 'if-match': `"${version}"` });
    expect([status, body.state, body.allowedTransitions]).toEqual([200, to, []]);
  });
});

describe('400', () => {
  it('wants a reason', async () => {
    const { id } = await service.entity(organisation);
    expect(refusalOf(await api.approver.post(`/api/v1/entities/${id}/suspend`, {}))).toBe(
      '400 validation_failed /reason',
    );
  });
});

describe('403', () => {
  it('is for admins and approvers', async () => {
    const { id } = await service.entity(organisation);
    for (const client of [api.registrar, api.auditor]) {
      expect(refusalOf(await client.post(`/api/v1/entities/${id}/suspend`, REASON))).toBe('403 role_missing');
    }
  });
});

describe('409', () => {
  it('names what is allowed', async () => {
    const { id } = await service.entity(organisation, {}, 'withdrawn');
    const answer = await api.approver.post(`/api/v1/entities/${id}/reinstate`, REASON);
    expect(refusalOf(answer)).toBe('409 illegal_transition');
    expect(answer.body).toMatchObject({ from: 'withdrawn', allowed: [] });
  });
});

describe('412', () => {
  it('refuses a decision on another version', async () => {
    const { id } = await service.entity(organisation);
    const answer = await api.approver.post(`/api/v1/entities/${id}/revoke`, REASON, { 'if-match': '"1"' });
    expect(refusalOf(answer)).toBe('412 version_mismatch');
  });
});
