import { afterAll, describe, expect, it } from 'vitest';
import type { Entity } from '../../../../src/registry/entities/entity.ts';
import { createToken } from '../../../../src/registry/tokens/create-token.ts';
import { ApiClient, refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { certificate, chainOf, ecKey, pem, rsaKey } from '../../../support/certificates.ts';
import { clientCertificate, possessionProof, publicJwk } from '../../../support/credentials.ts';
import { dumpOf } from '../../../support/private-key-marks.ts';
import { freshIdentifier } from '../../../support/registry.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());
const { service, registrar, auditor } = api;
const authority = await service.authority();
const organisation = await service.organisation(authority);

const entityOf = (settings: Partial<Entity> = {}) => service.entity(organisation, settings);
const pathOf = ({ id }: { id: string }) => `/api/v1/entities/${id}/credentials`;
const add = async (entity: { id: string }, body: object, headers?: Record<string, string>) =>
  await registrar.post(pathOf(entity), { usage: 'transport', ...body }, headers);
const added = async (body: object = clientCertificate()) => (await add(await entityOf(), body)).body;

describe('201', () => {
  it('adds a certificate, shows it with its chain, and lists it beside the Federation Entity Keys', async () => {
    const entity = await entityOf();
    const [leaf, above] = chainOf();
    const answer = await add(entity, { certificate: pem(leaf, above), environment: 'production' });
    expect([answer.status, answer.etag, answer.headers.get('location')]).toEqual([
      ...[201, '"1"', `/api/v1/credentials/${answer.body.id}`],
    ]);
    expect(answer.body).toMatchObject({
      ...{ kind: 'x509', usage: 'transport', source: 'external', mode: 'live', environment: 'production' },
      ...{ state: 'active', entityState: 'active', isLive: true, refusal: null, issuer: 'CN=Test CA', serial: '4f2a' },
      ...{ notAfter: '2036-01-01T00:00:00.000Z', entityIdentifier: entity.entityIdentifier },
      x5c: [leaf.toString('base64'), above.toString('base64')],
    });
    const { x5c, ...listed } = answer.body;
    expect((await auditor.get(`/api/v1/credentials/${answer.body.id}`)).body).toEqual({ ...listed, x5c });
    const { body } = await auditor.get(pathOf(entity));
    expect(body.items).toEqual([listed]);
    expect(body.federationKeys).toEqual([
      expect.objectContaining({ usage: 'federation', state: 'registered', kid: entity.keys[0]?.jwk.kid }),
    ]);
  });

  it('adds a key, and makes one record of a repeated request', async () => {
    const entity = await entityOf();
    const body = { usage: 'signing', ...publicJwk(), notAfter: '2027-06-01T00:00:00.000Z' };
    const key = { 'idempotency-key': 'once' };
    const [one, two] = [await add(entity, body, key), await add(entity, body, key)];
    expect([one.status, two.status, two.body.id]).toEqual([201, 201, one.body.id]);
    expect(one.body).toMatchObject({
      kind: 'jwk',
      usage: 'signing',
      x5tS256: null,
      x5c: null,
      notAfter: body.notAfter,
    });
  });

  it('replaces a certificate with an overlap', async () => {
    const old = await added();
    const until = '2027-02-01T00:00:00.000Z';
    const body = { ...clientCertificate(), until };
    const answer = await registrar.post(`/api/v1/credentials/${old.id}/replace`, body, { 'if-match': '"1"' });
    expect([answer.status, answer.body.supersedes, answer.body.isLive]).toEqual([201, old.id, true]);
    const { body: before } = await auditor.get(`/api/v1/credentials/${old.id}`);
    expect([before.supersededAt, before.isLive]).toEqual([until, true]);
    const again = await registrar.post(`/api/v1/credentials/${old.id}/replace`, body, { 'if-match': '"1"' });
    expect(refusalOf(again)).toMatch(/^4(09|12) /);
  });
});

describe('200', () => {
  it('holds, releases and revokes', async () => {
    const { id } = await added();
    const path = `/api/v1/credentials/${id}`;
    const reason = 'ticket 4711';
    expect((await registrar.post(`${path}/hold`, { reason })).body).toMatchObject({
      ...{ state: 'on_hold', isLive: false, refusal: 'credential_on_hold', stateReason: reason, version: 2 },
    });
    expect((await api.approver.post(`${path}/release`, { reason })).body).toMatchObject({
      state: 'active',
      isLive: true,
    });
    const revocation = { reasonCode: 'cessation_of_operation', reason };
    const { body } = await registrar.post(`${path}/revoke`, revocation);
    expect(body).toMatchObject({
      state: 'revoked',
      revocationReason: 'cessation_of_operation',
      refusal: 'credential_revoked',
    });
    expect((await registrar.post(`${path}/revoke`, revocation)).body).toEqual(body);
  });

  it('finds whose a certificate is, what counts, and what expires', async () => {
    const { id, x5tS256 } = await added();
    const list = async (query: string) => (await auditor.get(`/api/v1/credentials?${query}`)).body.items;
    expect(await list(`x5tS256=${x5tS256}`)).toEqual([
      expect.objectContaining({ id, organisationId: organisation.id }),
    ]);
    const expiring = { usage: 'encryption', ...publicJwk(), notAfter: new Date(Date.UTC(2027, 0, 20)).toISOString() };
    const entity = await entityOf();
    const { body: soon } = await add(entity, expiring);
    const ofEntity = `entityId=${entity.id}`;
    expect(await list(`${ofEntity}&expiresWithinDays=30&isLive=true&usage=encryption`)).toHaveLength(1);
    expect(await list(`${ofEntity}&isLive=false`)).toEqual([]);
    expect(await list(`${ofEntity}&state=active&kid=${soon.kid}`)).toHaveLength(1);
    await api.approver.post(`/api/v1/entities/${entity.id}/suspend`, { reason: 'x', reasonCode: 'security_incident' });
    expect(await list(`${ofEntity}&isLive=false&state=active`)).toEqual([
      expect.objectContaining({ entityState: 'suspended', refusal: 'entity_suspended' }),
    ]);
  });
});

describe('possession', () => {
  it('is shown by members, who are told how, and looked for where it is unproven', async () => {
    const entity = await entityOf();
    const { secret } = await createToken(service.context(), {
      ...{ name: 'member', roles: ['technical-contact'], authorityIds: null, lifetimeSeconds: 60 },
      organisationIds: [organisation.id],
    });
    const member = new ApiClient(service.app, { authorization: `Bearer ${secret}` });
    const key = ecKey();
    const body = { usage: 'transport', ...clientCertificate(key) };
    const without = await member.post(pathOf(entity), body);
    expect([refusalOf(without), without.body.reason]).toEqual(['400 validation_failed /proof', 'proof_missing']);
    const proof = await possessionProof(key, { sub: entity.entityIdentifier, aud: authority.entityIdentifier });
    const forged = await member.post(pathOf(entity), { ...body, proof: `${proof.slice(0, -4)}AAAA` });
    expect([refusalOf(forged), forged.body.reason]).toEqual(['400 validation_failed /proof', 'signature_invalid']);
    const answer = await member.post(pathOf(entity), { ...body, proof });
    expect([answer.status, answer.body.possession]).toEqual([201, 'proven']);
    const replacing = await member.post(`/api/v1/credentials/${answer.body.id}/replace`, clientCertificate(key, 2));
    expect(refusalOf(replacing)).toBe('400 validation_failed /proof');
    const { body: unproven } = await add(entity, clientCertificate());
    const listed = await auditor.get(`${pathOf(entity)}?possession=unproven`);
    expect(listed.body.items.map(({ id }: { id: string }) => id)).toEqual([unproven.id]);
  });
});

describe('refusals', () => {
  it.each<[string, object, string]>([
    ['nothing handed in', {}, '400 validation_failed '],
    ['both handed in', { ...clientCertificate(), ...publicJwk() }, '400 validation_failed '],
    ['an unknown member', { ...clientCertificate(), pem: 'x' }, '400 validation_failed /pem'],
    ['an unknown usage', { ...clientCertificate(), usage: 'federation' }, '400 validation_failed /usage'],
    ['an end beside a certificate', { ...clientCertificate(), notAfter: null }, '400 validation_failed /notAfter'],
    ['no certificate', { certificate: 'x' }, '400 validation_failed /certificate'],
    ['too much', { certificate: 'x'.repeat(200_000) }, '400 validation_failed /certificate'],
    ['a weak key', { certificate: pem(certificate({ key: rsaKey(1024) })) }, '400 validation_failed /certificate'],
    ['another environment', { ...clientCertificate(), environment: 'sandbox' }, '422 wrong_environment'],
  ])('%s', async (_, body, expected) => {
    const refusal = refusalOf(await add(await entityOf(), body));
    expect(refusal).toBe(expected);
  });

  it('names a stable reason of what is wrong with a certificate', async () => {
    const { body } = await add(await entityOf(), { certificate: pem(certificate({ key: ecKey('prime192v1') })) });
    expect(body).toMatchObject({ code: 'validation_failed', reason: 'weak_key' });
  });

  it('of a certificate in use, of an unknown record, and of a stale version', async () => {
    const material = clientCertificate();
    const { id } = await added(material);
    expect(refusalOf(await add(await entityOf(), material))).toBe('409 credential_in_use');
    expect(refusalOf(await add({ id: NO_SUCH_ID }, clientCertificate()))).toBe('404 not_found');
    expect(refusalOf(await registrar.get(`/api/v1/credentials/${NO_SUCH_ID}`))).toBe('404 not_found');
    const stale = await registrar.post(`/api/v1/credentials/${id}/hold`, { reason: 'x' }, { 'if-match': '"7"' });
    expect(refusalOf(stale)).toBe('412 version_mismatch');
    const noCode = await registrar.post(`/api/v1/credentials/${id}/revoke`, { reason: 'x' });
    expect(refusalOf(noCode)).toBe('400 validation_failed /reasonCode');
    expect(refusalOf(await registrar.get('/api/v1/credentials?expiresWithinDays=0'))).toMatch(/^400 validation_failed/);
  });

  it('F56 one Entity Identifier has credentials in one environment only', async () => {
    const entityIdentifier = freshIdentifier('both');
    const live = await entityOf({ entityIdentifier });
    const sandbox = await service.entity(await service.organisation(await service.authority()), {
      ...{ entityIdentifier, mode: 'test', environment: 'sandbox' },
    });
    expect((await add(sandbox, clientCertificate())).status).toBe(201);
    expect(refusalOf(await add(live, clientCertificate()))).toBe('422 wrong_environment');
    const pending = await service.entity(organisation, {}, 'pending');
    await add(pending, clientCertificate());
    const moved = await registrar.patch(
      `/api/v1/entities/${pending.id}`,
      { environment: 'pilot' },
      { 'if-match': '*' },
    );
    expect(refusalOf(moved)).toBe('422 wrong_environment');
  });
});

describe('a private key', () => {
  it('is refused, and is neither in the answer, nor in the database, nor with the idempotency key', async () => {
    const key = ecKey();
    const secret = key.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
    const { d = '' } = key.privateKey.export({ format: 'jwk' });
    const entity = await entityOf();
    const bodies = [
      { certificate: secret },
      { certificate: pem(certificate({ key })) + secret },
      { certificate: pem(key.privateKey.export({ format: 'der', type: 'pkcs8' })) },
      { jwk: { ...publicJwk(key).jwk, d } },
    ];
    const answers: string[] = [];
    for (const [index, body] of bodies.entries()) {
      const answer = await add(entity, body, { 'idempotency-key': `k${index}` });
      expect([answer.status, answer.body.reason]).toEqual([400, index === 3 ? 'jwk_private' : 'private_key']);
      answers.push(JSON.stringify(answer.body));
    }
    const [, line = ''] = secret.split('\n');
    const seen = `${answers.join()}${await dumpOf(service.database)}`;
    for (const mark of [line, d, 'PRIVATE KEY']) expect(seen).not.toContain(mark);
  });
});
