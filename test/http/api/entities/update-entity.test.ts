import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';
import { testKey } from '../../../support/keys.ts';
import { freshJwks } from '../../../support/registry.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const { service } = api;
const authority = await service.authority({
  defaultMetadataPolicy: { openid_relying_party: { grant_types: { subset_of: ['authorization_code'] } } },
});
const organisation = await service.organisation(authority);

async function target(): Promise<{ path: string; match: { 'if-match': string } }> {
  const entity = await service.entity(organisation);
  return { path: `/api/v1/entities/${entity.id}`, match: { 'if-match': `"${entity.version}"` } };
}

describe('200', () => {
  it('changes what is said about the entity', async () => {
    const { path, match } = await target();
    const changes = {
      metadata: { openid_relying_party: { client_name: 'Verified Name' } },
      constraints: { allowed_entity_types: ['openid_relying_party'] },
      additionalClaims: { sector: 'health' },
      crit: ['sector'],
      statementLifetimeSeconds: 300,
    };
    const { status, body } = await api.registrar.patch(path, changes, match);
    expect([status, body]).toEqual([200, expect.objectContaining(changes)]);
    const cleared = await api.registrar.patch(path, { constraints: null }, { 'if-match': `"${body.version}"` });
    expect(cleared.body).toMatchObject({ ...changes, constraints: null });
  });

  it('registers a second key for a rollover, then lets the first go', async () => {
    const { path, match } = await target();
    const [first] = (await api.auditor.get(path)).body.jwks.keys;
    const second = (await freshJwks()).keys[0];
    const both = await api.registrar.patch(path, { jwks: { keys: [first, second] } }, match);
    expect(both.body.jwks.keys).toEqual([first, second]);
    const rolled = await api.registrar.patch(path, { jwks: { keys: [second] } }, { 'if-match': both.etag });
    expect(rolled.body.jwks.keys).toEqual([second]);
  });
});

describe('400', () => {
  it('refuses a private key', async () => {
    const { path, match } = await target();
    const { privateJwk } = await testKey('ES256', 60);
    const answer = await api.registrar.patch(path, { jwks: { keys: [privateJwk] } }, match);
    expect(refusalOf(answer)).toBe('400 validation_failed /jwks/keys/0');
    expect(JSON.stringify(answer.body)).not.toContain(String(privateJwk['d']));
  });

  it.each([
    ['no keys', { jwks: { keys: [] } }, '/jwks/keys'],
    ['another identifier', { entityIdentifier: 'https://x.example' }, '/entityIdentifier'],
    ['a state', { state: 'active' }, '/state'],
    ['nothing', {}, ''],
  ])('refuses %s', async (_what, changes, pointer) => {
    const { path, match } = await target();
    const answer = await api.registrar.patch(path, changes, match);
    expect(refusalOf(answer).trimEnd()).toBe(`400 validation_failed ${pointer}`.trimEnd());
  });

  it("refuses a policy that contradicts the authority's", async () => {
    const { path, match } = await target();
    const metadataPolicy = { openid_relying_party: { grant_types: { value: ['implicit'] } } };
    expect(refusalOf(await api.registrar.patch(path, { metadataPolicy }, match))).toMatch(/^400 policy_conflict/);
  });
});

describe('403', () => {
  it('is for admins and registrars', async () => {
    const { path, match } = await target();
    expect(refusalOf(await api.approver.patch(path, { crit: [] }, match))).toBe('403 role_missing');
  });
});

describe('409', () => {
  it('leaves closed records as they are', async () => {
    const { id, version } = await service.entity(organisation, {}, 'revoked');
    const answer = await api.registrar.patch(
      `/api/v1/entities/${id}`,
      { metadata: {} },
      { 'if-match': `"${version}"` },
    );
    expect(refusalOf(answer)).toBe('409 illegal_transition');
  });
});

describe('412', () => {
  it('refuses a stale If-Match', async () => {
    const { path } = await target();
    expect(refusalOf(await api.registrar.patch(path, { metadata: {} }, { 'if-match': '"1"' }))).toBe(
      '412 version_mismatch',
    );
  });
});

describe('428', () => {
  it('wants to know what was seen', async () => {
    const { path } = await target();
    expect(refusalOf(await api.registrar.patch(path, { metadata: {} }))).toBe('428 version_required');
  });
});
