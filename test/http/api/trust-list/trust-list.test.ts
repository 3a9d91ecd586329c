import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { below, leafOf, root } from '../../../support/certificate-paths.ts';
import { certificate, distinguishedName, ecKey, pem } from '../../../support/certificates.ts';
import { testPoint } from '../../../support/evidence.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/trust-list';
const { id: authorityId } = await api.service.authority();
const ROOT = root();

const newEntry = (certificate = root().der) => ({ authorityId, purpose: 'transport', certificate: pem(certificate) });

describe('POST', () => {
  it('201: puts an authority on the list; an Idempotency-Key makes it once', async () => {
    const input = { ...newEntry(), name: 'Example CA' };
    const key = { 'idempotency-key': 'list' };
    const { status, headers, etag, body } = await api.admin.post(PATH, input, key);
    expect([status, headers.get('location'), etag]).toEqual([201, `${PATH}/${body.id}`, '"1"']);
    expect(body).toMatchObject({ ...input, subject: 'O=Root', notAfter: '2036-01-01T00:00:00.000Z' });
    expect((await api.admin.post(PATH, input, key)).body).toEqual(body);
    expect((await api.auditor.get(`${PATH}/${body.id}`)).body).toEqual(body);
    expect(refusalOf(await api.admin.post(PATH, input))).toBe('409 trust_list_entry_exists');
  });

  it('refuses others, with what is wrong', async () => {
    const leaf = await api.admin.post(PATH, newEntry(leafOf(ROOT)));
    expect([refusalOf(leaf), leaf.body.reason]).toEqual(['400 validation_failed /certificate', 'usage_unsuitable']);
    expect(refusalOf(await api.admin.post(PATH, { ...newEntry(), purpose: 'encryption' }))).toBe(
      '400 validation_failed /purpose',
    );
    expect(refusalOf(await api.admin.post(PATH, { ...newEntry(), authorityId: NO_SUCH_ID }))).toBe('404 not_found');
    for (const client of [api.registrar, api.approver, api.auditor]) {
      expect(refusalOf(await client.post(PATH, newEntry()))).toBe('403 role_missing');
    }
  });
});

describe('[F21] a listed purpose', () => {
  it('refuses at the API what has no path, and says so before: 422 chain_untrusted', async () => {
    const authority = await api.service.authority();
    const ofAuthority = `/api/v1/authorities/${authority.id}`;
    const entity = await api.service.entity(await api.service.organisation(authority));
    const add = (...chain: Uint8Array[]) =>
      api.registrar.post(`/api/v1/entities/${entity.id}/credentials`, {
        usage: 'transport',
        certificate: pem(...chain),
      });
    const stranger = await add(leafOf(root(), { key: ecKey() }));
    expect([stranger.status, stranger.body.path]).toEqual([201, null]);

    const { body: entry } = await api.admin.post(PATH, { ...newEntry(ROOT.der), authorityId: authority.id });
    const { body: before } = await api.auditor.get(`${PATH}?authorityId=${authority.id}&purpose=transport`);
    const { id: coveredId } = authority;
    expect(before).toEqual({
      items: [entry],
      coverage: [{ authorityId: coveredId, purpose: 'transport', isListed: false, live: 1, withoutPath: 1 }],
    });
    const listing = { listedPurposes: ['transport'] };
    const { body: changed } = await api.admin.patch(ofAuthority, listing, { 'if-match': '*' });
    expect(changed).toMatchObject(listing);

    const ca = below(ROOT);
    const refused = await add(leafOf(ca, { key: ecKey() }));
    expect([refusalOf(refused), refused.body.reason]).toEqual(['422 chain_untrusted', 'chain_untrusted']);
    expect(refused.body.certificate).toMatchObject({ from: 'leaf', issuer: 'O=Intermediate' });
    expect(refused.body.detail).toMatch(
      /^no path to the trust list: the certificate is issued by an authority that is/,
    );
    const leaf = leafOf(ca, { key: ecKey() });
    const made = await add(leaf, ca.der);
    expect([made.status, made.body.path]).toEqual([
      201,
      { anchor: entry.x5tS256, notAfter: '2036-01-01T00:00:00.000Z' },
    ]);
    const { body: old } = await api.auditor.get(`/api/v1/credentials/${stranger.body.id}`);
    expect([old.isLive, old.refusal]).toEqual([false, 'chain_untrusted']);

    const { token } = await testPoint(api.service, authority);
    const headers = { 'holdfast-enforcement-point': token };
    const admission = async () =>
      (await api.anonymous.post('/api/v1/admission', { certificate: pem(leaf) }, headers)).body.reasons;
    expect(await admission()).toEqual([]);
    expect((await api.admin.delete(`${PATH}/${entry.id}`)).status).toBe(204);
    expect(await admission()).toEqual(['chain_untrusted']);
    expect(refusalOf(await api.auditor.get(`${PATH}/${entry.id}`))).toBe('404 not_found');
    expect((await api.auditor.get(`/api/v1/credentials/${made.body.id}`)).body.refusal).toBe('chain_untrusted');
  });

  it('or none: a certificate of another organisation is refused, 422 subject_mismatch', async () => {
    const organisation = await api.service.organisation(await api.service.authority());
    const registration = { number: '05123456', register: 'Companies House', country: 'GB' };
    const path = `/api/v1/organisations/${organisation.id}`;
    expect((await api.admin.patch(path, { registration }, { 'if-match': '*' })).status).toBe(200);
    const { id } = await api.service.entity(organisation);
    const add = (identifier: string) => {
      const subject = distinguishedName({ '2.5.4.97': identifier });
      const body = { usage: 'transport', certificate: pem(certificate({ subject })) };
      return api.registrar.post(`/api/v1/entities/${id}/credentials`, body);
    };
    const refused = await add('NTRGB-05123457');
    expect(refusalOf(refused)).toBe('422 subject_mismatch');
    expect(refused.body.detail).not.toContain('05123456');
    expect((await add('NTRGB-0512 3456')).status).toBe(201);
  });
});
