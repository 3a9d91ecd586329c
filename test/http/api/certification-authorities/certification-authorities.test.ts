import { X509Certificate } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { readCertificationAuthority } from '../../../../src/registry/certification/read-certification-authority.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { pem } from '../../../support/certificates.ts';
import { testRoot } from '../../../support/certification.ts';
import { certified } from '../../../support/certification-authorities.ts';
import { actor, REASON } from '../../../support/registry.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/certification-authorities';
const { id: authorityId } = await api.service.authority();
const ROOT = testRoot();

let made = 0;

async function pending() {
  return (await api.admin.post(PATH, { authorityId, name: `CA ${++made}` })).body;
}

/** PEM of the chain that its root gives for its request. */
async function chainOf({ id, name }: { id: string; name: string }): Promise<string> {
  const { publicJwk } = await readCertificationAuthority(api.service.db, actor(), id);
  return pem(certified({ publicJwk, name }, ROOT), ROOT.der);
}

async function active() {
  const { id, name } = await pending();
  const { body } = await api.admin.post(`${PATH}/${id}/activate`, { certificate: await chainOf({ id, name }) });
  return body;
}

describe('POST', () => {
  it('201: makes one that waits; an Idempotency-Key makes it once, a name is there once', async () => {
    const input = { authorityId, name: 'Issuing CA', alg: 'ES384', validityDays: { client: 90 } };
    const key = { 'idempotency-key': 'ca' };
    const { status, headers, etag, body } = await api.admin.post(PATH, input, key);
    expect([status, headers.get('location'), etag]).toEqual([201, `${PATH}/${body.id}`, '"1"']);
    expect(body).toMatchObject({
      ...{ authorityId, name: 'Issuing CA', state: 'pending', alg: 'ES384', custody: 'sealed', certificate: null },
      ...{ validityDays: { client: 90, server: 397, signing: 397 }, overlapDays: 30, listedFor: [], notAfter: null },
    });
    expect(body.request).toMatch(
      /^-----BEGIN CERTIFICATE REQUEST-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE REQUEST-----\n$/,
    );
    expect(JSON.stringify(body)).not.toMatch(/sealed(?!")|tokenObject|PRIVATE/i);
    expect((await api.admin.post(PATH, input, key)).body).toEqual(body);
    expect((await api.auditor.get(`${PATH}/${body.id}`)).body).toEqual(body);
    expect(refusalOf(await api.admin.post(PATH, input))).toBe('409 certification_authority_exists');
  });

  it.each<[string, object, string]>([
    ['an algorithm that TLS libraries do not take', { alg: 'PS256' }, '400 validation_failed /alg'],
    ['a validity of years', { validityDays: { client: 398 } }, '400 validation_failed /validityDays/client'],
    ['a profile that there is not', { validityDays: { issuing: 1 } }, '400 validation_failed /validityDays/issuing'],
    ['a name of more than 64 characters', { name: 'n'.repeat(65) }, '400 validation_failed /name'],
    ['another scheme', { publicUrl: 'ldap://fed.example' }, '400 validation_failed /publicUrl'],
    ['an authority that there is not', { authorityId: NO_SUCH_ID }, '404 not_found'],
  ])('refuses %s', async (_, members, refusal) => {
    expect(refusalOf(await api.admin.post(PATH, { authorityId, name: 'Refused CA', ...members }))).toBe(refusal);
  });

  it('is for admins', async () => {
    for (const client of [api.registrar, api.approver, api.auditor]) {
      expect(refusalOf(await client.post(PATH, { authorityId, name: 'Refused CA' }))).toBe('403 role_missing');
    }
  });
});

describe('POST …/activate', () => {
  it('200: gives it its certificate; what is wrong with another is said by `reason`', async () => {
    const { id, name } = await pending();
    const chain = await chainOf({ id, name });
    const [own = '', root = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);
    const activate = (certificate: string, headers = {}) =>
      api.admin.post(`${PATH}/${id}/activate`, { certificate }, headers);
    const upsideDown = await activate(root + own);
    expect([refusalOf(upsideDown), upsideDown.body.reason]).toEqual([
      '400 validation_failed /certificate',
      'chain_broken',
    ]);
    expect(refusalOf(await activate(chain, { 'if-match': '"7"' }))).toBe('412 version_mismatch');
    const { status, etag, body } = await activate(chain, { 'if-match': '"1"' });
    expect([status, etag, body.state, body.certificate]).toEqual([200, '"2"', 'active', chain]);
    expect(body).toMatchObject({ subject: `CN=${name}`, notAfter: '2036-01-01T00:00:00.000Z' });
    expect(body.urls).toEqual({
      certificate: `${body.publicUrl}/ca/${id}/certificate`,
      chain: `${body.publicUrl}/ca/${id}/chain.pem`,
      revocationList: `${body.publicUrl}/ca/${id}/crl`,
      ocsp: `${body.publicUrl}/ca/${id}/ocsp`,
    });
  });
});

describe('GET', () => {
  it('lists those of an authority, by state, in pages', async () => {
    const other = await api.service.authority();
    const { body: first } = await api.admin.post(PATH, { authorityId: other.id, name: 'First' });
    const { body: second } = await api.admin.post(PATH, { authorityId: other.id, name: 'Second' });
    const list = async (query: string) => (await api.auditor.get(`${PATH}?authorityId=${other.id}${query}`)).body;
    const { items, next } = await list('&limit=1');
    expect(items).toEqual([first]);
    expect((await list(`&limit=1&cursor=${next}`)).items).toEqual([second]);
    expect((await list('&state=active')).items).toEqual([]);
  });
});

describe('PATCH', () => {
  it('200: changes what it gives, of the version that was seen', async () => {
    const { id } = await pending();
    const update = (body: object, headers = {}) => api.admin.patch(`${PATH}/${id}`, body, headers);
    expect(refusalOf(await update({ overlapDays: 7 }))).toBe('428 version_required');
    expect(refusalOf(await update({}, { 'if-match': '"1"' }))).toBe('400 validation_failed ');
    const { status, etag, body } = await update({ overlapDays: 7 }, { 'if-match': '"1"' });
    expect([status, etag, body.overlapDays]).toEqual([200, '"2"', 7]);
  });
});

describe('POST …/retire', () => {
  it('200: for good', async () => {
    const { id } = await active();
    const retire = () => api.admin.post(`${PATH}/${id}/retire`, { reason: REASON });
    expect((await retire()).body).toMatchObject({ state: 'retired', certificate: expect.stringContaining('BEGIN') });
    expect(refusalOf(await retire())).toBe('409 illegal_transition');
  });
});

describe('what is published of a certification authority', () => {
  it('is its certificate as DER and the chain as PEM, for everybody, also when it is retired', async () => {
    const { id, certificate } = await active();
    await api.admin.post(`${PATH}/${id}/retire`, { reason: REASON });
    const der = await api.service.app.fetch(new Request(`http://localhost/ca/${id}/certificate`));
    expect([der.status, der.headers.get('content-type')]).toEqual([200, 'application/pkix-cert']);
    const [own = ''] = certificate.split(/(?<=-----END CERTIFICATE-----\n)/);
    expect(new X509Certificate(new Uint8Array(await der.arrayBuffer())).toString()).toBe(own);
    const chain = await api.service.app.fetch(new Request(`http://localhost/ca/${id}/chain.pem`));
    expect(chain.headers.get('content-type')).toBe('application/pem-certificate-chain');
    expect(await chain.text()).toBe(certificate);
    const headers = { 'if-none-match': chain.headers.get('etag') ?? '' };
    const same = await api.service.app.fetch(new Request(`http://localhost/ca/${id}/chain.pem`, { headers }));
    expect([same.status, same.headers.get('cache-control')]).toEqual([304, 'public, max-age=3600']);
  });

  it('is nothing before it has a certificate, and of what there is not', async () => {
    const { id } = await pending();
    for (const path of [`/ca/${id}/certificate`, `/ca/${NO_SUCH_ID}/chain.pem`, '/ca/x/certificate']) {
      expect(refusalOf(await api.anonymous.get(path))).toBe('404 not_found');
    }
    expect(refusalOf(await api.anonymous.post(`/ca/${id}/certificate`, {}))).toBe('405 method_not_allowed');
  });
});
