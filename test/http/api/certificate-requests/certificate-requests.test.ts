/** F20: requests for certificates over HTTP. */
import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../../src/registry/entities/entity.ts';
import { createToken } from '../../../../src/registry/tokens/create-token.ts';
import { ApiClient, refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { requestPem } from '../../../support/certificate-requests.ts';
import { distinguishedName, ecKey, rsaKey } from '../../../support/certificates.ts';
import { certificationAuthority } from '../../../support/certification.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => expect(api.service.failures).toEqual([]));

const authority = await api.service.authority();
const ca = await certificationAuthority(api.service, authority);

const REQUESTS = '/api/v1/certificate-requests';
const REASON = { reason: 'looked at' };

const entityOf = async (of: Authority = authority) => await api.service.entity(await api.service.organisation(of));
const requestsOf = ({ id }: Pick<Entity, 'id'>) => `/api/v1/entities/${id}/certificate-requests`;
const ask = (entity: Pick<Entity, 'id'>, members: object = {}, client = api.registrar, headers = {}) =>
  client.post(requestsOf(entity), { request: requestPem(), profile: 'client', ...members }, headers);
async function issued(entity: Entity, members: object = {}) {
  const { body } = await ask(entity, members);
  return (await api.approver.post(`${REQUESTS}/${body.id}/approve`, REASON)).body;
}
async function memberOf({ organisationId }: Entity): Promise<ApiClient> {
  const input = { name: 'member', roles: ['technical-contact' as const], authorityIds: null };
  const { secret } = await createToken(api.service.context(), {
    ...{ ...input, organisationIds: [organisationId], lifetimeSeconds: 3600 },
  });
  return new ApiClient(api.service.app, { authorization: `Bearer ${secret}` });
}

describe('[F20] POST /entities/{id}/certificate-requests', () => {
  it('202: waits; approved it is a credential whose subject the registry says', async () => {
    const entity = await entityOf();
    const subject = distinguishedName({ CN: 'admin', O: 'Somebody Else Ltd' });
    const asked = await ask(entity, { request: requestPem({ subject }) });
    expect([asked.status, asked.headers.get('location'), asked.etag]).toEqual([
      ...[202, `${REQUESTS}/${asked.body.id}`, '"1"'],
    ]);
    expect(asked.body).toMatchObject({
      ...{ entityId: entity.id, certificationAuthorityId: ca.id, profile: 'client', state: 'pending', channel: 'api' },
      ...{ credential: null, credentialId: null, decidedBy: null, codeMadeBy: null },
    });
    const { status, body } = await api.approver.post(`${REQUESTS}/${asked.body.id}/approve`, REASON, {
      'if-match': asked.etag ?? '',
    });
    expect([status, body.state, body.reason]).toEqual([200, 'issued', 'looked at']);
    const { subject: named, subjectAltName } = new X509Certificate(Buffer.from(body.credential.x5c[0], 'base64'));
    expect(named).toContain(`UID=${entity.id}`);
    expect(named).not.toContain('Somebody Else');
    expect(subjectAltName).toBe(`URI:${entity.entityIdentifier}`);
    expect((await api.auditor.get(`/api/v1/credentials/${body.credentialId}`)).body).toEqual(body.credential);
    expect((await api.auditor.get(`${REQUESTS}/${body.id}`)).body).toEqual(body);
  });

  it('201: renews what says the same at once; the same Idempotency-Key asks for nothing twice', async () => {
    const entity = await entityOf();
    const { credentialId } = await issued(entity);
    const members = { request: requestPem(), replaces: credentialId };
    const key = { 'idempotency-key': `renewal of ${entity.id}` };
    const { status, body } = await ask(entity, members, api.registrar, key);
    expect([status, body.state, body.credential.supersedes]).toEqual([201, 'issued', credentialId]);
    expect((await ask(entity, members, api.registrar, key)).body).toEqual(body);
    const other = await ask(entity, { replaces: credentialId }, api.registrar, key);
    expect(refusalOf(other)).toBe('422 idempotency_key_reused');
    expect(refusalOf(await ask(entity, { replaces: credentialId }))).toBe('409 illegal_transition');
  });

  it.each<[string, () => string, string]>([
    ['signed with another key', () => requestPem({ signer: ecKey() }), '400 csr_signature_invalid /request'],
    ['of RSA with 1024 bits', () => requestPem({ key: rsaKey(1024) }), '400 weak_key /request'],
    ['of an EC key on P-192', () => requestPem({ key: ecKey('prime192v1') }), '400 weak_key /request'],
    ['that is no PEM', () => 'nonsense', '400 validation_failed /request'],
    ['that is none', () => requestPem().replace(/\n[A-Za-z0-9+/]{8}/, '\nAAAAAAAA'), '400 validation_failed /request'],
    ['of 25,000 characters', () => 'A'.repeat(25_000), '400 validation_failed /request'],
  ])('refuses a request %s', async (_, request, refusal) => {
    expect(refusalOf(await ask(await entityOf(), { request: request() }))).toBe(refusal);
  });

  it('refuses a private key unread, and says no part of it', async () => {
    const secret = ecKey().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const answer = await ask(await entityOf(), { request: secret });
    expect([refusalOf(answer), answer.body.reason]).toEqual(['400 validation_failed /request', 'private_key']);
    expect(JSON.stringify(answer.body)).not.toContain(secret.split('\n')[1]);
  });

  it('refuses a key that was seen before, another subject, and whoever is not active', async () => {
    const [entity, other] = [await entityOf(), await entityOf()];
    const request = requestPem();
    await ask(entity, { request });
    expect(refusalOf(await ask(other, { request }))).toBe('409 key_reuse');
    const subject = distinguishedName({ '0.9.2342.19200300.100.1.1': other.id });
    expect(refusalOf(await ask(entity, { request: requestPem({ subject }) }))).toBe('422 subject_mismatch');
    await api.approver.post(`/api/v1/entities/${other.id}/suspend`, REASON);
    expect(refusalOf(await ask(other))).toBe('403 not_active');
    const { body } = await ask(entity);
    await api.approver.post(`/api/v1/entities/${entity.id}/suspend`, REASON);
    expect(refusalOf(await api.approver.post(`${REQUESTS}/${body.id}/approve`, REASON))).toBe('403 not_active');
  });

  it.each<[string, object, string]>([
    ['an unknown profile', { profile: 'ocsp-responder' }, '400 validation_failed /profile'],
    ['a subject of its own', { subject: 'CN=me' }, '400 validation_failed /subject'],
    ['an unknown certification authority', { certificationAuthorityId: NO_SUCH_ID }, '404 not_found'],
    ['an unknown certificate to renew', { replaces: NO_SUCH_ID }, '400 validation_failed /replaces'],
  ])('refuses %s', async (_, members, refusal) => {
    expect(refusalOf(await ask(await entityOf(), members))).toBe(refusal);
  });

  it('says what to do where no certification authority is active', async () => {
    const answer = await ask(await entityOf(await api.service.authority()));
    expect(refusalOf(answer)).toBe('409 certification_authority_not_active');
    expect(answer.body.detail).toContain('holdfast ca init');
  });
});

describe('decisions', () => {
  it('are for another than who asked, and not for members', async () => {
    const entity = await entityOf();
    const member = await memberOf(entity);
    const asked = await ask(entity, {}, member);
    expect(asked.status).toBe(202);
    const approve = (client: ApiClient, id: string) => client.post(`${REQUESTS}/${id}/approve`, REASON);
    expect(refusalOf(await approve(member, asked.body.id))).toBe('403 role_missing');
    const own = await ask(entity, {}, api.admin);
    expect(refusalOf(await approve(api.admin, own.body.id))).toBe('403 four_eyes');
    expect((await approve(api.admin, asked.body.id)).status).toBe(200);
  });

  it('are final', async () => {
    const { body } = await ask(await entityOf());
    const rejected = await api.approver.post(`${REQUESTS}/${body.id}/reject`, { reason: 'unknown machine' });
    expect(rejected.body).toMatchObject({ state: 'rejected', reason: 'unknown machine', credential: null });
    expect(refusalOf(await api.approver.post(`${REQUESTS}/${body.id}/approve`, REASON))).toBe('409 illegal_transition');
  });

  it('are of the version that was seen', async () => {
    const { body } = await ask(await entityOf());
    const answer = await api.approver.post(`${REQUESTS}/${body.id}/approve`, REASON, { 'if-match': '"9"' });
    expect(refusalOf(answer)).toBe('412 version_mismatch');
  });
});

it('GET /certificate-requests lists what is in reach, by entity, state and profile', async () => {
  const entity = await entityOf();
  const [one, other] = [await ask(entity), await ask(entity, { profile: 'signing' })];
  await api.approver.post(`${REQUESTS}/${one.body.id}/approve`, REASON);
  const idsOf = async (query: string, client = api.auditor) =>
    (await client.get(`${REQUESTS}?entityId=${entity.id}${query}`)).body.items.map(({ id }: { id: string }) => id);
  expect(await idsOf('')).toEqual([one.body.id, other.body.id]);
  expect(await idsOf('&state=pending')).toEqual([other.body.id]);
  expect(await idsOf('&profile=client')).toEqual([one.body.id]);
  expect(await idsOf('', await memberOf(entity))).toEqual([one.body.id, other.body.id]);
  expect(await idsOf('', await memberOf(await entityOf()))).toEqual([]);
});

it('POST /entities/{id}/certificate-codes shows a code once, and takes no Idempotency-Key', async () => {
  const entity = await entityOf();
  const path = `/api/v1/entities/${entity.id}/certificate-codes`;
  const { status, headers, body } = await api.approver.post(path, { profile: 'client' });
  expect([status, headers.get('cache-control')]).toEqual([201, 'no-store']);
  expect(body).toMatchObject({ entityId: entity.id, certificationAuthorityId: ca.id, isApproval: true });
  expect(body.code).toMatch(/^holdfast_code_[A-Za-z0-9_-]{27}$/);
  expect((await api.registrar.post(path, { profile: 'client' })).body.isApproval).toBe(false);
  const repeated = await api.approver.post(path, { profile: 'client' }, { 'idempotency-key': 'x' });
  expect(refusalOf(repeated)).toBe('400 validation_failed /header/Idempotency-Key');
});
