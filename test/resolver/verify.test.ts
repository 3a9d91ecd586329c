import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { ResolveOutcome } from '../../src/resolver/resolution.ts';
import { createResolver, type Resolver } from '../../src/resolver/resolver.ts';
import { buildFederation, ManualClock, NOW, type TestFederation } from '../support/federation.ts';
import { testKey } from '../support/keys.ts';
import { testClient } from '../support/outbound.ts';

const outbound = testClient();
afterAll(() => outbound[Symbol.asyncDispose]());

let clock: ManualClock;
let federation: TestFederation;
let resolver: Resolver;

beforeEach(async () => {
  clock = new ManualClock();
  federation = await buildFederation(
    {
      anchor: { keys: [await testKey('ES256', 1)] },
      op: {
        superiors: { anchor: { metadata_policy: { openid_provider: { scope: { default: 'openid' } } } } },
        metadata: (issuer) => ({ openid_provider: { issuer, client_registration_types_supported: ['automatic'] } }),
      },
    },
    { clock },
  );
  resolver = createResolver({ outbound, clock });
});

const request = async (options: { trustChain?: string[]; at?: number } = {}) => ({
  subject: federation.id('op'),
  trustAnchors: federation.trustAnchors('anchor'),
  trustChain: await federation.chain('op', 'anchor'),
  ...options,
});

const reasons = (outcome: ResolveOutcome) =>
  'resolved' in outcome ? [] : outcome.attempts.map(({ reason, at }) => [reason, at]);

describe('a chain that is handed over', () => {
  it('[OIDFED-12.1.1.1.2-1] leads to what the same chain leads to when it is fetched, without any request', async () => {
    const given = await request();
    expect(await resolver.verify(given)).toMatchObject({
      resolved: {
        trustAnchor: federation.id('anchor'),
        metadata: { openid_provider: { scope: 'openid' } },
        trustChain: given.trustChain,
        expiresAt: NOW + 3600,
      },
    });
    expect(await resolver.verify({ ...given, trustChain: given.trustChain.slice(0, -1) })).toHaveProperty('resolved');
  });

  it('[OIDFED-12.1.1.1.2-1] is refused for every reason that a fetched one is refused for', async () => {
    const given = await request();
    const [configuration = '', statement = '', anchor = ''] = given.trustChain;
    const verdictOn = async (trustChain: string[]) => reasons(await resolver.verify({ ...given, trustChain }));
    expect(await verdictOn([])).toEqual([['trust_chain_malformed', '']]);
    expect(await verdictOn([configuration, anchor])).toEqual([['issuer_not_next_subject', 'ES[0] /iss']]);
    expect(await verdictOn([configuration, `${statement.slice(0, -4)}AAAA`, anchor])).toEqual([
      ['signature_invalid', 'ES[1] header/kid'],
    ]);
    expect(await verdictOn(await federation.chain('anchor'))).toEqual([['subject_mismatch', 'ES[0] /sub']]);
    clock.advance(3600 + 31);
    expect(await verdictOn(given.trustChain)).toEqual([['statement_expired', 'ES[0] /exp']]);
  });

  it('may be judged as of a time: it was valid when its subject signed', async () => {
    const given = await request();
    clock.advance(86_400);
    expect(reasons(await resolver.verify(given))).toEqual([['statement_expired', 'ES[0] /exp']]);
    expect(await resolver.verify({ ...given, at: NOW + 60 })).toHaveProperty('resolved');
    expect(reasons(await resolver.verify({ ...given, at: NOW - 60 }))).toEqual([
      ['statement_not_yet_valid', 'ES[0] /iat'],
    ]);
  });

  it('as of a time is believed by the keys that its Trust Anchor used then', async () => {
    const given = await request({ at: NOW + 60 });
    const [oldKey] = federation.entity('anchor').keys;
    federation.entity('anchor').keys = [await testKey('ES256', 2)];
    const trustAnchors = federation.trustAnchors('anchor');
    expect(reasons(await resolver.verify({ ...given, trustAnchors }))).toEqual([
      ['trust_anchor_key_unknown', 'ES[2] header/kid'],
    ]);
    if (oldKey === undefined) throw new Error('no key');
    const historicalKeys = {
      iss: federation.id('anchor'),
      keys: [{ jwk: oldKey.jwk, endedAt: NOW + 10, isCompromised: false }],
    };
    expect(await resolver.verify({ ...given, trustAnchors, historicalKeys })).toHaveProperty('resolved');
  });
});
