import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createResolver,
  type Resolution,
  ResolutionCache,
  type ResolveOutcome,
  type ResolverOptions,
  StatementCache,
  type TrustAnchorKeyEvent,
} from '../../src/resolver/library.ts';
import { ManualClock } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testKey } from '../support/keys.ts';
import {
  AUDITED,
  bear,
  entry,
  MEMBER,
  recognise,
  serveStatus,
  statusAnswer,
  statusMetadata,
  trustMark,
} from '../support/trust-marks.ts';

const CHAIN = {
  anchor: {},
  intermediate: { superiors: ['anchor'] },
  op: { superiors: ['intermediate'], metadata: (id: string) => ({ openid_provider: { issuer: id } }) },
};

/** What a relying party on this machine needs to say; the test federation's clock stands still. */
function optionsFor(server: FederationServer, ...anchors: string[]): ResolverOptions {
  const { federation } = server;
  const trustAnchors = (anchors.length > 0 ? anchors : ['anchor']).map((name) => ({
    entityIdentifier: federation.id(name),
    jwks: federation.jwks(name),
  }));
  return { trustAnchors, clock: federation.clock, allow: '127.0.0.1' };
}

describe('createResolver of the library', () => {
  it('tells metadata, chain, anchor and expiry of an entity that is vouched for', async () => {
    await using server = await serveFederation(CHAIN);
    const { federation } = server;
    await using resolver = createResolver(optionsFor(server));
    const outcome = await resolver.resolve(federation.id('op'));
    expect(outcome).toMatchObject({
      resolved: {
        subject: federation.id('op'),
        trustAnchor: federation.id('anchor'),
        metadata: { openid_provider: { issuer: federation.id('op') } },
        expiresAt: federation.clock.now() + 3600,
      },
    });
    expect('resolved' in outcome && outcome.resolved.trustChain).toHaveLength(4);
  });

  it('tells every way that was tried when there is no valid chain', async () => {
    await using server = await serveFederation({ ...CHAIN, stranger: {} });
    await using resolver = createResolver(optionsFor(server));
    expect(await resolver.resolve(server.federation.id('stranger'))).toMatchObject({
      attempts: [{ chain: [server.federation.id('stranger')], reason: 'no_authority_hints', section: '10.1' }],
    });
  });

  it('explains either outcome as plain JSON', async () => {
    await using server = await serveFederation({ ...CHAIN, stranger: {} });
    await using resolver = createResolver(optionsFor(server));
    const explanation = await resolver.explain(server.federation.id('op'));
    expect(explanation).toMatchObject({ verdict: 'resolved', chains: [{ verdict: 'chosen' }] });
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    expect(await resolver.explain(server.federation.id('stranger'))).toMatchObject({
      verdict: 'refused',
      attempts: [{ reason: 'no_authority_hints', whoCanMend: { role: 'subject' } }],
    });
  });

  it('takes a map of pinned keys as well, and believes no other keys', async () => {
    await using server = await serveFederation(CHAIN);
    const { federation } = server;
    const wrong = new Map([[federation.id('anchor'), federation.jwks('op')]]);
    await using trusting = createResolver({ ...optionsFor(server), trustAnchors: federation.trustAnchors('anchor') });
    await using wary = createResolver({ ...optionsFor(server), trustAnchors: wrong });
    expect(await trusting.resolve(federation.id('op'))).toHaveProperty('resolved');
    expect(await wary.resolve(federation.id('op'))).toMatchObject({
      attempts: [{ reason: 'trust_anchor_key_unknown', section: '10.2' }],
    });
  });

  it('resolves to the Trust Anchors that a question names, out of its own', async () => {
    await using server = await serveFederation({ ...CHAIN, other: {}, rp: { superiors: ['anchor', 'other'] } });
    const { federation } = server;
    await using resolver = createResolver(optionsFor(server, 'anchor', 'other'));
    const rp = federation.id('rp');
    const other = await resolver.resolve(rp, { trustAnchors: [federation.id('other')] });
    expect(other).toMatchObject({ resolved: { trustAnchor: federation.id('other') } });
    expect(await resolver.resolve(rp)).toMatchObject({ resolved: { trustAnchor: federation.id('anchor') } });
    await expect(resolver.resolve(rp, { trustAnchors: ['https://unknown.example'] })).rejects.toThrow(
      new TypeError('https://unknown.example is none of the Trust Anchors of this resolver'),
    );
    await expect(resolver.resolve(rp, { trustAnchors: [] })).rejects.toThrow(TypeError);
  });

  it.each([
    [
      '[OIDFED-1.2-1] a Trust Anchor without https',
      { entityIdentifier: 'http://fed.example' },
      'entity_identifier_invalid',
    ],
    ['a JWK Set without keys', { jwks: { keys: [] } }, 'jwks_invalid'],
    ['private keys', { jwks: { keys: [{ kty: 'EC', kid: '1', d: 'x' }] } }, 'jwk_private'],
  ])('refuses %s at once', (_what, changes, reason) => {
    const anchor = { entityIdentifier: 'https://fed.example', jwks: { keys: [] }, ...changes };
    expect(() => createResolver({ trustAnchors: [anchor] })).toThrow(expect.objectContaining({ reason }));
  });

  it('refuses to be made without a Trust Anchor, or with one twice', async () => {
    await using server = await serveFederation(CHAIN);
    const { trustAnchors } = optionsFor(server);
    expect(() => createResolver({ trustAnchors: [] })).toThrow(TypeError);
    expect(() => createResolver({ trustAnchors: [...trustAnchors, ...trustAnchors] as [] })).toThrow('given twice');
  });

  it('refuses a subject that is no Entity Identifier', async () => {
    await using server = await serveFederation(CHAIN);
    await using resolver = createResolver(optionsFor(server));
    await expect(resolver.resolve('op')).rejects.toMatchObject({ reason: 'entity_identifier_invalid' });
  });

  it('contacts no private address unless it is told so', async () => {
    await using server = await serveFederation(CHAIN);
    await using resolver = createResolver({ ...optionsFor(server), allow: undefined });
    expect(await resolver.resolve(server.federation.id('op'))).toMatchObject({
      attempts: [{ reason: 'address_forbidden' }],
    });
    expect(server.requests).toEqual([]);
  });

  it('asks through a fetch that is handed over, and through nothing else', async () => {
    await using server = await serveFederation(CHAIN);
    const urls: string[] = [];
    await using resolver = createResolver({
      ...optionsFor(server),
      allow: undefined,
      fetch: (url, init) => {
        urls.push(url);
        return fetch(url, init);
      },
    });
    expect(await resolver.resolve(server.federation.id('op'))).toHaveProperty('resolved');
    expect(urls.toSorted()).toEqual(server.requests.map(({ url }) => url).toSorted());
    expect(urls).toHaveLength(5);
  });

  it('gives every valid chain to those who want them, and one to all others', async () => {
    await using server = await serveFederation({ ...CHAIN, other: {}, rp: { superiors: ['anchor', 'other'] } });
    const { federation } = server;
    await using resolver = createResolver(optionsFor(server, 'anchor', 'other'));
    const rp = federation.id('rp');
    expect(await resolver.resolve(rp)).not.toHaveProperty('alternatives');
    expect(await resolver.resolve(rp, { isEveryChainWanted: true })).toMatchObject({
      resolved: { trustAnchor: federation.id('anchor') },
      alternatives: [{ trustAnchor: federation.id('other') }],
    });
  });

  it('judges a chain that was handed over, now or as of another moment, without a request', async () => {
    await using server = await serveFederation(CHAIN);
    const { federation } = server;
    const op = federation.id('op');
    await using resolver = createResolver(optionsFor(server));
    const chain = await federation.chain('op', 'intermediate', 'anchor');
    const trustAnchor = federation.id('anchor');
    expect(await resolver.verify(op, chain)).toMatchObject({ resolved: { trustAnchor, trustChain: chain } });
    const at = federation.clock.now() + 3600 + 30;
    const refused = { attempts: [{ reason: 'statement_expired', section: '3.2' }] };
    expect(await resolver.verify(op, chain, { at })).toMatchObject(refused);
    expect(await resolver.verify(op, chain.slice(1))).toHaveProperty('attempts');
    expect(server.requests).toEqual([]);
  });

  it('keeps to its budget', async () => {
    await using server = await serveFederation(CHAIN);
    await using resolver = createResolver({ ...optionsFor(server), budget: { maxDepth: 1 } });
    const outcome = await resolver.resolve(server.federation.id('op'));
    expect('attempts' in outcome && outcome.attempts.map(({ reason }) => reason)).toContain('budget_exhausted');
  });
});

describe('Trust Marks', () => {
  const WITH_ISSUER = { ...CHAIN, issuer: { superiors: ['anchor'], metadata: statusMetadata } };
  const FRAMEWORK_TYP = 'framework-mark+jwt';
  const clock = new ManualClock();
  let server: FederationServer;
  let status: string;
  let mark: string;

  beforeEach(async () => {
    server = await serveFederation(WITH_ISSUER, { clock });
    status = 'active';
    const { federation } = server;
    recognise(federation, { issuers: { [MEMBER]: ['issuer'] } });
    serveStatus(server, 'issuer', async (jwt) => ({ body: await statusAnswer(federation, 'issuer', jwt, status) }));
    mark = await trustMark(federation, 'issuer', 'op', MEMBER, { claims: { exp: clock.now() + 600 } });
    bear(federation, 'op', entry(mark));
  });

  afterEach(() => server[Symbol.asyncDispose]());

  async function resolvedBy(settings: Partial<ResolverOptions> = {}): Promise<Resolution> {
    await using resolver = createResolver({ ...optionsFor(server), ...settings });
    return resolvedOf(await resolver.resolve(server.federation.id('op')));
  }

  function resolvedOf(outcome: ResolveOutcome): Resolution {
    if ('resolved' in outcome) return outcome.resolved;
    throw new Error(`not resolved: ${JSON.stringify(outcome.attempts)}`);
  }

  it('[OIDFED-7.3-1] [OIDFED-7.3-8] are given where they hold and are active, and the first of them to expire ends the answer', async () => {
    const endsAt = clock.now() + 600;
    expect(await resolvedBy()).toMatchObject({
      trustMarks: [
        { trust_mark_type: MEMBER, trust_mark: mark, issuer: server.federation.id('issuer'), expiresAt: endsAt },
      ],
      refusedTrustMarks: [],
      expiresAt: endsAt,
    });
    bear(server.federation, 'op');
    expect(await resolvedBy()).toMatchObject({ trustMarks: [], refusedTrustMarks: [], expiresAt: clock.now() + 3600 });
  });

  it('[OIDFED-17.5-1] that do not count are left out, each with its reason, and end nothing', async () => {
    const { federation } = server;
    const short = { claims: { exp: clock.now() + 60 } };
    const foreign = await trustMark(federation, 'intermediate', 'op', MEMBER, short);
    bear(
      federation,
      'op',
      entry(foreign),
      entry(mark),
      entry(await trustMark(federation, 'issuer', 'op', AUDITED, short), AUDITED),
    );
    const { trustMarks, refusedTrustMarks, expiresAt } = await resolvedBy();
    expect(trustMarks.map(({ trust_mark }) => trust_mark)).toEqual([mark]);
    expect(refusedTrustMarks).toEqual([
      {
        trust_mark_type: MEMBER,
        reason: 'trust_mark_issuer_not_trusted',
        section: '17.5',
        at: '/trust_marks/0/trust_mark /iss',
        message: expect.stringContaining(federation.id('intermediate')),
      },
      {
        trust_mark_type: AUDITED,
        reason: 'trust_mark_type_unrecognised',
        section: '17.5',
        at: '/trust_marks/2/trust_mark /trust_mark_type',
        message: expect.stringContaining(federation.id('anchor')),
      },
    ]);
    expect(expiresAt).toBe(clock.now() + 600);
  });

  it('[OIDFED-8.4-8] that were revoked are left out of a kept answer after a minute', async () => {
    await using resolver = createResolver(optionsFor(server));
    const marksNow = async (): Promise<number> =>
      resolvedOf(await resolver.resolve(server.federation.id('op'))).trustMarks.length;
    expect(await marksNow()).toBe(1);
    status = 'revoked';
    clock.advance(59);
    expect(await marksNow()).toBe(1);
    clock.advance(1);
    expect(await marksNow()).toBe(0);
    expect(await resolvedBy()).toMatchObject({
      refusedTrustMarks: [{ reason: 'trust_mark_status_not_active', section: '8.4' }],
    });
  });

  it('speak for themselves where their issuers are not to be asked', async () => {
    status = 'revoked';
    expect(await resolvedBy({ isTrustMarkStatusAsked: false })).toMatchObject({ trustMarks: [{ trust_mark: mark }] });
  });

  it('[OIDFED-7-3] have the typ of a framework only where that is accepted', async () => {
    const header = { typ: FRAMEWORK_TYP };
    bear(server.federation, 'op', entry(await trustMark(server.federation, 'issuer', 'op', MEMBER, { header })));
    expect(await resolvedBy()).toMatchObject({ refusedTrustMarks: [{ reason: 'typ_invalid', section: '7.3' }] });
    expect(await resolvedBy({ trustMarkTyps: [FRAMEWORK_TYP] })).toMatchObject({
      trustMarks: [{ issuer: expect.any(String) }],
    });
  });

  it('are looked at within their budget', async () => {
    bear(server.federation, 'op', entry(mark), entry(mark));
    expect(await resolvedBy({ trustMarkBudget: { maxMarks: 1 } })).toMatchObject({
      trustMarks: [{ trust_mark: mark }],
      refusedTrustMarks: [{ reason: 'budget_exhausted', at: '/trust_marks/1' }],
    });
  });

  it('of a chain that was handed over are judged too, unless the chain is judged as of another moment', async () => {
    const { federation } = server;
    await using resolver = createResolver(optionsFor(server));
    const chain = await federation.chain('op', 'intermediate', 'anchor');
    const now = resolvedOf(await resolver.verify(federation.id('op'), chain));
    expect(now).toMatchObject({ trustMarks: [{ trust_mark: mark }], expiresAt: clock.now() + 600 });
    const past = resolvedOf(await resolver.verify(federation.id('op'), chain, { at: clock.now() }));
    expect(past).toMatchObject({ trustMarks: [], expiresAt: clock.now() + 3600 });
  });

  it('are explained: which of them count, and why the others do not', async () => {
    const { federation } = server;
    bear(federation, 'op', entry(mark), entry(await trustMark(federation, 'intermediate', 'op')));
    await using resolver = createResolver(optionsFor(server));
    expect(await resolver.explain(federation.id('op'))).toMatchObject({
      resolution: {
        trustMarks: [{ trust_mark: mark }],
        refusedTrustMarks: [{ reason: 'trust_mark_issuer_not_trusted', whoCanMend: { role: 'trust_anchor' } }],
      },
    });
  });
});

describe('its cache', () => {
  it('answers again without requests, until the answer expires', async () => {
    const clock = new ManualClock();
    await using server = await serveFederation(CHAIN, { clock });
    await using resolver = createResolver(optionsFor(server));
    const first = await resolver.resolve(server.federation.id('op'));
    const { length } = server.requests;
    expect(await resolver.resolve(server.federation.id('op'))).toBe(first);
    expect(server.requests).toHaveLength(length);
    clock.advance(3600);
    expect(await resolver.resolve(server.federation.id('op'))).toHaveProperty('resolved');
    expect(server.requests.length).toBeGreaterThan(length);
  });

  it('lets callers with one question share the requests', async () => {
    await using server = await serveFederation(CHAIN);
    await using resolver = createResolver(optionsFor(server));
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => resolver.resolve(server.federation.id('op'))));
    expect(new Set(outcomes).size).toBe(1);
    expect(server.requests).toHaveLength(5);
  });

  it('can be left out: each question is judged anew, by the statements that are fresh', async () => {
    await using server = await serveFederation(CHAIN);
    await using resolver = createResolver({ ...optionsFor(server), cache: false });
    const first = await resolver.resolve(server.federation.id('op'));
    const second = await resolver.resolve(server.federation.id('op'));
    expect(second).not.toBe(first);
    expect(second).toEqual(first);
    expect(server.requests).toHaveLength(5);
  });

  it('of statements can be shared between resolvers', async () => {
    await using server = await serveFederation(CHAIN);
    const statements = new StatementCache({ clock: server.federation.clock });
    await using one = createResolver({ ...optionsFor(server), statements });
    await using another = createResolver({ ...optionsFor(server), statements });
    await one.resolve(server.federation.id('op'));
    expect(await another.resolve(server.federation.id('op'))).toHaveProperty('resolved');
    expect(server.requests).toHaveLength(5);
  });

  it('can be shared, and gives no resolver what another judged by its own keys', async () => {
    await using server = await serveFederation(CHAIN);
    const { federation } = server;
    const cache = new ResolutionCache({ clock: federation.clock });
    await using trusting = createResolver({ ...optionsFor(server), cache });
    const wrong = new Map([[federation.id('anchor'), federation.jwks('op')]]);
    await using wary = createResolver({ ...optionsFor(server), trustAnchors: wrong, cache });
    expect(await trusting.resolve(federation.id('op'))).toHaveProperty('resolved');
    expect(await wary.resolve(federation.id('op'))).toHaveProperty('attempts');
    expect(cache.size).toBe(2);
  });
});

describe('keys that a Trust Anchor rolled over to', () => {
  it('are told in a form that the next resolver goes on from', async () => {
    const [first, second] = [await testKey('ES256', 51), await testKey('ES256', 52)];
    await using server = await serveFederation({ anchor: { keys: [first] }, op: { superiors: ['anchor'] } });
    const { federation } = server;
    const options = optionsFor(server);
    federation.entity('anchor').keys = [first, second];
    const told: TrustAnchorKeyEvent[] = [];
    {
      await using resolver = createResolver({ ...options, onTrustAnchorKeys: (event) => told.push(event) });
      expect(await resolver.resolve(federation.id('op'))).toHaveProperty('resolved');
    }
    federation.entity('anchor').keys = [second];
    const kept = told.filter(({ kind }) => kind === 'learned');
    const restored = JSON.parse(JSON.stringify(kept)) as typeof kept;
    await using resolver = createResolver({ ...options, learnedTrustAnchorKeys: restored });
    expect(await resolver.resolve(federation.id('op'))).toHaveProperty('resolved');
    await using forgetful = createResolver(options);
    expect(await forgetful.resolve(federation.id('op'))).toHaveProperty('attempts');
  });
});

describe('an end of the waiting', () => {
  it.each([{ cache: false } as const, {}])('comes with the reason of the signal (%j)', async (settings) => {
    await using server = await serveFederation(CHAIN);
    server.override(server.configurationUrl('op'), { neverAnswers: true });
    await using resolver = createResolver({ ...optionsFor(server), ...settings });
    const controller = new AbortController();
    const reason = new Error('the user left');
    const outcome = expect(resolver.resolve(server.federation.id('op'), { signal: controller.signal })).rejects.toBe(
      reason,
    );
    controller.abort(reason);
    await outcome;
    await expect(resolver.resolve(server.federation.id('op'), { signal: controller.signal })).rejects.toBe(reason);
  });

  it('for one caller is none for the others', async () => {
    await using server = await serveFederation(CHAIN);
    await using resolver = createResolver(optionsFor(server));
    const controller = new AbortController();
    const given = expect(resolver.resolve(server.federation.id('op'), { signal: controller.signal })).rejects.toThrow(
      'the user left',
    );
    const patient = resolver.resolve(server.federation.id('op'));
    controller.abort(new Error('the user left'));
    await given;
    expect(await patient).toHaveProperty('resolved');
  });

  it.each([undefined, fetch])('comes when the resolver is disposed of', async (given) => {
    await using server = await serveFederation(CHAIN);
    const asked = Promise.withResolvers<void>();
    server.override(server.configurationUrl('op'), () => asked.resolve());
    const resolver = createResolver({ ...optionsFor(server), fetch: given });
    const outcome = expect(resolver.resolve(server.federation.id('op'))).rejects.toThrow('closed');
    await asked.promise;
    await resolver[Symbol.asyncDispose]();
    await outcome;
  });
});
