import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FederationError } from '../../../src/federation/errors.ts';
import { type ResolutionRequest, Resolutions } from '../../../src/http/federation/resolutions.ts';
import type { OutboundClient } from '../../../src/outbound/outbound-client.ts';
import { AuthorityDirectory } from '../../../src/registry/authorities/authority-directory.ts';
import type { ResolveOutcome } from '../../../src/resolver/resolution.ts';
import { ResolutionCache } from '../../../src/resolver/resolution-cache.ts';
import { createResolver, type ResolverOptions } from '../../../src/resolver/resolver.ts';
import { StatementCache } from '../../../src/resolver/statement-cache.ts';
import { createTestDatabase, type TestDatabase } from '../../support/databases.ts';
import { ManualClock } from '../../support/federation.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { testClient } from '../../support/outbound.ts';

let database: TestDatabase;
let outbound: OutboundClient;
let server: FederationServer;

beforeAll(async () => {
  database = await createTestDatabase('embedded');
  outbound = testClient();
});
afterEach(() => server[Symbol.asyncDispose]());
afterAll(async () => {
  await outbound[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** `op`, below two Trust Anchors by ways of different length, and a third to which none leads. */
async function setUp(options: Partial<ResolverOptions> = {}) {
  const clock = new ManualClock();
  server = await serveFederation(
    { near: {}, far: {}, nowhere: {}, between: { superiors: ['far'] }, op: { superiors: ['near', 'between'] } },
    { clock },
  );
  const resolver = createResolver({ outbound, clock, cache: new StatementCache({ clock }), ...options });
  const directory = new AuthorityDirectory(database.feedDb);
  const resolutions = new Resolutions({ resolver, cache: new ResolutionCache({ clock }), directory, clock });
  const towards = (...anchors: string[]): ResolutionRequest => ({
    scope: 'authority',
    subject: server.federation.id('op'),
    trustAnchors: server.federation.trustAnchors(...anchors),
  });
  return { resolutions, clock, towards };
}

/** The name of the Trust Anchor, or why there is none. */
function shown(outcome: ResolveOutcome): string {
  if (!('resolved' in outcome)) return outcome.attempts.map(({ reason }) => reason).join(' ');
  const { trustAnchor } = outcome.resolved;
  return server.federation.entities.find(({ identifier }) => identifier === trustAnchor)?.name ?? trustAnchor;
}

/** Answers with what nobody may keep. */
function forbidKeeping(urls: string[]): void {
  const headers = { 'content-type': 'application/entity-statement+jwt', 'cache-control': 'no-store' };
  for (const url of urls) server.override(url, { headers });
}

/** Holds the answer at a URL until it is released. */
function hold(url: string): { asked: Promise<void>; release: () => void } {
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  server.override(url, (request, response) => {
    server.restore(url);
    asked.resolve();
    void released.promise.then(() => server.listener(request, response));
  });
  return { asked: asked.promise, release: released.resolve };
}

/** A budget of so many requests. */
function budgetOf(requests: number): () => void {
  let left = requests;
  return () => {
    if (left === 0) throw new FederationError('budget_exhausted', 'this budget is used up');
    left--;
  };
}

describe('a question with several Trust Anchors', () => {
  it('[OIDFED-8.3-3] is answered for the first in its order that a valid chain leads to', async () => {
    const { resolutions, towards } = await setUp();
    for (const [anchors, chosen] of [
      [['near', 'far'], 'near'],
      [['far', 'near'], 'far'],
      [['nowhere', 'far', 'near'], 'far'],
      [['nowhere', 'near'], 'near'],
    ] as const) {
      const request = towards(...anchors);
      expect(shown(await resolutions.resolve(request))).toBe(chosen);
      expect(resolutions.peek(request)?.trustAnchor).toBe(server.federation.id(chosen));
      const { outcome } = await resolutions.explain(request, 'caller');
      expect(shown(outcome)).toBe(chosen);
    }
  });

  it('asks for each statement once, whether it may be kept or not', async () => {
    const { resolutions, towards } = await setUp();
    const configurations = ['op', 'near', 'far', 'between'].map((name) => server.configurationUrl(name));
    const statements = [
      ['near', 'op'],
      ['between', 'op'],
      ['far', 'between'],
    ].map(([superior = '', subject = '']) => server.fetchUrl(superior, subject));
    const urls = [...configurations, ...statements];
    forbidKeeping(urls);
    expect(shown(await resolutions.resolve(towards('nowhere', 'far', 'near')))).toBe('far');
    expect(urls.map((url) => server.requestCount(url))).toEqual(Array(7).fill(1));
  });

  it('waits for nobody who cannot change the choice, and for everybody who can', async () => {
    const { resolutions, towards } = await setUp();
    const { asked, release } = hold(server.configurationUrl('between'));
    expect(shown(await resolutions.resolve(towards('near', 'far')))).toBe('near');
    const outcome = resolutions.resolve(towards('far', 'near'));
    await asked;
    release();
    expect(shown(await outcome)).toBe('far');
  });

  it('has one wall clock and one budget of requests', async () => {
    const { resolutions, clock, towards } = await setUp({ timeoutMs: 1_000 });
    for (const name of ['near', 'between']) server.override(server.configurationUrl(name), { neverAnswers: true });
    const begin = performance.now();
    const request = towards('nowhere', 'far', 'near');
    expect(shown(await resolutions.resolve(request))).toMatch('timed_out');
    expect(performance.now() - begin).toBeLessThan(1_800);
    for (const name of ['near', 'between']) server.restore(server.configurationUrl(name));
    clock.advance(6);
    const asked = server.requests.length;
    expect(shown(await resolutions.resolve(request, undefined, budgetOf(1)))).toMatch('budget_exhausted');
    expect(server.requests.length - asked).toBe(1);
  });

  it('is renewed as one, and dropped with all that it rests on', async () => {
    const { resolutions, clock, towards } = await setUp();
    const request = towards('nowhere', 'near');
    expect(shown(await resolutions.resolve(request))).toBe('near');
    clock.advance(299);
    expect(resolutions.peek(request)).toBeDefined();
    await expect.poll(() => server.requestCount(server.configurationUrl('op'))).toBe(2);
    resolutions.follow(
      [{ seq: 1, ordinal: 0, action: 'x', authorityId: null, subjectKind: 'trust_anchor', subjectId: 'x' }],
      [],
    );
    expect([resolutions.peek(request), resolutions.peekAny(request)]).toEqual([undefined, undefined]);
  });

  it('leaves the answer for the chosen one alone, too, and is not answered by one that it likes less', async () => {
    const { resolutions, towards } = await setUp();
    await resolutions.resolve(towards('near', 'far'));
    expect(resolutions.peek(towards('near'))).toBeDefined();
    expect(resolutions.peek(towards('near', 'nowhere'))).toBeDefined();
    expect(resolutions.peek(towards('far', 'near'))).toBeUndefined();
    expect(resolutions.peekAny(towards('far', 'near'))?.trustAnchor).toBe(server.federation.id('near'));
  });
});

describe('an evaluation that others join', () => {
  it.each([[['near']], [['nowhere', 'near']]])(
    'and that ends with the budget of whoever began it is made anew for them, once for all (%s)',
    async (anchors) => {
      const { resolutions, towards } = await setUp();
      const request = towards(...anchors);
      const { asked, release } = hold(server.configurationUrl('op'));
      const foreign = resolutions.resolve(request, undefined, budgetOf(1));
      await asked;
      expect(resolutions.isUnderWay(request)).toBe(false);
      const callers = Array.from({ length: 20 }, () => resolutions.resolve(request));
      expect(resolutions.isUnderWay(request)).toBe(true);
      release();
      expect(shown(await foreign)).toMatch('budget_exhausted');
      expect((await Promise.all(callers)).map(shown)).toEqual(Array(20).fill('near'));
      expect(server.requestCount(server.configurationUrl('near'))).toBe(1);
      expect(resolutions.isUnderWay(request)).toBe(false);
    },
  );

  it('is made anew within the budget of who waits, where that has one', async () => {
    const { resolutions, towards } = await setUp();
    const { asked, release } = hold(server.configurationUrl('op'));
    const foreign = resolutions.resolve(towards('near'), undefined, budgetOf(1));
    await asked;
    const [rich, poor] = [20, 0].map((requests) => resolutions.resolve(towards('near'), undefined, budgetOf(requests)));
    release();
    expect(shown(await foreign)).toMatch('budget_exhausted');
    expect([shown(await rich!), shown(await poor!)]).toEqual(['near', 'near']);
  });

  it('serves them all the same if its budget lasts', async () => {
    const { resolutions, towards } = await setUp();
    const { asked, release } = hold(server.configurationUrl('op'));
    const foreign = resolutions.resolve(towards('near'), undefined, budgetOf(100));
    await asked;
    const joined = resolutions.resolve(towards('near'));
    release();
    const [first, second] = await Promise.all([foreign, joined]);
    expect(second).toBe(first);
    expect(server.requestCount(server.configurationUrl('near'))).toBe(1);
  });
});
