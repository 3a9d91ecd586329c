import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MEDIA_TYPE } from '../../src/federation/media-types.ts';
import type { OutboundClient } from '../../src/outbound/outbound-client.ts';
import type { Resolution } from '../../src/resolver/resolution.ts';
import { createResolver, type Resolver } from '../../src/resolver/resolver.ts';
import { StatementCache } from '../../src/resolver/statement-cache.ts';
import { LIFETIME_SECONDS, ManualClock, NOW } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testClient } from '../support/outbound.ts';

let clock: ManualClock;
let server: FederationServer;
let outbound: OutboundClient;
let resolver: Resolver;

beforeEach(async () => {
  clock = new ManualClock();
  outbound = testClient();
  server = await serveFederation(
    { anchor: {}, lower: { superiors: ['anchor'] }, op: { superiors: ['lower'] } },
    { clock },
  );
  resolver = createResolver({ outbound, clock, cache: new StatementCache({ clock, freshSeconds: 60 }) });
});

afterEach(async () => {
  await outbound[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function resolve(options: { isRefresh?: boolean } = {}): Promise<Resolution> {
  const { federation } = server;
  const trustAnchors = federation.trustAnchors('anchor');
  const outcome = await resolver.resolve({ subject: federation.id('op'), trustAnchors, ...options });
  if ('resolved' in outcome) return outcome.resolved;
  throw new Error(`not resolved: ${JSON.stringify(outcome.attempts)}`);
}

describe('a resolver', () => {
  it('asks again for nothing that is fresh, and knows how old the oldest part of an answer is', async () => {
    const headers = { 'Content-Type': MEDIA_TYPE.entityStatement, 'Cache-Control': 'public, max-age=600' };
    server.override(server.configurationUrl('anchor'), { headers });
    expect(await resolve()).toMatchObject({ oldestAt: NOW, freshUntil: NOW + 60 });
    expect(server.requests).toHaveLength(5);
    clock.advance(49);
    expect(await resolve()).toMatchObject({ oldestAt: NOW, freshUntil: NOW + 60 });
    expect(server.requests).toHaveLength(5);
    clock.advance(11);
    expect(await resolve()).toMatchObject({ oldestAt: NOW, freshUntil: NOW + 120 });
    expect(server.requests).toHaveLength(9);
  });

  it('asks ahead of time when it refreshes', async () => {
    await resolve();
    clock.advance(58);
    await resolve({ isRefresh: true });
    expect(server.requests).toHaveLength(10);
  });

  it('[OIDFED-11-1] gives a chain with a later end once the old one has expired', async () => {
    expect((await resolve()).expiresAt).toBe(NOW + LIFETIME_SECONDS);
    clock.advance(LIFETIME_SECONDS);
    expect((await resolve()).expiresAt).toBe(NOW + 2 * LIFETIME_SECONDS);
  });

  it('shares its requests between resolutions at the same time, also of subjects side by side', async () => {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => resolve()));
    expect(new Set(outcomes.map(({ trustChain }) => trustChain.join()))).toHaveLength(1);
    expect(server.requests).toHaveLength(5);
  });

  it.each(['no-store', 'no-cache', 'max-age=0'])(
    'gives what holds a little while also where a server says %s, and asks it once',
    async (value) => {
      const headers = { 'Content-Type': MEDIA_TYPE.entityStatement, 'Cache-Control': value };
      server.override(server.configurationUrl('op'), { headers });
      expect(await resolve()).toMatchObject({ freshUntil: NOW + 10 });
      await resolve();
      expect(server.requestCount(server.configurationUrl('op'))).toBe(2);
      expect(server.requests).toHaveLength(6);
    },
  );

  it('takes no more bytes than its budget', async () => {
    const { federation } = server;
    const trustAnchors = federation.trustAnchors('anchor');
    const small = createResolver({ outbound, clock, budget: { maxBytes: 1500 } });
    const outcome = await small.resolve({ subject: federation.id('op'), trustAnchors });
    expect('attempts' in outcome && outcome.attempts.map(({ reason }) => reason)).toContain('budget_exhausted');
  });

  it('gives every valid chain when asked to, the best first', async () => {
    await using wide = await serveFederation(
      {
        anchor: {},
        left: { superiors: ['anchor'] },
        right: { superiors: ['anchor'] },
        op: { superiors: ['right', 'left'] },
      },
      { clock },
    );
    const { federation } = wide;
    const outcome = await resolver.resolve({
      subject: federation.id('op'),
      trustAnchors: federation.trustAnchors('anchor'),
      isEveryChainWanted: true,
    });
    if (!('resolved' in outcome)) throw new Error('not resolved');
    const superiorOf = ({ trustChain }: Resolution) =>
      JSON.parse(Buffer.from(trustChain[1]?.split('.')[1] ?? '', 'base64url').toString()).iss;
    expect(superiorOf(outcome.resolved)).toBe(federation.id('right'));
    expect(outcome.alternatives?.map(superiorOf)).toEqual([federation.id('left')]);
  });
});
