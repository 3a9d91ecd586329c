import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const authority = await api.service.authority();

async function path(state: 'pending' | 'active' | 'suspended' = 'pending'): Promise<string> {
  return `/api/v1/organisations/${(await api.service.organisation(authority, state)).id}`;
}

describe('200', () => {
  it('goes through its states, each with a reason', async () => {
    const where = await path();
    const approved = await api.approver.post(`${where}/approve`, { reason: 'contract signed' }, { 'if-match': '"1"' });
    expect(approved.body).toMatchObject({
      state: 'active',
      stateReason: 'contract signed',
      allowedTransitions: ['suspend', 'withdraw', 'revoke'],
    });
    const states: string[] = [];
    for (const transition of ['suspend', 'reinstate', 'revoke']) {
      const { body, etag } = await api.approver.post(`${where}/${transition}`, { reason: `to ${transition}\nit` });
      states.push(body.state);
      expect(etag).toBe(`"${body.version}"`);
    }
    expect(states).toEqual(['suspended', 'active', 'revoked']);
  });
});

describe('400', () => {
  it.each([
    ['no reason', {}, '/reason'],
    ['a blank reason', { reason: ' \n ' }, '/reason'],
    ['an endless reason', { reason: 'a'.repeat(2001) }, '/reason'],
    ['a reason with control characters', { reason: 'a\u001b[31m' }, '/reason'],
  ])('refuses %s', async (_what, body, pointer) => {
    expect(refusalOf(await api.approver.post(`${await path('active')}/suspend`, body))).toBe(
      `400 validation_failed ${pointer}`,
    );
  });
});

describe('403', () => {
  it('is for admins and approvers', async () => {
    for (const client of [api.registrar, api.auditor]) {
      const answer = await client.post(`${await path()}/approve`, { reason: 'x' }, { 'if-match': '"1"' });
      expect(refusalOf(answer)).toBe('403 role_missing');
    }
  });
});

describe('404', () => {
  it('knows no such organisation and no such transition', async () => {
    const where = '/api/v1/organisations';
    expect(refusalOf(await api.approver.post(`${where}/${NO_SUCH_ID}/suspend`, { reason: 'x' }))).toBe('404 not_found');
    expect(refusalOf(await api.approver.post(`${await path()}/delete`, { reason: 'x' }))).toBe('404 not_found');
  });
});

describe('409', () => {
  it('names what is allowed', async () => {
    const answer = await api.approver.post(`${await path('suspended')}/suspend`, { reason: 'x' });
    expect(refusalOf(answer)).toBe('409 illegal_transition');
    expect(answer.body).toMatchObject({ from: 'suspended', allowed: ['reinstate', 'withdraw', 'revoke'] });
  });

  it('lets one of two approvals at once win', async () => {
    const where = await path();
    const atOnce = await Promise.all(
      [1, 2].map(() => api.approver.post(`${where}/approve`, { reason: 'x' }, { 'if-match': '"1"' })),
    );
    expect(atOnce.map(({ status }) => status).sort()).toEqual([200, 409]);
  });
});

describe('412', () => {
  it('refuses what was decided on another version', async () => {
    const answer = await api.approver.post(`${await path()}/approve`, { reason: 'x' }, { 'if-match': '"7"' });
    expect(refusalOf(answer)).toBe('412 version_mismatch');
    const suspension = await api.approver.post(
      `${await path('active')}/suspend`,
      { reason: 'x' },
      { 'if-match': '"1"' },
    );
    expect(refusalOf(suspension)).toBe('412 version_mismatch');
  });
});

describe('428', () => {
  it('approves only what was looked at', async () => {
    const where = `${await path()}/approve`;
    expect(refusalOf(await api.approver.post(where, { reason: 'x' }))).toBe('428 version_required');
    const any = await api.approver.post(where, { reason: 'x' }, { 'if-match': '*' });
    expect(refusalOf(any)).toBe('428 version_required');
  });
});
