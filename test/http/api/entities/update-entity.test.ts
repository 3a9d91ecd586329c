import { afterAll, describe, expect, it } from 'vitest';
import { updateAuthority } from '../../../../src/registry/authorities/update-authority.ts';
import { refusalOf } from '../../../support/api-client.ts';
import { publishRelyingParty, startApi } from '../../../support/api-service.ts';
import { testKey } from '../../../support/keys.ts';

const api = await startApi({ understoodClaims: ['sector'] });
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

  it('registers a second key for a rollover once it is published, then lets the first go', async () => {
    await using partner = await publishRelyingParty(authority);
    const input = { organisationId: organisation.id, entityIdentifier: partner.federation.id('rp') };
    const enrolled = await api.registrar.post('/api/v1/entities', input);
    const path = `/api/v1/entities/${enrolled.body.id}`;
    const approved = await api.approver.post(`${path}/approve`, { reason: 'x' }, { 'if-match': enrolled.etag });
    partner.federation.entity('rp').keys.push(await testKey('ES256', 61));
    const { keys } = partner.federation.jwks('rp');
    const [first, second] = keys;
    const early = await api.registrar.patch(path, { jwks: { keys } }, { 'if-match': approved.etag });
    expect(refusalOf(early)).toBe('409 key_not_published /jwks/keys/1');
    const { etag } = await api.registrar.post(`${path}/checks`);
    const both = await api.registrar.patch(path, { jwks: { keys } }, { 'if-match': etag });
    expect(both.body.jwks.keys).toEqual([first, second]);
    const rolled = await api.registrar.patch(path, { jwks: { keys: [second] } }, { 'if-match': both.etag });
    expect(rolled.body.jwks.keys).toEqual([second]);
  });
});

describe('checksOutdated', () => {
  const isOutdated = async (path: string): Promise<boolean> => {
    const { body } = await api.auditor.get(path);
    const query = `entityIdentifier=${encodeURIComponent(body.entityIdentifier)}`;
    const [listed] = (await api.auditor.get(`/api/v1/entities?${query}`)).body.items;
    expect(listed.checksOutdated).toBe(body.checksOutdated);
    return body.checksOutdated;
  };

  it.each([
    ['metadata', { metadata: { openid_relying_party: { client_name: 'Verified Name' } } }],
    ['policy', { metadataPolicy: { openid_relying_party: { contacts: { essential: true } } } }],
    ['constraints', { constraints: { max_path_length: 3 } }],
  ])('says so after a change of its %s, and no longer when that is undone', async (_what, changes) => {
    const { path, match } = await target();
    expect(await isOutdated(path)).toBe(false);
    const { etag } = await api.registrar.patch(path, changes, match);
    expect(await isOutdated(path)).toBe(true);
    const undone = { metadata: {}, metadataPolicy: {}, constraints: null };
    await api.registrar.patch(path, undone, { 'if-match': etag });
    expect(await isOutdated(path)).toBe(false);
  });

  it('does not mind what no check judges by', async () => {
    const { path, match } = await target();
    await api.registrar.patch(path, { additionalClaims: { sector: 'health' }, statementLifetimeSeconds: 300 }, match);
    expect(await isOutdated(path)).toBe(false);
  });

  it.each([
    ['policy', { defaultMetadataPolicy: { openid_relying_party: { contacts: { essential: true } } } }, true],
    ['constraints', { defaultConstraints: { max_path_length: 2 } }, true],
    ['name', { name: 'Renamed' }, false],
  ])('follows the default %s of its authority', async (_what, settings, expected) => {
    const own = await service.authority();
    const members = await service.organisation(own);
    const { id } = await service.entity(members);
    const handedOver = await service.entity(members, { enrolment: 'handed_over' });
    const closed = await service.entity(members, {}, 'withdrawn');
    await updateAuthority(service.context(), own.id, settings);
    expect(await isOutdated(`/api/v1/entities/${id}`)).toBe(expected);
    expect(await isOutdated(`/api/v1/entities/${handedOver.id}`)).toBe(false);
    expect(await isOutdated(`/api/v1/entities/${closed.id}`)).toBe(false);
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
    expect(refusalOf(await api.registrar.patch(path, { metadataPolicy }, match))).toMatch(/^409 policy_conflict/);
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
