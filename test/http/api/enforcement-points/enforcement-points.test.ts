import { hash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, describe, expect, it } from 'vitest';
import { saveAcknowledgements } from '../../../../src/registry/propagation/save-acknowledgements.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { chainOf, pem } from '../../../support/certificates.ts';
import { clientCertificate } from '../../../support/credentials.ts';
import { apiResource } from '../../../support/offers.ts';
import { nextId } from '../../../support/registry.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/enforcement-points';
const authority = await api.service.authority();
const authorityId = authority.id;

const SEEN = { 'if-match': '*' };

async function added(settings: Record<string, unknown> = {}) {
  const { status, body } = await api.admin.post(PATH, { authorityId, name: nextId(), ...settings });
  expect(status, JSON.stringify(body)).toBe(201);
  return { path: `${PATH}/${body.id}`, body };
}

const digestOf = async (id: string): Promise<unknown> => {
  const { rows } = await api.service.db.execute(sql`SELECT token_digest FROM enforcement_points WHERE id = ${id}`);
  return rows[0]?.['token_digest'];
};

describe('POST', () => {
  it('[F40] 201: shows the token once, and keeps its digest alone', async () => {
    const { status, headers, etag, body } = await api.admin.post(PATH, { authorityId, name: 'gw-1' });
    const { token, ...point } = body;
    expect([status, headers.get('location'), etag]).toEqual([201, `${PATH}/${body.id}`, '"1"']);
    expect(token).toMatch(/^hfep_[A-Za-z0-9_-]{43}$/);
    expect(point).toMatchObject({
      ...{ authorityId, name: 'gw-1', mode: 'live', environment: 'production', apiId: null, maxStalenessSeconds: 60 },
      ...{ isTokenRequired: false, certificateHeader: 'rfc9440', clientX5tS256: null, allowSample: 100 },
      ...{ canaryUrl: null, hasToken: true, state: 'active', lastSeenAt: null, lastSeq: null },
    });
    expect((await api.auditor.get(`${PATH}/${body.id}`)).body).toEqual(point);
    expect(await digestOf(body.id)).toBe(hash('sha256', token, 'base64url'));
    const { body: audit } = await api.auditor.get(`/api/v1/audit?subjectId=${body.id}`);
    expect(audit.items.map(({ action }: { action: string }) => action)).toEqual(['enforcement_point.add']);
    expect(JSON.stringify(audit)).not.toContain(hash('sha256', token, 'base64url'));
  });

  it('201: knows one by its certificate alone, in the environment that is usual for tests', async () => {
    const [leaf] = chainOf();
    const { body } = await added({ mode: 'test', hasToken: false, clientCertificate: pem(leaf) });
    expect(body).toMatchObject({ token: null, hasToken: false, mode: 'test', environment: 'sandbox' });
    expect(body.clientX5tS256).toBe(hash('sha256', leaf, 'base64url'));
    const second = { authorityId, name: nextId(), clientX5tS256: body.clientX5tS256 };
    expect(refusalOf(await api.admin.post(PATH, { ...second, hasToken: false }))).toBe('409 enforcement_point_exists');
    expect(await digestOf(body.id)).toBeNull();
  });

  it('[F41] 403: no admin of one authority has one known by a certificate alone, which may be that of another', async () => {
    const clientX5tS256 = hash('sha256', chainOf()[0], 'base64url');
    const { body: theirs } = await added({ hasToken: false, clientX5tS256 });
    const other = await api.service.authority();
    const admin = await api.client(['admin'], [other]);
    const alone = { authorityId: other.id, hasToken: false };
    for (const fingerprint of [clientX5tS256, 'a'.repeat(43)]) {
      const answer = await admin.post(PATH, { ...alone, name: nextId(), clientX5tS256: fingerprint });
      expect(refusalOf(answer)).toBe('403 role_missing');
    }
    // Beside a token it says nothing of anybody else, whoever has recorded it.
    const both = await admin.post(PATH, { authorityId: other.id, name: nextId(), clientX5tS256 });
    expect(both.status).toBe(201);
    const ending = await admin.patch(`${PATH}/${both.body.id}`, { hasToken: false }, SEEN);
    expect(refusalOf(ending)).toBe('403 role_missing');
    const socket = await admin.post(PATH, { ...alone, name: nextId() });
    const taking = await admin.patch(`${PATH}/${socket.body.id}`, { clientX5tS256 }, SEEN);
    expect([socket.status, refusalOf(taking)]).toEqual([201, '403 role_missing']);
    // What an admin of all authorities settled, that of the authority may go on with.
    const own = await api.client(['admin'], [authority]);
    expect((await own.patch(`${PATH}/${theirs.id}`, { name: nextId() }, SEEN)).status).toBe(200);
  });

  it('400: takes no Idempotency-Key: the token could not be shown again', async () => {
    const answer = await api.admin.post(PATH, { authorityId, name: nextId() }, { 'idempotency-key': 'k' });
    expect(refusalOf(answer)).toBe('400 validation_failed /header/Idempotency-Key');
  });

  it.each<[Record<string, unknown>, string]>([
    [{ apiId: NO_SUCH_ID }, '/apiId'],
    [{ canaryUrl: 'http://gateway.example/' }, '/canaryUrl'],
    [{ canaryUrl: 'https://user@gateway.example/' }, '/canaryUrl'],
    [{ clientCertificate: 'x' }, '/clientCertificate'],
    [{ clientCertificate: 'x', clientX5tS256: 'a'.repeat(43) }, '/clientCertificate'],
    [{ maxStalenessSeconds: 0 }, '/maxStalenessSeconds'],
    [{ allowSample: -1 }, '/allowSample'],
    [{ certificateHeader: 'other' }, '/certificateHeader'],
    [{ environment: 'not a word' }, '/environment'],
  ])('400: refuses %j', async (settings, field) => {
    const answer = await api.admin.post(PATH, { authorityId, name: nextId(), ...settings });
    expect(refusalOf(answer)).toBe(`400 validation_failed ${field}`);
  });

  it('400: refuses the API of another authority', async () => {
    const { id: apiId } = await apiResource(api.service, await api.service.authority());
    const answer = await api.admin.post(PATH, { authorityId, name: nextId(), apiId });
    expect(refusalOf(answer)).toBe('400 validation_failed /apiId');
  });

  it('403, 404, 409: for admins, of an authority that there is, each name once', async () => {
    expect(refusalOf(await api.registrar.post(PATH, { authorityId, name: 'x' }))).toBe('403 role_missing');
    expect(refusalOf(await api.admin.post(PATH, { authorityId: NO_SUCH_ID, name: 'x' }))).toBe('404 not_found');
    const { body } = await added();
    const again = { authorityId, name: body.name };
    expect(refusalOf(await api.admin.post(PATH, again))).toBe('409 enforcement_point_exists');
    expect((await api.admin.post(PATH, { ...again, authorityId: (await api.service.authority()).id })).status).toBe(
      201,
    );
  });
});

describe('GET', () => {
  it('200: lists by authority, name and state, and says when each was last seen', async () => {
    const { id } = await api.service.authority();
    const { body } = await added({ authorityId: id, name: 'seen' });
    await added({ authorityId: id });
    const seen = { enforcementPointId: body.id, seq: 7, ageMs: 0 };
    await saveAcknowledgements(api.service.db, () => ({ acknowledged: [], seen: [seen] }));
    const { body: list } = await api.auditor.get(`${PATH}?authorityId=${id}&name=seen`);
    expect(list.items).toHaveLength(1);
    expect(list.items[0]).toMatchObject({ id: body.id, lastSeq: 7, lastSeenAt: expect.any(String) });
    expect((await api.auditor.get(`${PATH}?authorityId=${id}&state=suspended`)).body.items).toEqual([]);
    expect((await api.auditor.get(`${PATH}?authorityId=${id}`)).body.items).toHaveLength(2);
  });
});

describe('PATCH', () => {
  it('200: changes what is asked for; what is so already changes nothing', async () => {
    const { path } = await added();
    const { id: apiId } = await apiResource(api.service, authority);
    const changes = {
      name: nextId(),
      apiId,
      maxStalenessSeconds: 5,
      isTokenRequired: true,
      certificateHeader: 'nginx',
    };
    const { status, etag, body } = await api.admin.patch(path, changes, { 'if-match': '"1"' });
    expect([status, etag]).toEqual([200, '"2"']);
    expect(body).toMatchObject({ ...changes, hasToken: true });
    const seq = await api.service.seq();
    expect((await api.admin.patch(path, changes, SEEN)).etag).toBe('"2"');
    expect(await api.service.seq()).toBe(seq);
  });

  it('200: ends the token, and takes the certificate away', async () => {
    const { path, body } = await added({ clientCertificate: pem(chainOf()[0]) });
    const changed = await api.admin.patch(path, { hasToken: false, clientX5tS256: null }, SEEN);
    expect(changed.body).toMatchObject({ hasToken: false, clientX5tS256: null });
    expect(await digestOf(body.id)).toBeNull();
  });

  it('400, 412, 428: whom it is for stays; wants to know what was seen', async () => {
    const { path } = await added();
    expect(refusalOf(await api.admin.patch(path, { mode: 'test' }, SEEN))).toBe('400 validation_failed /mode');
    expect(refusalOf(await api.admin.patch(path, { hasToken: true }, SEEN))).toBe('400 validation_failed /hasToken');
    expect(refusalOf(await api.admin.patch(path, { name: 'y' }, { 'if-match': '"9"' }))).toBe('412 version_mismatch');
    expect(refusalOf(await api.admin.patch(path, { name: 'y' }))).toBe('428 version_required');
  });
});

describe('POST token', () => {
  it('200: makes a new token, and the old one is none any more', async () => {
    const { path, body } = await added();
    const rotated = await api.admin.post(`${path}/token`);
    expect([rotated.status, rotated.etag]).toEqual([200, '"2"']);
    expect(rotated.body.token).not.toBe(body.token);
    expect(await digestOf(body.id)).toBe(hash('sha256', rotated.body.token, 'base64url'));
    const { body: audit } = await api.auditor.get(`/api/v1/audit?subjectId=${body.id}`);
    expect(audit.items.at(-1)).toMatchObject({ action: 'enforcement_point.rotate_token' });
  });
});

describe('suspend, reinstate, remove', () => {
  it('200, 204: ends for a while, and for good', async () => {
    const { path, body } = await added();
    const suspended = await api.admin.post(`${path}/suspend`, { reason: 'key lost' });
    expect(suspended.body).toMatchObject({ state: 'suspended', stateReason: 'key lost', version: 2 });
    expect(refusalOf(await api.admin.post(`${path}/suspend`, { reason: 'x' }))).toBe('409 illegal_transition');
    expect((await api.admin.post(`${path}/reinstate`, { reason: 'found' })).body.state).toBe('active');
    expect((await api.admin.delete(path, { 'if-match': '"3"' })).status).toBe(204);
    expect((await api.auditor.get(path)).body).toMatchObject({ state: 'removed', hasToken: false });
    expect(refusalOf(await api.admin.post(`${path}/token`))).toBe('409 illegal_transition');
    expect(refusalOf(await api.admin.delete(path))).toBe('409 illegal_transition');
    const { body: left } = await api.auditor.get(`${PATH}?authorityId=${authorityId}&name=${body.name}`);
    expect(left.items).toEqual([]);
    expect((await added({ name: body.name })).body.state).toBe('active');
  });
});

describe('[F40] whoever asks who may pass', () => {
  it('is an enforcement point by its present token, as long as it is active', async () => {
    const { path, body } = await added();
    const { certificate } = clientCertificate();
    const asked = async (token: string) =>
      (await api.anonymous.post('/api/v1/admission', { certificate }, { 'holdfast-enforcement-point': token })).status;
    expect(await asked(body.token)).toBe(200);
    const { token } = (await api.admin.post(`${path}/token`)).body;
    expect([await asked(body.token), await asked(token)]).toEqual([401, 200]);
    await api.admin.post(`${path}/suspend`, { reason: 'x' });
    expect(await asked(token)).toBe(401);
    await api.admin.post(`${path}/reinstate`, { reason: 'x' });
    expect(await asked(token)).toBe(200);
    await api.admin.patch(path, { hasToken: false }, SEEN);
    expect(await asked(token)).toBe(401);
    const again = (await api.admin.post(`${path}/token`)).body.token;
    expect(await asked(again)).toBe(200);
    await api.admin.delete(path);
    expect(await asked(again)).toBe(401);
  });
});
