/** Laws of resolution, from bytes of answers to the outcome: real statements, any order, any byte changed. @see OIDFED §10 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import { entityConfigurationUrl, withQuery } from '../../src/federation/identifiers.ts';
import { MEDIA_TYPE } from '../../src/federation/media-types.ts';
import type { OutboundResponse } from '../../src/outbound/response-collector.ts';
import type { HttpGet } from '../../src/resolver/http-statement-source.ts';
import { createResolver } from '../../src/resolver/resolver.ts';
import { buildFederation, ManualClock, NOW } from '../support/federation.ts';
import type { Outcome } from '../support/resolving.ts';

const POLICY = { metadata_policy: { openid_provider: { contacts: { one_of: ['nobody'] } } } };

/** Several ways up: good ones of different lengths, one that fails for its policy, one that loops, one that expires soon. */
const federation = await buildFederation({
  anchor: {},
  other: {},
  join: { superiors: ['anchor', 'other'] },
  left: { superiors: ['join', 'op'] },
  right: { superiors: { join: { exp: NOW + 60 }, anchor: POLICY } },
  strict: { superiors: ['anchor'] },
  op: {
    superiors: { left: {}, strict: POLICY, right: {} },
    metadata: (issuer) => ({
      openid_provider: { issuer, client_registration_types_supported: ['automatic'], contacts: 'somebody' },
    }),
  },
});
const ANSWERS = await answersOf(['op', 'left', 'right', 'strict', 'join', 'anchor', 'other']);

/** The bytes at each URL of the federation. */
async function answersOf(names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const answers = new Map<string, string>();
  for (const name of names) {
    answers.set(entityConfigurationUrl(federation.id(name)), await federation.configuration(name));
    for (const { name: subject, identifier } of federation.subordinates(name)) {
      const url = withQuery(federation.endpoints(name).fetch, [['sub', identifier]]);
      answers.set(url, await federation.subordinateStatement(name, subject));
    }
  }
  return new Map([...answers].map(([url, jwt]) => [url, new TextEncoder().encode(jwt)]));
}

/** What the network would give, without one. */
function client(answers: ReadonlyMap<string, Uint8Array>, deliver: <T>(answer: Promise<T>) => Promise<T>): HttpGet {
  const answer = async (url: string): Promise<OutboundResponse> => {
    const body = answers.get(url);
    const headers = new Map<string, string>();
    if (body === undefined) return { status: 404, contentType: undefined, headers, body: new Uint8Array() };
    return { status: 200, contentType: MEDIA_TYPE.entityStatement, headers, body };
  };
  return { get: (url) => deliver(answer(String(url))) };
}

async function resolve(outbound: HttpGet, anchors: string[]): Promise<Outcome> {
  const resolver = createResolver({ outbound, clock: new ManualClock() });
  return await resolver.resolve({ subject: federation.id('op'), trustAnchors: federation.trustAnchors(...anchors) });
}

const immediately = <T>(answer: Promise<T>): Promise<T> => answer;
const anchors = fc.subarray(['anchor', 'other'], { minLength: 1 });
/** Some of the answers are missing, so that outcomes differ. */
const missing = fc.subarray([...ANSWERS.keys()], { maxLength: 4 });

describe('a resolution', () => {
  it('[OIDFED-10.3-2] has the same outcome whatever the order of the answers', async () => {
    await fc.assert(
      fc.asyncProperty(anchors, missing, fc.scheduler(), async (names, gone, scheduler) => {
        const answers = new Map([...ANSWERS].filter(([url]) => !gone.includes(url)));
        const resolving = resolve(
          client(answers, (answer) => scheduler.schedule(answer)),
          names,
        );
        await scheduler.waitFor(resolving);
        const { dependencies: _, ...resolved } = (await resolving).resolved ?? { dependencies: [] };
        const expected = await resolve(client(answers, immediately), names);
        const { dependencies: __, ...alike } = expected.resolved ?? { dependencies: [] };
        expect(resolved).toEqual(alike);
        expect((await resolving).attempts).toEqual(expected.attempts);
      }),
      { numRuns: 60 },
    );
  });

  it('[OIDFED-10.4-1] expires at the smallest exp of the chain that it gives', async () => {
    await fc.assert(
      fc.asyncProperty(anchors, missing, async (names, gone) => {
        const answers = new Map([...ANSWERS].filter(([url]) => !gone.includes(url)));
        const { resolved } = await resolve(client(answers, immediately), names);
        fc.pre(resolved !== undefined);
        const expiries = resolved?.trustChain.map(
          (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).exp as number,
        );
        expect(resolved?.expiresAt).toBe(Math.min(...(expiries ?? [])));
      }),
      { numRuns: 40 },
    );
  });

  it('[OIDFED-3.2-8] never rests on a statement of which any byte was changed', async () => {
    const place = fc
      .constantFrom(...ANSWERS.keys())
      .chain((url) => fc.record({ url: fc.constant(url), position: fc.nat((ANSWERS.get(url)?.length ?? 1) - 1) }));
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), anchors, async ({ url, position }, flip, names) => {
        const body = Uint8Array.from(ANSWERS.get(url) ?? []);
        body[position] = (body[position] ?? 0) ^ flip;
        const { resolved } = await resolve(client(new Map([...ANSWERS, [url, body]]), immediately), names);
        const given = new Set(resolved?.trustChain);
        const genuine = new Set([...ANSWERS.values()].map((bytes) => new TextDecoder().decode(bytes)));
        expect([...given].filter((jwt) => !genuine.has(jwt))).toEqual([]);
        if (url === entityConfigurationUrl(federation.id('op'))) expect(resolved).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('ends with reasons of ours whatever the network does', async () => {
    const fate = fc.constantFrom('answer', 'nothing', 'garbage', 'error');
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fate), fc.uint8Array({ maxLength: 200 }), async (fates, garbage) => {
        const genuine = client(ANSWERS, immediately);
        const outbound: HttpGet = {
          async get(url, options) {
            const next = fates.next().value;
            if (next === 'error') throw new FederationError('connection_failed', 'the connection broke');
            const response = await genuine.get(url, options);
            if (next === 'nothing') return { ...response, status: 503 };
            return next === 'garbage' ? { ...response, body: garbage } : response;
          },
        };
        const { resolved, attempts = [] } = await resolve(outbound, ['anchor']);
        expect(resolved !== undefined || attempts.length > 0).toBe(true);
        for (const { reason, section, message } of attempts) {
          expect([reason, section, message].every((text) => text.length > 0)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});
