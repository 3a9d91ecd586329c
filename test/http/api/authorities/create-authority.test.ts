import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { startApi } from '../../../support/api-service.ts';
import { freshIdentifier } from '../../../support/registry.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/authorities';

describe('201', () => {
  it('makes a Trust Anchor whose endpoints answer at once', async () => {
    const entityIdentifier = 'https://anchor.example/federation-of-banks/';
    const { status, headers, body } = await api.admin.post(PATH, { entityIdentifier, name: 'Banks' });
    expect([status, headers.get('location'), headers.get('etag')]).toEqual([201, `${PATH}/${body.id}`, '"1"']);
    expect(body).toMatchObject({
      entityIdentifier,
      kind: 'trust_anchor',
      authorityHints: [],
      configurationLifetimeSeconds: 86_400,
      statementLifetimeSeconds: 3600,
      endpoints: {
        configuration: 'https://anchor.example/federation-of-banks/.well-known/openid-federation',
        fetch: 'https://anchor.example/federation-of-banks/federation/fetch',
        historicalKeys: 'https://anchor.example/federation-of-banks/federation/historical-keys',
      },
    });
    const configuration = await api.service.fetch(body.endpoints.configuration);
    expect(configuration.headers.get('content-type')).toBe('application/entity-statement+jwt');
  });

  it('makes an Intermediate of one with authority_hints', async () => {
    const input = { entityIdentifier: freshIdentifier('im'), name: 'IM', authorityHints: ['https://anchor.example'] };
    expect((await api.admin.post(PATH, input)).body).toMatchObject({ kind: 'intermediate' });
  });

  it('makes one authority for one Idempotency-Key, also for requests at once', async () => {
    const input = { entityIdentifier: freshIdentifier('once'), name: 'Once' };
    const key = { 'idempotency-key': 'make it once' };
    const atOnce = await Promise.all([1, 2, 3].map(() => api.admin.post(PATH, input, key)));
    const later = await api.admin.post(PATH, { name: 'Once', entityIdentifier: input.entityIdentifier }, key);
    expect([...atOnce, later].map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set([...atOnce, later].map(({ body }) => body.id)).size).toBe(1);
  });
});

describe('400', () => {
  it.each([
    ['a fragment', 'https://anchor.example/#f'],
    ['user info', 'https://user:pass@anchor.example'],
    ['a query', 'https://anchor.example/?a=b'],
    ['no https', 'http://anchor.example'],
    ['another scheme', 'javascript:alert(1)'],
    ['white space', 'https://anchor.example/ x'],
    ['too many characters', `https://anchor.example/${'a'.repeat(2048)}`],
    ['a path that the service needs', 'https://anchor.example/api'],
    ['nothing', ''],
  ])('refuses an Entity Identifier with %s', async (_what, entityIdentifier) => {
    const answer = await api.admin.post(PATH, { entityIdentifier, name: 'x' });
    expect(refusalOf(answer)).toBe('400 validation_failed /entityIdentifier');
  });

  it.each([
    ['no name', { name: undefined }, '/name'],
    ['an unknown field', { location: 'x' }, '/location'],
    ['itself as superior', { authorityHints: ['https://fields.example'] }, '/authorityHints/0'],
    [
      'a superior with a fragment',
      { authorityHints: ['https://a.example', 'https://b.example#c'] },
      '/authorityHints/1',
    ],
    ['a lifetime of a second', { statementLifetimeSeconds: 1 }, '/statementLifetimeSeconds'],
    [
      'an endpoint of its own choice',
      { metadata: { federation_fetch_endpoint: 'https://x.example' } },
      '/metadata/federation_fetch_endpoint',
    ],
    [
      'constraints that are none',
      { defaultConstraints: { max_path_length: -1 } },
      '/defaultConstraints/max_path_length',
    ],
    [
      'a policy that is none',
      { defaultMetadataPolicy: { openid_provider: [] } },
      '/defaultMetadataPolicy/openid_provider',
    ],
    ['metadata that is no object', { metadata: [] }, '/metadata'],
  ])('refuses %s', async (_what, part, pointer) => {
    const answer = await api.admin.post(PATH, { entityIdentifier: 'https://fields.example', name: 'x', ...part });
    expect(refusalOf(answer)).toBe(`400 validation_failed ${pointer}`);
  });

  it('refuses an Idempotency-Key that is not printable', async () => {
    const input = { entityIdentifier: freshIdentifier('key'), name: 'x' };
    const answer = await api.admin.post(PATH, input, { 'idempotency-key': 'a'.repeat(201) });
    expect(refusalOf(answer)).toBe('400 validation_failed /header/Idempotency-Key');
  });
});

describe('403', () => {
  it('is for admins of everything only', async () => {
    const scoped = await api.client(['admin'], [await api.service.authority()]);
    const input = { entityIdentifier: freshIdentifier('no'), name: 'x' };
    for (const client of [api.registrar, api.approver, api.auditor, scoped]) {
      expect(refusalOf(await client.post(PATH, input))).toBe('403 role_missing');
    }
  });
});

describe('409', () => {
  it('knows each location once', async () => {
    const entityIdentifier = freshIdentifier('twice');
    await api.admin.post(PATH, { entityIdentifier, name: 'first' });
    for (const again of [entityIdentifier, `${entityIdentifier}/`, entityIdentifier.replace('https', 'HTTPS')]) {
      const answer = await api.admin.post(PATH, { entityIdentifier: again, name: 'second' });
      expect(refusalOf(answer)).toBe('409 authority_exists');
    }
  });
});

describe('422', () => {
  it('refuses an Idempotency-Key that came with another request', async () => {
    const key = { 'idempotency-key': 'used' };
    await api.admin.post(PATH, { entityIdentifier: freshIdentifier('one'), name: 'x' }, key);
    const other = await api.admin.post(PATH, { entityIdentifier: freshIdentifier('other'), name: 'x' }, key);
    expect(refusalOf(other)).toBe('422 idempotency_key_reused');
  });
});
