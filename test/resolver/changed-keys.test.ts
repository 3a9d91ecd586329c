import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import { MEDIA_TYPE } from '../../src/federation/media-types.ts';
import type { OutboundClient } from '../../src/outbound/outbound-client.ts';
import type { ResolveRequest } from '../../src/resolver/resolution.ts';
import { createResolver, type Resolver } from '../../src/resolver/resolver.ts';
import { DOUBT_SECONDS, StatementCache } from '../../src/resolver/statement-cache.ts';
import { ManualClock } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testKey } from '../support/keys.ts';
import { testClient } from '../support/outbound.ts';

const [old, rolled] = [await testKey('ES256', 31), await testKey('ES256', 32)];

let clock: ManualClock;
let server: FederationServer;
let outbound: OutboundClient;
let cache: StatementCache;
let resolver: Resolver;

beforeEach(async () => {
  clock = new ManualClock();
  outbound = testClient();
  const below = { superiors: ['lower'] };
  server = await serveFederation(
    {
      anchor: { keys: [old] },
      lower: { superiors: ['anchor'], keys: [old] },
      op: { ...below, keys: [old] },
      ...{ rp: below, late: below, later: below, latest: below, other: { superiors: ['anchor'] } },
    },
    { clock },
  );
  cache = new StatementCache({ clock, freshSeconds: 3000 });
  resolver = createResolver({ outbound, clock, cache });
});

afterEach(async () => {
  await outbound[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function verdict(subject: string, request: Partial<ResolveRequest> = {}, by = resolver): Promise<string> {
  const { federation } = server;
  const trustAnchors = federation.trustAnchors('anchor');
  const outcome = await by.resolve({ subject: federation.id(subject), trustAnchors, ...request });
  return 'resolved' in outcome ? 'resolved' : [...new Set(outcome.attempts.map(({ reason }) => reason))].join();
}

/** The number of requests that some work sends. */
async function requestsOf(work: () => Promise<unknown>): Promise<number> {
  const before = server.requests.length;
  await work();
  return server.requests.length - before;
}

function roll(name: string, keys = [rolled]): void {
  server.federation.entity(name).keys = keys;
}

describe('an entity that changed its keys without a time of overlap', () => {
  it('is read again when a statement of it has a kid that its kept configuration lacks', async () => {
    expect(await verdict('op')).toBe('resolved');
    clock.advance(60);
    roll('lower');
    const requests = await requestsOf(async () => expect(await verdict('rp')).toBe('resolved'));
    // Its own configuration, its statement twice, and what it doubted: configuration and statement of `lower`.
    expect(requests).toBe(5);
    expect(await requestsOf(() => verdict('rp'))).toBe(0);
  });

  it.each([
    ['the subject, when its superior states its new keys already', 'op', () => server.fetchUrl('lower', 'op')],
    ['an Intermediate, when it signs with new keys already', 'lower', () => server.configurationUrl('lower')],
  ])('is read again as %s', async (_, name, readAnyway) => {
    const headers = { 'Content-Type': MEDIA_TYPE.entityStatement, 'Cache-Control': 'max-age=10' };
    server.override(readAnyway(), { headers });
    expect(await verdict('op')).toBe('resolved');
    clock.advance(60);
    roll(name);
    expect(await verdict('op')).toBe('resolved');
  });

  it('is read again as a Trust Anchor that rolled over, or whose new keys were pinned', async () => {
    expect(await verdict('op')).toBe('resolved');
    clock.advance(60);
    roll('anchor', [old, rolled]);
    const signed = await server.federation.subordinateStatement('anchor', 'other', { key: rolled });
    server.override(server.fetchUrl('anchor', 'other'), { body: signed });
    const pinned = new Map([[server.federation.id('anchor'), { keys: [old.jwk] }]]);
    expect(await verdict('other', { trustAnchors: pinned })).toBe('resolved');
    clock.advance(DOUBT_SECONDS);
    roll('anchor');
    expect(await verdict('op')).toBe('resolved');
  });

  it('is read again by resolutions at the same time as well, once for all', async () => {
    expect(await verdict('op')).toBe('resolved');
    clock.advance(60);
    roll('lower');
    const subjects = ['rp', 'late', 'later', 'latest'];
    expect(await Promise.all(subjects.map((name) => verdict(name)))).toEqual(subjects.map(() => 'resolved'));
    expect(server.requestCount(server.configurationUrl('lower'))).toBe(2);
  });

  it('is read again within the budget of the resolution', async () => {
    expect(await verdict('op')).toBe('resolved');
    clock.advance(60);
    roll('lower');
    let left = 3;
    const onRequest = () => {
      if (--left < 0) throw new FederationError('budget_exhausted', 'in a test');
    };
    expect(await requestsOf(() => verdict('rp', { onRequest }))).toBe(3);
  });
});

describe('when the time is over before it could be read again', () => {
  it('is refused for what was wrong, not for the time', async () => {
    expect(await verdict('op')).toBe('resolved');
    clock.advance(60);
    roll('lower');
    server.override(server.configurationUrl('lower'), { neverAnswers: true });
    const hasty = createResolver({ outbound, clock, cache, timeoutMs: 900, requestTimeoutMs: 60_000 });
    expect(await verdict('rp', {}, hasty)).toBe('key_not_found');
  });
});

describe('an entity that signs with a key that it never publishes', () => {
  beforeEach(async () => {
    expect(await verdict('op')).toBe('resolved');
    for (const name of ['rp', 'late', 'later', 'latest']) {
      const body = await server.federation.subordinateStatement('lower', name, { key: rolled });
      server.override(server.fetchUrl('lower', name), { body });
    }
    clock.advance(60);
  });

  it('is refused, once read again, and makes us ask no more for as long', async () => {
    expect(await requestsOf(async () => expect(await verdict('rp')).toBe('key_not_found'))).toBe(5);
    // Only what is new: the subject's own configuration and the statement about it.
    for (const name of ['late', 'later', 'latest']) {
      expect(await requestsOf(async () => expect(await verdict(name)).toBe('key_not_found'))).toBe(2);
    }
    clock.advance(DOUBT_SECONDS - 1);
    expect(await requestsOf(() => verdict('rp'))).toBe(1);
    clock.advance(6);
    expect(await requestsOf(() => verdict('rp'))).toBe(4);
  });

  it('is not read again when all that is known of it was asked for now', async () => {
    const fresh = createResolver({ outbound, clock });
    expect(await requestsOf(async () => expect(await verdict('rp', {}, fresh)).toBe('key_not_found'))).toBe(5);
  });
});
