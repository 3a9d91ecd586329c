import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { ALGORITHM_NAMES } from '../../../src/federation/signature.ts';
import { validateEntityConfiguration } from '../../../src/federation/statement/validate-statement.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { claimsOf, headerOf, jwtOf } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { freshIdentifier, outcome } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const MEDIA_TYPE = 'application/entity-statement+jwt';
const WELL_KNOWN = '/.well-known/openid-federation';

describe.each(DATABASE_KINDS)('the Entity Configuration on the %s database', (kind) => {
  let service: TestService;

  beforeAll(async () => {
    service = await startTestService(kind);
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  async function configurationOf(authority: Authority): Promise<string> {
    return await jwtOf(await service.ask(authority, 'configuration'), MEDIA_TYPE);
  }

  it('[OIDFED-9-3] [OIDFED-15-1] is a valid statement of the authority about itself', async () => {
    const authority = await service.authority({ name: 'The Federation' });
    const jwt = await configurationOf(authority);
    const now = service.clock.now();
    await validateEntityConfiguration(jwt, authority.entityIdentifier as EntityIdentifier, { now });
    const base = authority.entityIdentifier;
    const { keys } = await service.jwks(authority);
    expect(headerOf(jwt)).toEqual({ typ: 'entity-statement+jwt', alg: 'ES256', kid: keys[0]?.kid });
    expect(claimsOf(jwt)).toEqual({
      iss: base,
      sub: base,
      iat: now,
      exp: now + 24 * 3600,
      jwks: { keys },
      metadata: {
        federation_entity: {
          organization_name: 'The Federation',
          federation_fetch_endpoint: `${base}/federation/fetch`,
          federation_list_endpoint: `${base}/federation/list`,
          federation_resolve_endpoint: `${base}/federation/resolve`,
          federation_resolve_endpoint_auth_methods: ['none', 'private_key_jwt'],
          endpoint_auth_signing_alg_values_supported: ALGORITHM_NAMES,
          federation_historical_keys_endpoint: `${base}/federation/historical-keys`,
          federation_extended_list_endpoint: `${base}/federation/extended-list`,
          federation_subordinate_events_endpoint: `${base}/federation/subordinate-events`,
          federation_collection_endpoint: `${base}/federation/collection`,
        },
      },
    });
  });

  it('[OIDFED-3.1.1-4] [OIDFED-3.1.1-3] shows public keys only, each with a kid of its own', async () => {
    const { jwks } = claimsOf(await configurationOf(await service.authority())) as { jwks: { keys: object[] } };
    expect(jwks.keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
        kid: expect.stringMatching(/^[\w-]{43}$/),
        alg: 'ES256',
        use: 'sig',
      },
    ]);
  });

  it('[OIDFED-9-4] [OIDFED-3.1.1-6] is published at once by every authority, with the type that it plays', async () => {
    const first = await service.authority();
    const second = await service.authority({ authorityHints: [first.entityIdentifier] });
    for (const authority of [first, second]) {
      expect(claimsOf(await configurationOf(authority))).toHaveProperty('metadata.federation_entity');
    }
  });

  it('[OIDFED-3.1.2-3] [OIDFED-3.1.2-2] of a Trust Anchor has no hints, not even empty ones', async () => {
    const claims = claimsOf(await configurationOf(await service.authority()));
    expect(claims).not.toHaveProperty('authority_hints');
    expect(claims).not.toHaveProperty('trust_anchor_hints');
  });

  it('[OIDFED-3.1.2-1] of an Intermediate names its superiors in their order', async () => {
    const hints = [freshIdentifier('b-anchor'), freshIdentifier('a-anchor')];
    const authority = await service.authority({ authorityHints: hints });
    expect(claimsOf(await configurationOf(authority))).toMatchObject({ authority_hints: hints });
  });

  it('carries the informational parameters of the authority', async () => {
    const metadata = { 'organization_name#sv': 'Federationen', contacts: ['ops@federation.example'] };
    const authority = await service.authority({ metadata });
    expect(claimsOf(await configurationOf(authority))).toMatchObject({ metadata: { federation_entity: metadata } });
  });

  it('is signed once: the same bytes until half its life is over, for restarted services too', async () => {
    const authority = await service.authority({ configurationLifetimeSeconds: 1000 });
    const first = await configurationOf(authority);
    service.clock.advance(399);
    expect(await configurationOf(authority)).toBe(first);
    await service.restart();
    expect(await configurationOf(authority)).toBe(first);
    service.clock.advance(101);
    expect(claimsOf(await configurationOf(authority))).toMatchObject({ iat: service.clock.now() });
  });

  it('follows a change of the authority at once', async () => {
    const authority = await service.authority({ name: 'Old' });
    await configurationOf(authority);
    await updateAuthority(service.context(), authority.id, { name: 'New', configurationLifetimeSeconds: 600 });
    expect(claimsOf(await configurationOf(authority))).toMatchObject({
      metadata: { federation_entity: { organization_name: 'New' } },
      exp: service.clock.now() + 600,
    });
  });

  describe('is found', () => {
    it.each([
      ['', WELL_KNOWN],
      ['/', WELL_KNOWN],
      ['/t1', `/t1${WELL_KNOWN}`],
      ['/t1/', `/t1${WELL_KNOWN}`],
      [':8443/a/b', `:8443/a/b${WELL_KNOWN}`],
    ])('[OIDFED-9-1] of https://host%s at https://host%s', async (path, place) => {
      const host = freshIdentifier('place');
      const authority = await service.authority({ entityIdentifier: `${host}${path}` });
      const jwt = await jwtOf(await service.fetch(`${host}${place}`), MEDIA_TYPE);
      expect(claimsOf(jwt)).toMatchObject({ iss: authority.entityIdentifier, sub: authority.entityIdentifier });
    });

    it('not with the path behind the well-known part, nor under another path or host', async () => {
      const host = freshIdentifier('elsewhere');
      await service.authority({ entityIdentifier: `${host}/t1` });
      const others = [
        `${host}${WELL_KNOWN}/t1`,
        `${host}${WELL_KNOWN}`,
        `${host}/t1/x${WELL_KNOWN}`,
        `${host}/T1${WELL_KNOWN}`,
      ];
      for (const url of [...others, `${freshIdentifier('unknown')}${WELL_KNOWN}`]) {
        const response = await service.fetch(url);
        expect([url, response.status, response.headers.get('content-type')]).toEqual([
          url,
          404,
          'application/problem+json',
        ]);
      }
    });

    it('[OIDFED-9-2] by one authority at a place only, trailing slash or not', async () => {
      const entityIdentifier = freshIdentifier('one');
      await service.authority({ entityIdentifier });
      expect(await outcome(service.authority({ entityIdentifier: `${entityIdentifier}/` }))).toBe('authority_exists');
      expect(await outcome(service.authority({ entityIdentifier: `${entityIdentifier}:443` }))).toBe(
        'authority_exists',
      );
    });

    it('whatever the case of the host, which the identifier keeps', async () => {
      const host = freshIdentifier('case').replace('https://case', 'https://Case');
      await service.authority({ entityIdentifier: host });
      for (const url of [host, host.toLowerCase(), host.replace('Case', 'CASE')]) {
        expect(claimsOf(await jwtOf(await service.fetch(`${url}${WELL_KNOWN}`), MEDIA_TYPE))).toMatchObject({
          sub: host,
        });
      }
    });

    it('with the default port given or not, and behind a proxy that speaks http to us', async () => {
      const { entityIdentifier: host } = await service.authority();
      for (const url of [
        host,
        `${host}:443`,
        host.replace('https:', 'http:'),
        `${host.replace('https:', 'http:')}:443`,
      ]) {
        expect(claimsOf(await jwtOf(await service.fetch(`${url}${WELL_KNOWN}`), MEDIA_TYPE))).toMatchObject({
          sub: host,
        });
      }
    });

    it('at a port that would be the default of the other scheme', async () => {
      const host = `${freshIdentifier('port')}:80`;
      await service.authority({ entityIdentifier: host });
      expect(claimsOf(await jwtOf(await service.fetch(`${host}${WELL_KNOWN}`), MEDIA_TYPE))).toMatchObject({
        sub: host,
      });
    });

    it('of each of several authorities on one host', async () => {
      const host = freshIdentifier('shared');
      const paths = ['', '/a', '/b', '/a/b'];
      const authorities = [];
      for (const path of paths) authorities.push(await service.authority({ entityIdentifier: `${host}${path}` }));
      const jwts = await Promise.all(authorities.map(configurationOf));
      expect(jwts.map((jwt) => claimsOf(jwt)['sub'])).toEqual(paths.map((path) => `${host}${path}`));
      expect(new Set(jwts.map((jwt) => headerOf(jwt)['kid'])).size).toBe(paths.length);
    });
  });
});
