import { beforeEach, describe, expect, it } from 'vitest';
import { validateEntityConfiguration } from '../../src/federation/statement/validate-statement.ts';
import { createResolver, type Resolver } from '../../src/resolver/resolver.ts';
import { type TrustAnchorKeyEvent, TrustAnchorKeys } from '../../src/resolver/trust-anchor-keys.ts';
import { buildFederation, ManualClock, NOW, type TestFederation } from '../support/federation.ts';
import { serveFederation } from '../support/federation-server.ts';
import { testKey } from '../support/keys.ts';
import { testClient } from '../support/outbound.ts';

const [first, second, third] = [await testKey('ES256', 1), await testKey('ES256', 2), await testKey('ES256', 3)];
const kidsOf = ({ jwks }: TrustAnchorKeyEvent) => jwks.keys.map(({ kid }) => kid);

describe('the keys that a Trust Anchor is believed by', () => {
  let federation: TestFederation;
  let events: TrustAnchorKeyEvent[];
  let keys: TrustAnchorKeys;

  beforeEach(async () => {
    federation = await buildFederation({ anchor: { keys: [first] } });
    events = [];
    keys = new TrustAnchorKeys((event) => events.push(event));
  });

  const pinned = { keys: [first.jwk] };
  const believed = () =>
    keys
      .believed(new Map([[federation.id('anchor'), pinned]]))
      .get(federation.id('anchor'))
      ?.keys.map(({ kid }) => kid);

  async function publish(published: (typeof first)[], now = NOW): Promise<void> {
    federation.entity('anchor').keys = published;
    const jwt = await federation.configuration('anchor');
    const configuration = await validateEntityConfiguration(jwt, federation.id('anchor'), { now: NOW });
    await keys.learn(configuration, pinned, now);
  }

  it('are those pinned, as long as it publishes no others', async () => {
    await publish([first]);
    expect([believed(), events]).toEqual([[first.kid], []]);
  });

  it('do not go back to those of an older configuration, from wherever that still comes', async () => {
    await publish([first, second]);
    federation.entity('anchor').claims = { iat: NOW - 60 };
    await publish([first]);
    expect(believed()).toEqual([first.kid, second.kid]);
  });

  it('[OIDFED-11.2-4] follow a rollover step by step: new keys while the old one signs, then the new one alone', async () => {
    await publish([first, second]);
    expect(believed()).toEqual([first.kid, second.kid]);
    await publish([second, first]);
    await publish([second]);
    expect(believed()).toEqual([second.kid]);
    await publish([second, third]);
    await publish([third]);
    expect(believed()).toEqual([third.kid]);
    expect(events.map((event) => [event.kind, ...kidsOf(event)])).toEqual([
      ['learned', first.kid, second.kid],
      ['learned', second.kid],
      ['learned', second.kid, third.kid],
      ['learned', third.kid],
    ]);
  });

  it('[OIDFED-11.3-1] are not learned from a configuration that none of them signed; if that lasts, it is told once', async () => {
    await publish([second]);
    expect([believed(), events]).toEqual([[first.kid], []]);
    await publish([second], NOW + 60);
    await publish([second], NOW + 120);
    expect(believed()).toEqual([first.kid]);
    expect(events.map((event) => [event.kind, ...kidsOf(event)])).toEqual([['mismatch', second.kid]]);
  });

  it('are not told of when a mismatch has gone after rereading', async () => {
    await publish([second]);
    await publish([first], NOW + 60);
    await publish([second], NOW + 70);
    expect(events).toEqual([]);
  });

  it('are those adopted from before a restart, unless newer ones are known', async () => {
    await publish([first, second]);
    const { trustAnchor, jwks, iat } = events[0] ?? expect.unreachable();
    const learned = { trustAnchor, pinned, jwks, iat };
    expect(learned).toEqual({
      trustAnchor: federation.id('anchor'),
      pinned,
      jwks: { keys: [first.jwk, second.jwk] },
      iat: NOW,
    });
    keys = new TrustAnchorKeys((event) => events.push(event));
    const { kty, kid, ...rest } = first.jwk;
    keys.adopt([{ ...learned, pinned: { keys: [{ ...rest, kid, kty }] } }]);
    expect(believed()).toEqual([first.kid, second.kid]);
    await publish([second]);
    keys.adopt([learned]);
    expect(believed()).toEqual([second.kid]);
    keys.adopt([{ ...learned, jwks: { keys: [third.jwk] }, iat: NOW + 1 }]);
    expect(believed()).toEqual([third.kid]);
    await publish([second]);
    expect([believed(), events.length]).toEqual([[third.kid], 2]);
  });

  it('are forgotten with the pins that they were learned from', async () => {
    await publish([first, second]);
    keys.retain([{ trustAnchor: federation.id('anchor'), pinned }]);
    expect(believed()).toEqual([first.kid, second.kid]);
    keys.retain([{ trustAnchor: federation.id('anchor'), pinned: { keys: [third.jwk] } }]);
    expect(believed()).toEqual([first.kid]);
  });

  it('begin anew with other pins', async () => {
    await publish([first, second]);
    const anchors = new Map([[federation.id('anchor'), { keys: [third.jwk] }]]);
    expect(
      keys
        .believed(anchors)
        .get(federation.id('anchor'))
        ?.keys.map(({ kid }) => kid),
    ).toEqual([third.kid]);
  });
});

describe('a resolver', () => {
  it('[OIDFED-11.2-4] goes on resolving through a rollover, and not past one that it missed', async () => {
    const clock = new ManualClock();
    await using server = await serveFederation({ anchor: { keys: [first] }, op: { superiors: ['anchor'] } }, { clock });
    await using outbound = testClient();
    const { federation } = server;
    const trustAnchors = federation.trustAnchors('anchor');
    const newResolver = () => createResolver({ outbound, clock });
    const resolved = async (resolver: Resolver) => {
      clock.advance(301);
      const outcome = await resolver.resolve({ subject: federation.id('op'), trustAnchors });
      return 'resolved' in outcome ? 'resolved' : outcome.attempts.map(({ reason }) => reason).join();
    };
    const resolver = newResolver();
    expect(await resolved(resolver)).toBe('resolved');
    federation.entity('anchor').keys = [first, second];
    expect(await resolved(resolver)).toBe('resolved');
    federation.entity('anchor').keys = [second];
    expect(await resolved(resolver)).toBe('resolved');
    expect(await resolved(newResolver())).toBe('trust_anchor_key_unknown');
  });
});
