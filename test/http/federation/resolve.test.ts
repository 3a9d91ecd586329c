import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TYP } from '../../../src/federation/media-types.ts';
import { parseSignedJwt, verifySignature } from '../../../src/federation/signature.ts';
import { validateTrustChain } from '../../../src/federation/trust-chain/validate-trust-chain.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { pinTrustAnchor } from '../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { DEFAULT_FRESH_SECONDS } from '../../../src/resolver/statement-cache.ts';
import { claimsOf, headerOf, jwtOf } from '../../support/answers.ts';
import type { EntitySettings } from '../../support/federation.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { type Query, startTestService, type TestService } from '../../support/service.ts';

const MEDIA_TYPE = 'application/resolve-response+jwt';

const RP_METADATA = {
  openid_relying_party: { client_name: 'Shop', scope: 'openid profile phone', grant_types: ['authorization_code'] },
};

let service: TestService;

beforeAll(async () => {
  service = await startTestService('embedded');
});

afterEach(() => expect(service.failures).toEqual([]));

afterAll(() => service[Symbol.asyncDispose]());

/** Publishes entities below an authority of ours; each names it as its superior unless told otherwise. */
function publish(authority: Authority, entities: Record<string, EntitySettings>): Promise<FederationServer> {
  const superiors = [authority.entityIdentifier];
  const settings = Object.entries(entities).map(([name, entity]) => [name, { superiors, ...entity }]);
  return serveFederation(Object.fromEntries(settings), { clock: service.clock });
}

async function resolve(authority: Authority, sub: string, query: Exclude<Query, string> = {}): Promise<string> {
  const parameters = { sub, trust_anchor: authority.entityIdentifier, ...query };
  return await jwtOf(await service.ask(authority, 'resolve', parameters), MEDIA_TYPE);
}

/** What validates the chain of an answer, as a relying party would that does not trust the resolver. */
async function validated(jwt: string, anchor: Authority): ReturnType<typeof validateTrustChain> {
  const { trust_chain: chain } = claimsOf(jwt) as { trust_chain: string[] };
  return await validateTrustChain(chain, {
    now: service.clock.now(),
    trustAnchors: await service.trustAnchors(anchor),
  });
}

describe('an answer', () => {
  it('[OIDFED-8.3-1] [OIDFED-8.3-2] [OIDFED-8.3-4] [OIDFED-8.3-6] [OIDFED-15-1] has what a valid chain leads to, and the chain', async () => {
    const policy = {
      openid_relying_party: { scope: { subset_of: ['openid', 'profile'] }, contacts: { add: ['ops@ta.example'] } },
    };
    const anchor = await service.authority({ defaultMetadataPolicy: policy });
    await using server = await publish(anchor, { rp: { metadata: RP_METADATA } });
    await service.admit(await service.organisation(anchor), server.federation, 'rp');
    const jwt = await resolve(anchor, server.federation.id('rp'));

    const jwks = await service.jwks(anchor);
    expect(headerOf(jwt)).toEqual({ typ: 'resolve-response+jwt', alg: 'ES256', kid: jwks.keys[0]?.kid });
    await verifySignature(parseSignedJwt(jwt, TYP.resolveResponse), jwks);
    const now = service.clock.now();
    expect(claimsOf(jwt)).toEqual({
      iss: anchor.entityIdentifier,
      sub: server.federation.id('rp'),
      iat: now,
      exp: now + 3600,
      metadata: {
        federation_entity: { organization_name: 'rp' },
        openid_relying_party: {
          ...RP_METADATA.openid_relying_party,
          scope: 'openid profile',
          contacts: ['ops@ta.example'],
        },
      },
      trust_chain: [expect.any(String), expect.any(String), expect.any(String)],
    });
    const chain = await validated(jwt, anchor);
    expect(chain.metadata).toEqual(claimsOf(jwt)['metadata']);
    const steps = chain.statements.map(({ claims: { iss, sub } }) => [iss, sub]);
    const [rp, ta] = [server.federation.id('rp'), anchor.entityIdentifier];
    expect(steps).toEqual([
      [rp, rp],
      [ta, rp],
      [ta, ta],
    ]);
  });

  it('[OIDFED-8.3-7] does not live longer than its chain', async () => {
    const anchor = await service.authority({ statementLifetimeSeconds: 7200, resolveLifetimeSeconds: 7200 });
    const end = service.clock.now() + 200;
    await using server = await publish(anchor, {
      short: { claims: { exp: end } },
      long: { claims: { exp: end + 86_400 } },
    });
    const organisation = await service.organisation(anchor);
    await service.admit(organisation, server.federation, 'short', { statementLifetimeSeconds: 3600 });
    await service.admit(organisation, server.federation, 'long', { statementLifetimeSeconds: 600 });
    const short = await resolve(anchor, server.federation.id('short'));
    expect(claimsOf(short)).toMatchObject({ exp: end });
    const long = await resolve(anchor, server.federation.id('long'));
    expect(claimsOf(long)).toMatchObject({ exp: service.clock.now() + 600 });
    expect((await validated(long, anchor)).expiresAt).toBe(service.clock.now() + 600);
  });

  it('lives as long as the authority says where its chain lives longer, and is signed anew at half its life', async () => {
    const anchor = await service.authority({ resolveLifetimeSeconds: 300 });
    await using server = await publish(anchor, { rp: { metadata: RP_METADATA } });
    await service.admit(await service.organisation(anchor), server.federation, 'rp');
    const first = await resolve(anchor, server.federation.id('rp'));
    expect(claimsOf(first)).toMatchObject({ exp: service.clock.now() + 300 });
    service.clock.advance(149);
    expect(await resolve(anchor, server.federation.id('rp'))).toBe(first);
    service.clock.advance(1);
    const second = claimsOf(await resolve(anchor, server.federation.id('rp')));
    expect(second).toMatchObject({ iat: service.clock.now(), exp: service.clock.now() + 300 });
    expect(second['trust_chain']).toEqual(claimsOf(first)['trust_chain']);
    expect(server.requests).toHaveLength(1);
  });

  it('is found again without asking the subject, while what it published is fresh', async () => {
    const anchor = await service.authority();
    await using server = await publish(anchor, { rp: { metadata: RP_METADATA } });
    await service.admit(await service.organisation(anchor), server.federation, 'rp');
    const jwts = await Promise.all(Array.from({ length: 5 }, () => resolve(anchor, server.federation.id('rp'))));
    expect(new Set(jwts.map((jwt) => String(claimsOf(jwt)['trust_chain']))).size).toBe(1);
    service.clock.advance(DEFAULT_FRESH_SECONDS / 2);
    await resolve(anchor, server.federation.id('rp'));
    expect(server.requests).toHaveLength(1);
    service.clock.advance(DEFAULT_FRESH_SECONDS / 2);
    expect(claimsOf(await resolve(anchor, server.federation.id('rp')))).toMatchObject({ iat: service.clock.now() });
    expect(server.requests).toHaveLength(2);
  });

  it('[OIDFED-8-1] does not change with parameters that mean nothing', async () => {
    const anchor = await service.authority();
    const jwt = await resolve(anchor, anchor.entityIdentifier);
    expect(await resolve(anchor, anchor.entityIdentifier, { type: 'x', anchor: 'https://old.example' })).toBe(jwt);
  });

  it('takes sub and trust_anchor with colons and slashes as they are', async () => {
    const anchor = await service.authority();
    const raw = `sub=${anchor.entityIdentifier}&trust_anchor=${anchor.entityIdentifier}`;
    const response = await service.ask(anchor, 'resolve', raw);
    expect(await jwtOf(response, MEDIA_TYPE)).toBe(await resolve(anchor, anchor.entityIdentifier));
  });
});

describe('entity_type', () => {
  let anchor: Authority;
  let server: FederationServer;

  beforeAll(async () => {
    anchor = await service.authority();
    const metadata = (issuer: string) => ({ ...RP_METADATA, openid_provider: { issuer }, oauth_resource: {} });
    server = await publish(anchor, { both: { metadata } });
    await service.admit(await service.organisation(anchor), server.federation, 'both');
  });

  afterAll(() => server[Symbol.asyncDispose]());

  async function typesFor(entityTypes?: string[]): Promise<string[]> {
    const jwt = await resolve(anchor, server.federation.id('both'), entityTypes && { entity_type: entityTypes });
    return Object.keys(claimsOf(jwt)['metadata'] as object).toSorted();
  }

  it('[OIDFED-8.3-5] chooses the types of the metadata; absent, all are there', async () => {
    const all = ['federation_entity', 'oauth_resource', 'openid_provider', 'openid_relying_party'];
    expect(await typesFor()).toEqual(all);
    expect(await typesFor(['openid_provider'])).toEqual(['openid_provider']);
    expect(await typesFor(['openid_relying_party', 'openid_provider', 'openid_provider'])).toEqual(all.slice(2));
    expect(await typesFor(['federation_entity'])).toEqual(['federation_entity']);
    expect(await typesFor()).toEqual(all);
  });

  it('[OIDFED-8.3-14] that the subject does not play is no error; none left gives {}', async () => {
    expect(await typesFor(['oauth_client', 'openid_provider'])).toEqual(['openid_provider']);
    for (const none of [
      ['oauth_client'],
      ['https://example.com/unheard-of'],
      [''],
      ['__proto__', 'constructor', 'a\0b'],
    ]) {
      expect(await typesFor(none)).toEqual([]);
    }
  });

  it('[OIDFED-8.3-14] that a constraint takes away is no error', async () => {
    const strict = await service.authority({ defaultConstraints: { allowed_entity_types: ['openid_relying_party'] } });
    await using below = await publish(strict, {
      both: { metadata: (issuer) => ({ ...RP_METADATA, openid_provider: { issuer } }) },
    });
    await service.admit(await service.organisation(strict), below.federation, 'both');
    const jwt = await resolve(strict, below.federation.id('both'), { entity_type: 'openid_provider' });
    expect(claimsOf(jwt)).toMatchObject({ metadata: {} });
  });
});

describe('trust_anchor', () => {
  it('[OIDFED-8.3-3] may be repeated; any one that leads to a chain will do', async () => {
    const anchor = await service.authority();
    await using server = await publish(anchor, { rp: { metadata: RP_METADATA } });
    await service.admit(await service.organisation(anchor), server.federation, 'rp');
    const [rp, ta] = [server.federation.id('rp'), anchor.entityIdentifier];
    const unknown = 'https://unknown.example';
    for (const anchors of [
      [unknown, ta],
      [ta, unknown],
      [ta, ta],
    ]) {
      expect((await validated(await resolve(anchor, rp, { trust_anchor: anchors }), anchor)).trustAnchor).toBe(ta);
    }
  });

  it('may be one of others that is pinned, even where the first one asked for leads nowhere', async () => {
    const own = await service.authority();
    await using server = await serveFederation(
      { elsewhere: {}, rp: { superiors: [own.entityIdentifier, 'elsewhere'], metadata: RP_METADATA } },
      { clock: service.clock },
    );
    const { federation } = server;
    const empty = await service.authority();
    await service.admit(await service.organisation(own), federation, 'rp');
    const pin = { entityIdentifier: federation.id('elsewhere'), jwks: federation.jwks('elsewhere') };
    await pinTrustAnchor(service.context(), own.id, pin);
    const jwt = await resolve(own, federation.id('rp'), {
      trust_anchor: [empty.entityIdentifier, pin.entityIdentifier],
    });
    const { trust_chain: chain } = claimsOf(jwt) as { trust_chain: string[] };
    const validation = { now: service.clock.now(), trustAnchors: federation.trustAnchors('elsewhere') };
    expect((await validateTrustChain(chain, validation)).trustAnchor).toBe(pin.entityIdentifier);
  });
});

describe('the Trust Anchor itself as subject', () => {
  it('[OIDFED-8.3-12] has a chain of its configuration alone, and its own metadata without any policy', async () => {
    const policy = { federation_entity: { organization_name: { value: 'Renamed' } } };
    const anchor = await service.authority({ name: 'The Anchor', defaultMetadataPolicy: policy });
    const jwt = await resolve(anchor, anchor.entityIdentifier);
    const configuration = await (await service.ask(anchor, 'configuration')).text();
    expect(claimsOf(jwt)).toMatchObject({
      sub: anchor.entityIdentifier,
      metadata: claimsOf(configuration)['metadata'],
      trust_chain: [configuration],
      exp: service.clock.now() + 3600,
    });
    expect((await validated(jwt, anchor)).statements).toHaveLength(1);
    expect(claimsOf(await resolve(anchor, anchor.entityIdentifier, { entity_type: 'openid_provider' }))).toMatchObject({
      metadata: {},
    });
    await updateAuthority(service.context(), anchor.id, { name: 'The Other' });
    expect(claimsOf(await resolve(anchor, anchor.entityIdentifier))).toMatchObject({
      metadata: { federation_entity: { organization_name: 'The Other' } },
    });
  });
});

describe('an Intermediate of ours in the middle', () => {
  it('[OIDFED-8.3-6] gives the whole chain, with both policies, to callers of both authorities, and asks the leaf alone', async () => {
    const anchor = await service.authority({
      defaultMetadataPolicy: {
        openid_relying_party: { grant_types: { subset_of: ['authorization_code', 'implicit'] } },
      },
    });
    const { intermediate } = await service.intermediate(anchor, await service.organisation(anchor));
    await updateAuthority(service.context(), intermediate.id, {
      defaultMetadataPolicy: { openid_relying_party: { grant_types: { subset_of: ['authorization_code'] } } },
    });
    const metadata = { openid_relying_party: { grant_types: ['implicit', 'authorization_code'] } };
    await using server = await publish(intermediate, { leaf: { metadata } });
    await service.admit(await service.organisation(intermediate), server.federation, 'leaf');
    const [leaf, above, top] = [server.federation.id('leaf'), intermediate.entityIdentifier, anchor.entityIdentifier];
    for (const resolver of [anchor, intermediate]) {
      const jwt = await resolve(resolver, leaf, { trust_anchor: top });
      expect(claimsOf(jwt)).toMatchObject({
        iss: resolver.entityIdentifier,
        metadata: { openid_relying_party: { grant_types: ['authorization_code'] } },
      });
      const { statements } = await validated(jwt, anchor);
      expect(statements.map(({ claims: { iss, sub } }) => [iss, sub])).toEqual([
        [leaf, leaf],
        [above, leaf],
        [top, above],
        [top, top],
      ]);
    }
    const asked = server.requests.map(({ url }) => url);
    expect(new Set(asked)).toEqual(new Set([server.configurationUrl('leaf')]));
  });

  it('can be resolved itself, and can be the Trust Anchor of those below it', async () => {
    const anchor = await service.authority();
    const { intermediate } = await service.intermediate(anchor, await service.organisation(anchor));
    const jwt = await resolve(anchor, intermediate.entityIdentifier);
    expect((await validated(jwt, anchor)).statements).toHaveLength(3);
    await using server = await publish(intermediate, { leaf: { metadata: RP_METADATA } });
    await service.admit(await service.organisation(intermediate), server.federation, 'leaf');
    const short = await resolve(intermediate, server.federation.id('leaf'));
    expect((await validated(short, intermediate)).statements).toHaveLength(3);
  });
});

describe('an Intermediate of others in the middle', () => {
  it('is asked for what it says about its subordinates', async () => {
    const anchor = await service.authority();
    await using server = await serveFederation(
      { outside: { superiors: [anchor.entityIdentifier] }, leaf: { superiors: ['outside'], metadata: RP_METADATA } },
      { clock: service.clock },
    );
    const { federation } = server;
    await service.admit(await service.organisation(anchor), federation, 'outside', { verifiedIntermediate: true });
    const query = { sub: federation.id('leaf'), trust_anchor: anchor.entityIdentifier };
    const headers = await service.bearer(['auditor']);
    const jwt = await jwtOf(await service.ask(anchor, 'resolve', query, { headers }), MEDIA_TYPE);
    expect((await validated(jwt, anchor)).statements.map(({ claims: { sub } }) => sub)).toEqual([
      federation.id('leaf'),
      federation.id('leaf'),
      federation.id('outside'),
      anchor.entityIdentifier,
    ]);
    expect(server.requestCount(server.fetchUrl('outside', 'leaf'))).toBe(1);
  });
});
