import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const POLICY = { openid_relying_party: { contacts: { essential: true } } };

async function path(): Promise<string> {
  return `/api/v1/authorities/${(await api.service.authority()).id}/metadata-policy`;
}

describe('200', () => {
  it('gives back what was put', async () => {
    const where = await path();
    expect(await api.registrar.get(where)).toMatchObject({ status: 200, body: {}, etag: '"1"' });
    expect(await api.admin.put(where, POLICY, { 'if-match': '"1"' })).toMatchObject({ body: POLICY, etag: '"2"' });
    expect(await api.registrar.get(where)).toMatchObject({ body: POLICY, etag: '"2"' });
  });

  it('keeps names that look like something else', async () => {
    const policy = JSON.parse('{"constructor":{"hasOwnProperty":{"value":"toString"}}}');
    expect((await api.admin.put(await path(), policy, { 'if-match': '"1"' })).body).toEqual(policy);
  });
});

describe('400', () => {
  it.each([
    ['no object', ['x'], ''],
    ['no operators', { openid_provider: { scopes_supported: 'openid' } }, '/openid_provider/scopes_supported'],
    ['a wrong operand', { a: { b: { essential: 'yes' } } }, '/a/b/essential'],
    ['operators that do not go together', { a: { b: { value: 'x', one_of: ['y'] } } }, '/a/b/one_of'],
  ])('points into the policy: %s', async (_what, policy, pointer) => {
    const answer = await api.admin.put(await path(), policy, { 'if-match': '"1"' });
    expect(refusalOf(answer)).toBe(`400 validation_failed ${pointer}`);
    expect(answer.body.detail).not.toContain('defaultMetadataPolicy');
  });

  it('refuses a policy that contradicts that of an entity', async () => {
    const authority = await api.service.authority();
    const metadataPolicy = { openid_relying_party: { grant_types: { value: ['implicit'] } } };
    const entity = await api.service.entity(await api.service.organisation(authority), { metadataPolicy });
    const policy = { openid_relying_party: { grant_types: { subset_of: ['authorization_code'] } } };
    const answer = await api.admin.put(`/api/v1/authorities/${authority.id}/metadata-policy`, policy, {
      'if-match': '"1"',
    });
    expect([answer.status, answer.body.code, answer.body.entity]).toEqual([
      409,
      'policy_conflict',
      entity.entityIdentifier,
    ]);
  });
});

describe('403', () => {
  it('is changed by admins only', async () => {
    expect(refusalOf(await api.registrar.put(await path(), POLICY, { 'if-match': '"1"' }))).toBe('403 role_missing');
  });
});

describe('404', () => {
  it('knows no such authority', async () => {
    const where = `/api/v1/authorities/${NO_SUCH_ID}/metadata-policy`;
    expect(refusalOf(await api.admin.get(where))).toBe('404 not_found');
    expect(refusalOf(await api.admin.put(where, POLICY, { 'if-match': '"1"' }))).toBe('404 not_found');
  });
});

describe('412', () => {
  it('refuses a stale If-Match', async () => {
    expect(refusalOf(await api.admin.put(await path(), POLICY, { 'if-match': '"2"' }))).toBe('412 version_mismatch');
  });
});

describe('428', () => {
  it('wants to know what was seen', async () => {
    expect(refusalOf(await api.admin.put(await path(), POLICY))).toBe('428 version_required');
  });
});
