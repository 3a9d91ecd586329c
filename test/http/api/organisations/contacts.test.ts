import { afterAll, describe, expect, it } from 'vitest';
import { type ApiAnswer, refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const authority = await api.service.authority();

/** Path of the contacts of a new organisation, and its one contact. */
async function place(state: 'pending' | 'active' = 'active'): Promise<{ where: string; contact: ApiAnswer }> {
  const { id, contacts } = await api.service.organisation(authority, state);
  const where = `/api/v1/organisations/${id}/contacts`;
  return { where, contact: await api.auditor.get(`${where}/${contacts[0]?.id}`) };
}

/** The test's own ids are of another time than those of the service. */
const byType = (a: { type: string }, b: { type: string }) => a.type.localeCompare(b.type);

const FINGERPRINT = '0123456789ABCDEF0123456789ABCDEF01234567';

describe('200', () => {
  it('lists, adds, changes, confirms and removes', async () => {
    const { where, contact } = await place();
    const fields = { type: 'security', email: 'cert@bank.example', name: 'CERT', pgpFingerprint: FINGERPRINT };
    const added = await api.registrar.post(where, fields);
    const at = `${where}/${added.body.id}`;
    expect([added.status, added.headers.get('location'), added.etag]).toEqual([201, at, '"1"']);
    expect(added.body).toMatchObject({ ...fields, verifiedAt: null, lastConfirmedAt: null });
    const listed = (await api.auditor.get(where)).body.items;
    expect(listed.toSorted(byType)).toEqual([contact.body, added.body]);
    expect((await api.auditor.get(`${where}?type=security`)).body).toEqual({ items: [added.body] });
    const changed = await api.registrar.patch(at, { name: null }, { 'if-match': added.etag });
    expect(changed.body).toEqual({ ...added.body, name: null, version: 2 });
    const reason = { reason: 'called back' };
    const confirmed = await api.registrar.post(`${at}/confirm`, reason, { 'if-match': changed.etag });
    expect(confirmed.body.lastConfirmedAt).toBe(confirmed.body.verifiedAt);
    expect(confirmed.body.verifiedAt).not.toBeNull();
    const removed = await api.registrar.delete(at, { 'if-match': confirmed.etag });
    expect([removed.status, (await api.auditor.get(at)).status]).toEqual([204, 404]);
  });

  it('shows them in their organisation, whose ETag follows', async () => {
    const { where } = await place();
    const organisation = where.replace('/contacts', '');
    const before = await api.auditor.get(organisation);
    const { body } = await api.registrar.post(where, { type: 'billing', email: 'pay@bank.example' });
    const after = await api.auditor.get(organisation);
    expect(after.body.contacts.toSorted(byType)).toEqual([body, ...before.body.contacts]);
    expect(after.etag).not.toBe(before.etag);
  });

  it('shows the domain of an address in mixed scripts as such', async () => {
    const { where } = await place();
    const { hostname } = new URL('https://b\u0430nk.example');
    const { body } = await api.registrar.post(where, { type: 'billing', email: `pay@${hostname}` });
    const shown = { unicode: 'b\u0430nk.example', scripts: ['Latin', 'Cyrillic'], isMixed: true };
    expect(body.internationalDomain).toEqual(shown);
  });

  it('replays with an Idempotency-Key', async () => {
    const { where } = await place();
    const key = { 'idempotency-key': 'contact' };
    const first = await api.registrar.post(where, { type: 'billing', email: 'pay@bank.example' }, key);
    const again = await api.registrar.post(where, { email: 'pay@bank.example', type: 'billing' }, key);
    expect(again.body).toEqual(first.body);
    const other = await api.registrar.post(where, { type: 'billing', email: 'else@bank.example' }, key);
    expect(refusalOf(other)).toBe('422 idempotency_key_reused');
  });
});

describe('400', () => {
  it.each([
    ['no address', { type: 'billing' }, '/email'],
    ['what is no address', { type: 'billing', email: 'pay' }, '/email'],
    ['a header in an address', { type: 'billing', email: 'pay@bank.example\r\nbcc: x@y.example' }, '/email'],
    ['an address in two scripts', { type: 'billing', email: 'pay@b\u0430nk.example' }, '/email'],
    ['a header in a name', { type: 'billing', email: 'p@b.example', name: 'x\r\nbcc: y' }, '/name'],
    ['a name that turns the text', { type: 'billing', email: 'p@b.example', name: 'a\u202eb' }, '/name'],
    ['a name with what nobody sees', { type: 'billing', email: 'p@b.example', name: 'a\u200bb' }, '/name'],
    ['an unknown type', { type: 'boss', email: 'p@b.example' }, '/type'],
    ['half a fingerprint', { type: 'billing', email: 'p@b.example', pgpFingerprint: 'ABCD' }, '/pgpFingerprint'],
    ['a confirmation of the caller', { type: 'billing', email: 'p@b.example', verifiedAt: null }, '/verifiedAt'],
  ])('refuses %s', async (_what, body, pointer) => {
    const { where, contact } = await place();
    expect(refusalOf(await api.registrar.post(where, body))).toBe(`400 validation_failed ${pointer}`);
    const changes = await api.registrar.patch(`${where}/${contact.body.id}`, body, { 'if-match': contact.etag });
    if (pointer !== '/email' || 'email' in body) {
      expect(refusalOf(changes)).toBe(`400 validation_failed ${pointer}`);
    }
  });
});

describe('403', () => {
  it('is for admins and registrars', async () => {
    const { where, contact } = await place();
    const at = `${where}/${contact.body.id}`;
    for (const client of [api.approver, api.auditor]) {
      const answers = [
        await client.post(where, { type: 'billing', email: 'pay@bank.example' }),
        await client.patch(at, { name: 'x' }, { 'if-match': '*' }),
        await client.post(`${at}/confirm`, { reason: 'x' }, { 'if-match': '*' }),
        await client.delete(at, { 'if-match': '*' }),
      ];
      expect(answers.map(refusalOf)).toEqual(Array(4).fill('403 role_missing'));
    }
  });
});

describe('404', () => {
  it('knows no such contact and no such organisation', async () => {
    const { where } = await place();
    expect(refusalOf(await api.auditor.get(`${where}/${NO_SUCH_ID}`))).toBe('404 not_found');
    const nowhere = `/api/v1/organisations/${NO_SUCH_ID}/contacts`;
    expect(refusalOf(await api.auditor.get(nowhere))).toBe('404 not_found');
    const added = await api.registrar.post(nowhere, { type: 'billing', email: 'pay@bank.example' });
    expect(refusalOf(added)).toBe('404 not_found');
  });
});

describe('412 and 428', () => {
  it('change only what was seen', async () => {
    const { where, contact } = await place();
    const at = `${where}/${contact.body.id}`;
    const attempts = (headers: Record<string, string>) => [
      () => api.registrar.patch(at, { name: 'x' }, headers),
      () => api.registrar.post(`${at}/confirm`, { reason: 'x' }, headers),
      () => api.registrar.delete(at, headers),
    ];
    for (const attempt of attempts({ 'if-match': '"7"' })) {
      expect(refusalOf(await attempt())).toBe('412 version_mismatch');
    }
    for (const attempt of attempts({})) expect(refusalOf(await attempt())).toBe('428 version_required');
  });
});

describe('422', () => {
  it('keeps the incident contact of an active organisation', async () => {
    const { where, contact } = await place();
    const at = `${where}/${contact.body.id}`;
    const removal = await api.registrar.delete(at, { 'if-match': contact.etag });
    expect([refusalOf(removal), removal.body.missing]).toEqual(['422 contact_missing', ['incident']]);
    const change = await api.registrar.patch(at, { type: 'billing' }, { 'if-match': contact.etag });
    expect(refusalOf(change)).toBe('422 contact_missing');
  });

  it('makes no organisation active without one', async () => {
    const { body, etag } = await api.registrar.post('/api/v1/organisations', {
      authorityId: authority.id,
      legalName: 'Bank',
      contacts: [{ type: 'security', email: 'cert@bank.example' }],
    });
    const approval = await api.approver.post(
      `/api/v1/organisations/${body.id}/approve`,
      { reason: 'x' },
      { 'if-match': etag },
    );
    expect([refusalOf(approval), approval.body.missing]).toEqual(['422 contact_missing', ['incident']]);
  });
});
