import { afterAll, describe, expect, it } from 'vitest';
import { createResolver } from '../../src/resolver/resolver.ts';
import { verdictOf } from '../../src/resolver/verdict.ts';
import { type EntitySettings, LIFETIME_SECONDS, ManualClock, NOW } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testKey } from '../support/keys.ts';
import { testClient } from '../support/outbound.ts';
import { ends, names, type Outcome, type ResolveOptions, resolveFrom } from '../support/resolving.ts';

const outbound = testClient();

afterAll(async () => {
  await outbound[Symbol.asyncDispose]();
});

const provider = (identifier: string): Record<string, object> => ({
  openid_provider: { issuer: identifier, contacts: ['ops@op.example'] },
});

function resolve(server: FederationServer, subject = 'op', options: Partial<ResolveOptions> = {}): Promise<Outcome> {
  return resolveFrom(server, subject, { outbound, ...options });
}

describe('resolved', () => {
  it('[OIDFED-8.3-4] gives metadata with superior metadata and policy applied, over the chain found', async () => {
    await using server = await serveFederation({
      anchor: {},
      lower: {
        superiors: { anchor: { metadata_policy: { openid_provider: { contacts: { add: ['help@anchor.example'] } } } } },
      },
      op: {
        superiors: { lower: { metadata: { openid_provider: { organization_name: 'Known to lower' } } } },
        metadata: provider,
      },
    });
    const { resolved } = await resolve(server);
    const { federation } = server;
    expect(resolved?.metadata['openid_provider']).toEqual({
      issuer: federation.id('op'),
      organization_name: 'Known to lower',
      contacts: ['ops@op.example', 'help@anchor.example'],
    });
    expect(resolved).toMatchObject({ subject: federation.id('op'), trustAnchor: federation.id('anchor') });
  });

  it("[OIDFED-4-2] gives the chain with the Trust Anchor's configuration at the end", async () => {
    await using server = await serveFederation({
      anchor: {},
      lower: { superiors: ['anchor'] },
      op: { superiors: ['lower'] },
    });
    const { resolved } = await resolve(server);
    const claims = resolved?.trustChain.map((jwt) =>
      JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()),
    );
    expect(claims?.map(({ iss, sub }) => names(server, [iss, sub]))).toEqual([
      'op op',
      'lower op',
      'anchor lower',
      'anchor anchor',
    ]);
  });

  it('[OIDFED-10.4-1] expires with the statement of the chain that expires first', async () => {
    await using server = await serveFederation({
      anchor: { claims: { exp: NOW + 90 } },
      lower: { superiors: { anchor: { exp: NOW + 100 } } },
      op: { superiors: ['lower'] },
    });
    expect((await resolve(server)).resolved?.expiresAt).toBe(NOW + 90);
    server.federation.entity('anchor').claims = {};
    expect((await resolve(server)).resolved?.expiresAt).toBe(NOW + 100);
    server.federation.entity('lower').superiors.set('anchor', {});
    expect((await resolve(server)).resolved?.expiresAt).toBe(NOW + LIFETIME_SECONDS);
  });

  it('[OIDFED-8.3-12] gives the Trust Anchor itself over its configuration alone, with its own metadata', async () => {
    await using server = await serveFederation({ anchor: {}, op: { superiors: ['anchor'] } });
    const { resolved } = await resolve(server, 'anchor');
    expect(resolved?.trustChain).toHaveLength(1);
    expect(resolved?.metadata['federation_entity']).toMatchObject({ organization_name: 'anchor' });
    expect(resolved?.trustAnchor).toBe(server.federation.id('anchor'));
  });

  it('[OIDFED-8.1-5] asks the endpoint that a superior publishes itself, whatever its own superior says about it', async () => {
    await using server = await serveFederation({
      anchor: {},
      lower: {
        superiors: {
          anchor: {
            metadata: { federation_entity: { federation_fetch_endpoint: 'https://elsewhere.example/fetch' } },
            metadata_policy: {
              federation_entity: { federation_fetch_endpoint: { value: 'https://elsewhere.example/fetch' } },
            },
          },
        },
      },
      op: { superiors: ['lower'] },
    });
    expect((await resolve(server)).resolved?.subject).toBe(server.federation.id('op'));
    expect(server.requestCount(server.fetchUrl('lower', 'op'))).toBe(1);
  });

  it('[OIDFED-10.1-3] sends each request once, shared superiors included', async () => {
    await using server = await serveFederation({
      anchor: {},
      join: { superiors: ['anchor'] },
      left: { superiors: ['join'] },
      right: { superiors: ['join'] },
      op: { superiors: ['left', 'right'] },
    });
    const { federation } = server;
    const resolver = createResolver({ outbound, clock: new ManualClock() });
    const request = { subject: federation.id('op'), trustAnchors: federation.trustAnchors('anchor') };
    await resolver.resolve({ ...request, isEveryChainWanted: true });
    expect(server.requests).toHaveLength(10);
    expect(new Set(server.requests.map(({ url }) => url)).size).toBe(10);
  });
});

describe('choice', () => {
  const diamond: Record<string, EntitySettings> = {
    anchor: {},
    middle: { superiors: ['anchor'] },
    first: { superiors: ['middle'] },
    second: { superiors: ['anchor'] },
    op: { superiors: ['first', 'second'] },
  };

  const superiorOf = (server: FederationServer, { resolved }: Outcome): string =>
    names(server, [JSON.parse(Buffer.from(resolved?.trustChain[1]?.split('.')[1] ?? '', 'base64url').toString()).iss]);

  it('[OIDFED-10.3-2] takes the superior that the subject names first, whoever answers first and however long', async () => {
    await using server = await serveFederation(diamond);
    expect(superiorOf(server, await resolve(server))).toBe('first');
    server.override(server.configurationUrl('first'), { delayMs: 50 });
    expect(superiorOf(server, await resolve(server))).toBe('first');
  });

  it('[OIDFED-10.3-1] validates each chain for itself: one refused for its policy does not spoil the other', async () => {
    await using server = await serveFederation({
      ...diamond,
      op: {
        superiors: {
          first: { metadata_policy: { openid_provider: { contacts: { subset_of: ['x'], superset_of: ['x'] } } } },
          second: {},
        },
        metadata: provider,
      },
    });
    expect(superiorOf(server, await resolve(server))).toBe('second');
  });

  it('[OIDFED-10.1-6] reaches the anchor above an anchor that signs with a key that is not pinned', async () => {
    await using server = await serveFederation({
      upper: {},
      anchor: { superiors: ['upper'] },
      op: { superiors: ['anchor'] },
    });
    const trustAnchors = server.federation.trustAnchors('anchor', 'upper');
    trustAnchors.set(server.federation.id('anchor'), { keys: [(await testKey('ES256', 99)).jwk] });
    const resolver = createResolver({ outbound, clock: new ManualClock() });
    const outcome: Outcome = await resolver.resolve({ subject: server.federation.id('op'), trustAnchors });
    expect(outcome.resolved?.trustAnchor).toBe(server.federation.id('upper'));
    expect(outcome.resolved?.trustChain).toHaveLength(4);
  });
});

describe('refused', () => {
  it('[OIDFED-10.2-4] refuses a Trust Anchor whose keys are not the pinned ones, as a complete chain', async () => {
    await using server = await serveFederation({ anchor: {}, op: { superiors: ['anchor'] } });
    const trustAnchors = new Map([[server.federation.id('anchor'), { keys: [(await testKey('ES256', 99)).jwk] }]]);
    const resolver = createResolver({ outbound, clock: new ManualClock() });
    const outcome: Outcome = await resolver.resolve({ subject: server.federation.id('op'), trustAnchors });
    expect(ends(server, outcome)).toEqual(['op anchor: trust_anchor_key_unknown at ES[2] header/kid']);
    expect(outcome.attempts?.[0]?.complete).toBe(true);
    expect(outcome.requests).toBe(3);
  });

  it('[OIDFED-8.3-17] says that the subject does not exist only on a definite 404 of its own configuration', async () => {
    await using server = await serveFederation({ anchor: {}, op: { superiors: ['anchor', 'gone'] }, gone: {} });
    server.override(server.configurationUrl('anchor'), { status: 404 });
    server.override(server.configurationUrl('gone'), { status: 404 });
    const { attempts = [] } = await resolve(server);
    expect(verdictOf(attempts)).toBe('invalid_trust_chain');
    server.override(server.configurationUrl('op'), { status: 404 });
    const outcome = await resolve(server);
    expect(ends(server, outcome)).toEqual(['op: entity_not_found at Entity Configuration']);
    expect(verdictOf(outcome.attempts ?? [])).toBe('not_found');
  });

  it('[OIDFED-8.3-18] calls a chain invalid when the superior does not vouch for the subject any more', async () => {
    await using server = await serveFederation({ anchor: {}, op: { superiors: ['anchor'] } });
    server.override(server.fetchUrl('anchor', 'op'), { status: 404 });
    const outcome = await resolve(server);
    expect(ends(server, outcome)).toEqual(['op anchor: subject_not_active at Subordinate Statement']);
    expect(verdictOf(outcome.attempts ?? [])).toBe('invalid_trust_chain');
  });

  it('[OIDFED-8.3-19] calls metadata invalid when every chain fails for a policy, with all the reasons', async () => {
    const policy = { metadata_policy: { openid_provider: { issuer: { one_of: ['https://other.example'] } } } };
    await using server = await serveFederation({
      anchor: {},
      left: { superiors: ['anchor'] },
      right: { superiors: ['anchor'] },
      op: { superiors: { left: policy, right: policy }, metadata: provider },
    });
    const outcome = await resolve(server);
    expect(outcome.attempts?.map(({ chain, reason, complete }) => [names(server, chain), reason, complete])).toEqual([
      ['op left anchor', 'policy_value_not_allowed', true],
      ['op right anchor', 'policy_value_not_allowed', true],
    ]);
    expect(verdictOf(outcome.attempts ?? [])).toBe('invalid_metadata');
  });

  it('[OIDFED-8.3-20] is temporary when a server on the only way fails', async () => {
    await using server = await serveFederation({ anchor: {}, op: { superiors: ['anchor'] } });
    server.override(server.fetchUrl('anchor', 'op'), { status: 503 });
    const outcome = await resolve(server);
    expect(ends(server, outcome)).toEqual(['op anchor: server_unavailable at Subordinate Statement']);
    expect(verdictOf(outcome.attempts ?? [])).toBe('temporarily_unavailable');
  });

  it('[OIDFED-10.1-5] gives reasons and no chain when there is no way to the Trust Anchor', async () => {
    await using server = await serveFederation({ anchor: {}, other: {}, op: { superiors: ['other'] } });
    const outcome = await resolve(server);
    expect(ends(server, outcome)).toEqual(['op other: trust_anchor_unknown at Entity Configuration /authority_hints']);
  });
});

describe('hostile surroundings', () => {
  it('resolves over the good branch while others are dead, garbage, looping or about somebody else', async () => {
    await using server = await serveFederation({
      anchor: {},
      garbage: { superiors: ['anchor'] },
      mirror: { superiors: ['anchor'] },
      loop: { superiors: ['looper', 'loop', 'op'] },
      looper: { superiors: ['loop'] },
      good: { superiors: ['anchor'] },
      op: { superiors: ['http://127.0.0.1:1/dead', 'garbage', 'mirror', 'loop', 'good'] },
    });
    server.override(server.configurationUrl('garbage'), {
      headers: { 'Content-Type': 'application/entity-statement+jwt' },
      body: new Uint8Array([0xff, 0xfe, 0x00, 0x2e, 0x2e]),
    });
    const body = await server.federation.configuration('op');
    server.override(server.fetchUrl('mirror', 'op'), { body });
    const outcome = await resolve(server);
    expect(outcome.resolved?.trustChain).toHaveLength(4);

    server.override(server.configurationUrl('good'), { status: 404 });
    const refused = await resolve(server);
    expect(ends(server, refused)).toEqual([
      'op http://127.0.0.1:1/dead: connection_failed at Entity Configuration',
      'op garbage: jwt_malformed at Entity Configuration header',
      'op mirror: not_subordinate_statement at Subordinate Statement /iss',
      'op loop looper loop: trust_chain_loop at Entity Configuration /authority_hints/0',
      'op loop loop: trust_chain_loop at Entity Configuration /authority_hints/1',
      'op loop op: trust_chain_loop at Entity Configuration /authority_hints/2',
      'op good: entity_not_found at Entity Configuration',
    ]);
  });

  it('resolves over the good branch when another never answers, within its time', async () => {
    await using server = await serveFederation({
      anchor: {},
      slow: { superiors: ['anchor'] },
      good: { superiors: ['anchor'] },
      op: { superiors: ['slow', 'good'] },
    });
    server.override(server.configurationUrl('slow'), { neverAnswers: true });
    const { resolved } = await resolve(server, 'op', { timeoutMs: 400 });
    expect(resolved?.trustChain).toHaveLength(4);
    server.override(server.fetchUrl('good', 'op'), { neverAnswers: true });
    const outcome = await resolve(server, 'op', { timeoutMs: 400 });
    expect(ends(server, outcome)).toEqual([
      'op slow: timed_out at Entity Configuration',
      'op good: timed_out at Subordinate Statement',
    ]);
    expect(verdictOf(outcome.attempts ?? [])).toBe('temporarily_unavailable');
  });

  it('does not wait for a server that cannot change the choice, but an explanation does, and says so', async () => {
    await using server = await serveFederation({
      anchor: {},
      good: { superiors: ['anchor'] },
      slow: { superiors: ['anchor'] },
      op: { superiors: ['good', 'slow'] },
    });
    server.override(server.configurationUrl('slow'), { neverAnswers: true });
    // Longer than this test may take.
    const { resolved } = await resolve(server, 'op', { timeoutMs: 60_000 });
    expect(resolved?.trustChain).toHaveLength(4);
    const { federation } = server;
    const request = { subject: federation.id('op'), trustAnchors: federation.trustAnchors('anchor') };
    const resolver = createResolver({ outbound, clock: new ManualClock(), timeoutMs: 400 });
    const { outcome, deadEnds } = await resolver.explain(request);
    expect((outcome as Outcome).resolved?.trustChain).toHaveLength(4);
    expect(ends(server, { attempts: deadEnds })).toEqual(['op slow: timed_out at Entity Configuration']);
  });

  it('waits for what may lead to a Trust Anchor that goes before', async () => {
    await using server = await serveFederation({
      first: {},
      second: {},
      good: { superiors: ['second'] },
      slow: { superiors: ['first'] },
      op: { superiors: ['good', 'slow'] },
    });
    server.override(server.configurationUrl('slow'), { delayMs: 50 });
    const { federation } = server;
    const request = { subject: federation.id('op'), trustAnchors: federation.trustAnchors('first', 'second') };
    const resolver = createResolver({ outbound, clock: new ManualClock() });
    const chosenBy = async (isTrustAnchorOrderBinding: boolean) =>
      ((await resolver.resolve({ ...request, isTrustAnchorOrderBinding })) as Outcome).resolved?.trustAnchor;
    expect(await chosenBy(true)).toBe(federation.id('first'));
    expect(await chosenBy(false)).toBe(federation.id('second'));
  });

  it('ends with the signal of the caller', async () => {
    await using server = await serveFederation({ op: {} });
    server.override(server.configurationUrl('op'), { neverAnswers: true });
    const controller = new AbortController();
    const resolver = createResolver({ outbound, clock: new ManualClock() });
    const subject = server.federation.id('op');
    const resolving = resolver.resolve({ subject, trustAnchors: new Map(), signal: controller.signal });
    await expect.poll(() => server.requests.length).toBe(1);
    controller.abort();
    expect(ends(server, await resolving)).toEqual(['op: timed_out at Entity Configuration']);
  });

  it('resolves on a dense graph of twelve entities that all name and vouch for each other', async () => {
    const nodes = Array.from({ length: 12 }, (_, index) => `n${index}`);
    const others = (name: string): string[] => nodes.filter((node) => node !== name);
    await using server = await serveFederation({
      ...Object.fromEntries(nodes.map((name) => [name, { superiors: [...others(name), 'anchor'] }])),
      anchor: {},
      op: { superiors: nodes },
    });
    const { resolved } = await resolve(server);
    expect(resolved?.trustChain).toHaveLength(4);
    expect(server.requests.length).toBeLessThanOrEqual(256);
  });

  it('[OIDFED-9-2] does not take the hint with a trailing slash for the superior without one', async () => {
    await using server = await serveFederation({ anchor: {}, op: {} });
    const withSlash = `${server.federation.id('anchor')}/`;
    server.federation.entity('op').claims = { authority_hints: [withSlash] };
    const outcome = await resolve(server);
    expect(ends(server, outcome)).toEqual([`op ${withSlash}: subject_mismatch at Entity Configuration /sub`]);
  });
});
