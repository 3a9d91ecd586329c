import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/organisations';
const { id: authorityId } = await api.service.authority();

describe('201', () => {
  it('adds one that is pending', async () => {
    const contacts = [{ type: 'security', name: 'Duty engineer', email: 'duty@bank.example' }];
    const { status, headers, etag, body } = await api.registrar.post(PATH, {
      authorityId,
      legalName: 'Bank',
      contacts,
    });
    expect([status, headers.get('location'), etag]).toEqual([201, `${PATH}/${body.id}`, '"1"']);
    expect(body).toMatchObject({
      authorityId,
      legalName: 'Bank',
      contacts,
      state: 'pending',
      allowedTransitions: ['approve', 'reject'],
      stateReason: null,
    });
  });

  it('replays with an Idempotency-Key, and shows the record as it is by then', async () => {
    const key = { 'idempotency-key': 'bank' };
    const first = await api.admin.post(PATH, { authorityId, legalName: 'Bank' }, key);
    await api.approver.post(`${PATH}/${first.body.id}/reject`, { reason: 'unknown' });
    const again = await api.admin.post(PATH, { authorityId, legalName: 'Bank' }, key);
    expect([again.status, again.body.id, again.body.state]).toEqual([201, first.body.id, 'rejected']);
  });

  it("keeps one caller's keys apart from another's", async () => {
    const key = { 'idempotency-key': 'shared' };
    const one = await api.admin.post(PATH, { authorityId, legalName: 'Bank' }, key);
    const other = await api.registrar.post(PATH, { authorityId, legalName: 'Bank' }, key);
    expect(other.body.id).not.toBe(one.body.id);
  });

  it('takes any script and mark-up as what it is: text', async () => {
    const legalName = `<img src=x onerror="alert('1')">&amp; Müller 株式会社 🏦`;
    expect((await api.registrar.post(PATH, { authorityId, legalName })).body.legalName).toBe(legalName);
  });
});

describe('400', () => {
  it.each([
    ['no authority', { authorityId: undefined }, '/authorityId'],
    ['a malformed authority', { authorityId: 'x' }, '/authorityId'],
    ['a name that is too long', { legalName: 'a'.repeat(201) }, '/legalName'],
    ['a contact without address', { contacts: [{ type: 'technical' }] }, '/contacts/0/email'],
    ['a contact of an unknown type', { contacts: [{ type: 'boss', email: 'a@b.example' }] }, '/contacts/0/type'],
    [
      'an unknown field in a contact',
      { contacts: [{ type: 'billing', email: 'a@b.example', fax: '1' }] },
      '/contacts/0/fax',
    ],
    ['a state of the caller', { state: 'active' }, '/state'],
    ['half a character', { legalName: 'a\ud800' }, '/legalName'],
    ['a NUL', { legalName: 'a\0' }, '/legalName'],
  ])('refuses %s', async (_what, part, pointer) => {
    const answer = await api.registrar.post(PATH, { authorityId, legalName: 'x', ...part });
    expect(refusalOf(answer)).toBe(`400 validation_failed ${pointer}`);
  });
});

describe('403', () => {
  it('is for admins and registrars', async () => {
    for (const client of [api.approver, api.auditor]) {
      expect(refusalOf(await client.post(PATH, { authorityId, legalName: 'x' }))).toBe('403 role_missing');
    }
  });
});

describe('404', () => {
  it('knows no such authority', async () => {
    const answer = await api.registrar.post(PATH, { authorityId: NO_SUCH_ID, legalName: 'x' });
    expect(refusalOf(answer)).toBe('404 not_found');
  });
});

describe('422', () => {
  it('refuses an Idempotency-Key that came with another request', async () => {
    const key = { 'idempotency-key': 'taken' };
    await api.registrar.post(PATH, { authorityId, legalName: 'one' }, key);
    const other = await api.registrar.post(PATH, { authorityId, legalName: 'two' }, key);
    expect(refusalOf(other)).toBe('422 idempotency_key_reused');
  });
});
