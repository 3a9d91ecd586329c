import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { testKey } from '../../../support/keys.ts';
import { freshIdentifier, freshJwks } from '../../../support/registry.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/trust-anchors';
const { id: authorityId } = await api.service.authority();

const newAnchor = async () => ({ authorityId, entityIdentifier: freshIdentifier('anchor'), jwks: await freshJwks() });

async function pinned(): Promise<string> {
  return `${PATH}/${(await api.admin.post(PATH, await newAnchor())).body.id}`;
}

describe('POST', () => {
  it('201: pins keys; an Idempotency-Key makes it once', async () => {
    const input = await newAnchor();
    const key = { 'idempotency-key': 'pin' };
    const { status, headers, etag, body } = await api.admin.post(PATH, input, key);
    expect([status, headers.get('location'), etag]).toEqual([201, `${PATH}/${body.id}`, '"1"']);
    expect(body).toMatchObject(input);
    expect((await api.admin.post(PATH, input, key)).body).toEqual(body);
    const other = await api.admin.post(PATH, await newAnchor(), key);
    expect(refusalOf(other)).toBe('422 idempotency_key_reused');
  });

  it('400: refuses private, symmetric and weak keys', async () => {
    const { privateJwk, jwk } = await testKey('ES256', 70);
    const symmetric = { kty: 'oct', kid: 'a', k: 'c2VjcmV0' };
    const weak = { kty: 'RSA', kid: 'b', n: jwk.x, e: 'AQAB' };
    for (const key of [privateJwk, symmetric, weak, { ...jwk, kid: undefined }]) {
      const answer = await api.admin.post(PATH, { ...(await newAnchor()), jwks: { keys: [key] } });
      expect(refusalOf(answer)).toBe('400 validation_failed /jwks/keys/0');
    }
  });

  it('403: is for admins only', async () => {
    for (const client of [api.registrar, api.approver, api.auditor]) {
      expect(refusalOf(await client.post(PATH, await newAnchor()))).toBe('403 role_missing');
    }
  });

  it('404: knows no such authority', async () => {
    const input = { ...(await newAnchor()), authorityId: NO_SUCH_ID };
    expect(refusalOf(await api.admin.post(PATH, input))).toBe('404 not_found');
  });

  it('409: pins each once an authority', async () => {
    const input = await newAnchor();
    await api.admin.post(PATH, input);
    expect(refusalOf(await api.admin.post(PATH, input))).toBe('409 trust_anchor_exists');
    const elsewhere = await api.admin.post(PATH, { ...input, authorityId: (await api.service.authority()).id });
    expect(elsewhere.status).toBe(201);
  });
});

describe('GET', () => {
  it('200: lists by authority and shows one', async () => {
    const other = await api.service.authority();
    const { body } = await api.admin.post(PATH, { ...(await newAnchor()), authorityId: other.id });
    const list = await api.auditor.get(`${PATH}?authorityId=${other.id}`);
    expect(list.body).toEqual({ items: [body] });
    expect((await api.auditor.get(`${PATH}/${body.id}`)).body).toEqual(body);
  });

  it('404: knows no such Trust Anchor', async () => {
    expect(refusalOf(await api.auditor.get(`${PATH}/${NO_SUCH_ID}`))).toBe('404 not_found');
  });
});

describe('PUT', () => {
  it('200: replaces the keys', async () => {
    const path = await pinned();
    const jwks = await freshJwks(2);
    const { status, etag, body } = await api.admin.put(path, { jwks }, { 'if-match': '"1"' });
    expect([status, etag, body.jwks]).toEqual([200, '"2"', jwks]);
  });

  it('400: refuses more than the keys', async () => {
    const input = { jwks: await freshJwks(), entityIdentifier: 'https://x.example' };
    expect(refusalOf(await api.admin.put(await pinned(), input, { 'if-match': '"1"' }))).toBe(
      '400 validation_failed /entityIdentifier',
    );
  });

  it('412, 428: wants to know what was seen', async () => {
    const [path, input] = [await pinned(), { jwks: await freshJwks() }];
    expect(refusalOf(await api.admin.put(path, input, { 'if-match': '"2"' }))).toBe('412 version_mismatch');
    expect(refusalOf(await api.admin.put(path, input))).toBe('428 version_required');
  });
});

describe('DELETE', () => {
  it('204: unpins it', async () => {
    const path = await pinned();
    const { status, body } = await api.admin.delete(path, { 'if-match': '"1"' });
    expect([status, body]).toEqual([204, undefined]);
    expect(refusalOf(await api.admin.delete(path))).toBe('404 not_found');
  });

  it('403, 412: not for everybody, and not when it changed', async () => {
    const path = await pinned();
    expect(refusalOf(await api.registrar.delete(path))).toBe('403 role_missing');
    expect(refusalOf(await api.admin.delete(path, { 'if-match': '"9"' }))).toBe('412 version_mismatch');
    expect((await api.admin.get(path)).status).toBe(200);
  });
});
