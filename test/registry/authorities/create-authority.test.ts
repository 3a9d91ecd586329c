import { asc } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_LIFETIMES } from '../../../src/registry/authorities/authority.ts';
import { createAuthority, type NewAuthority } from '../../../src/registry/authorities/create-authority.ts';
import { DEFAULT_KEY_SETTINGS } from '../../../src/registry/authorities/keys/key-settings.ts';
import { listAuthorityKeys, readAuthority } from '../../../src/registry/authorities/read-authority.ts';
import { authorityKeys } from '../../../src/storage/schema/authority-keys.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import {
  actor,
  freshIdentifier,
  generateTestKey,
  NOW_DATE,
  openRegistry,
  outcome,
  type TestRegistry,
} from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('createAuthority on %s', (kind) => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await openRegistry(kind);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const create = (settings: Partial<NewAuthority> = {}) => {
    const input = { entityIdentifier: freshIdentifier('authority'), name: 'Test Federation', ...settings };
    return createAuthority(registry.context(), input, generateTestKey);
  };

  it('makes a Trust Anchor with the default lifetimes', async () => {
    const entityIdentifier = freshIdentifier('anchor');
    const authority = await create({ entityIdentifier });
    expect(authority).toEqual({
      id: authority.id,
      entityIdentifier,
      location: entityIdentifier.replace('https://', ''),
      name: 'Test Federation',
      authorityHints: [],
      metadata: {},
      defaultMetadataPolicy: {},
      defaultConstraints: null,
      ...DEFAULT_LIFETIMES,
      ...DEFAULT_KEY_SETTINGS,
      trustMarkIssuers: {},
      trustMarkOwners: {},
      endpointAuthentication: {},
      keyProposals: 'hold',
      requiredContactTypes: ['incident'],
      contactConfirmationDays: 365,
      lapseGraceDays: 30,
      onLapse: 'none',
      enrolmentFlow: null,
      fourEyes: 'off',
      listedPurposes: [],
      version: 1,
      createdAt: NOW_DATE,
    });
    expect(DEFAULT_LIFETIMES).toEqual({
      configurationLifetimeSeconds: 86_400,
      statementLifetimeSeconds: 3600,
      resolveLifetimeSeconds: 3600,
    });
    expect(await readAuthority(registry.db, actor(), authority.id)).toEqual(authority);
  });

  it('makes an Intermediate with what is said about it', async () => {
    const settings = {
      authorityHints: ['https://anchor.example'],
      metadata: { contacts: ['ops@authority.example'], 'organization_name#de': 'Verbund' },
      defaultMetadataPolicy: { openid_provider: { contacts: { essential: true } } },
      defaultConstraints: { max_path_length: 1 },
      configurationLifetimeSeconds: 60,
      statementLifetimeSeconds: 90 * 86_400,
      resolveLifetimeSeconds: 600,
    };
    expect(await create(settings)).toMatchObject(settings);
  });

  it('makes its first key, whose private half is kept sealed only and shown to nobody', async () => {
    const authority = await create();
    const [key, ...others] = await listAuthorityKeys(registry.db, actor(), authority.id);
    expect(others).toEqual([]);
    expect(key).toMatchObject({ alg: 'ES256', purpose: 'federation', state: 'active', createdAt: NOW_DATE });
    expect(key?.publicJwk).toMatchObject({ kid: key?.kid, alg: 'ES256', use: 'sig', kty: 'EC' });
    expect(Object.keys(key?.publicJwk ?? {})).not.toContain('d');
    expect(Object.keys(key ?? {})).not.toContain('sealedPrivateKey');
    const [row] = await registry.db.select().from(authorityKeys).orderBy(asc(authorityKeys.id));
    expect(row?.sealedPrivateKey?.length).toBeGreaterThan(100);
  });

  describe('two authorities never share a place', () => {
    it.each([
      ['the same identifier', (id: string) => id],
      ['a trailing slash more', (id: string) => `${id}/`],
      ['another case of the host', (id: string) => id.replace('place', 'PLACE')],
      ['the default port said', (id: string) => id.replace('.example', '.example:443')],
    ])('%s', async (_what, spell) => {
      const entityIdentifier = `${freshIdentifier('place')}/sector`;
      await create({ entityIdentifier });
      const seq = await registry.seq();
      expect(await outcome(create({ entityIdentifier: spell(entityIdentifier) }))).toBe('authority_exists');
      expect(await registry.seq()).toBe(seq);
    });

    it('but another path, port or case of the path is another place', async () => {
      const host = freshIdentifier('place');
      for (const entityIdentifier of [host, `${host}/sector`, `${host}/Sector`, `${host}:8443`, `${host}/sector/a`]) {
        expect(await outcome(create({ entityIdentifier }))).toBe('done');
      }
    });

    it('of two that are made at once, one is', async () => {
      const entityIdentifier = freshIdentifier('race');
      const outcomes = await Promise.all([
        outcome(create({ entityIdentifier })),
        outcome(create({ entityIdentifier })),
      ]);
      expect(outcomes.sort()).toEqual(['authority_exists', 'done']);
    });
  });

  it.each<[string, Partial<NewAuthority>, string]>([
    ['an identifier with a fragment', { entityIdentifier: 'https://a.example/#x' }, '/entityIdentifier'],
    ['an identifier with user info', { entityIdentifier: 'https://u@a.example' }, '/entityIdentifier'],
    ['http beyond loopback', { entityIdentifier: 'http://a.example' }, '/entityIdentifier'],
    ['a path of the service', { entityIdentifier: 'https://a.example/api' }, '/entityIdentifier'],
    ['a malformed hint', { authorityHints: ['https://b.example', 'b.example'] }, '/authorityHints/1'],
    ['a hint twice', { authorityHints: ['https://b.example', 'https://b.example'] }, '/authorityHints'],
    [
      'itself as its superior',
      { entityIdentifier: 'https://self.example', authorityHints: ['https://self.example'] },
      '/authorityHints/0',
    ],
    [
      '[OIDFED-5.2.1-1] keys in its metadata',
      { metadata: { jwks_uri: 'https://a.example/keys' } },
      '/metadata/jwks_uri',
    ],
    [
      'an endpoint in its metadata',
      { metadata: { federation_fetch_endpoint: 'x' } },
      '/metadata/federation_fetch_endpoint',
    ],
    ['a second name', { metadata: { organization_name: 'x' } }, '/metadata/organization_name'],
    ['[OIDFED-3.2-11] null in its metadata', { metadata: { contacts: null } }, '/metadata/contacts'],
    ['a malformed policy', { defaultMetadataPolicy: { openid_provider: 1 } }, '/defaultMetadataPolicy/openid_provider'],
    [
      '[OIDFED-6.2.3-3] federation_entity among the allowed types',
      { defaultConstraints: { allowed_entity_types: ['federation_entity'] } },
      '/defaultConstraints/allowed_entity_types/0',
    ],
    ['a lifetime too short', { configurationLifetimeSeconds: 59 }, '/configurationLifetimeSeconds'],
    ['a lifetime too long', { statementLifetimeSeconds: 90 * 86_400 + 1 }, '/statementLifetimeSeconds'],
    ['no number', { resolveLifetimeSeconds: Number.NaN }, '/resolveLifetimeSeconds'],
  ])('refuses %s', async (_what, settings, place) => {
    const seq = await registry.seq();
    expect(await outcome(create(settings))).toBe(`validation_failed at ${place}`);
    expect(await registry.seq()).toBe(seq);
  });

  it('[OIDFED-1.2-4] takes http on loopback, and elsewhere only when the operator allows it', async () => {
    const name = 'Test Federation';
    const at = (entityIdentifier: string, allowHttp: boolean) => {
      const context = registry.context(actor(), { allowHttp });
      return outcome(createAuthority(context, { entityIdentifier, name }, generateTestKey));
    };
    expect(await at('http://localhost:8080', false)).toBe('done');
    expect(await at('http://inside.example', false)).toBe('validation_failed at /entityIdentifier');
    expect(await at('http://inside.example', true)).toBe('done');
  });
});
