import { describe, expect, it } from 'vitest';
import type { JoseHeader } from '../../../src/federation/signature.ts';
import {
  type HandedOverContext,
  parseTrustChain,
  trustChainsIn,
  validateTrustChainsIn,
} from '../../../src/federation/trust-chain/handed-over.ts';
import { MAX_CHAIN_LENGTH } from '../../../src/federation/trust-chain/trust-chain.ts';
import { buildFederation, LIFETIME_SECONDS, NOW } from '../../support/federation.ts';
import { testKey } from '../../support/keys.ts';
import { refusal } from '../../support/refusal.ts';
import { verdictOf } from '../../support/trust-marks.ts';

const federation = await buildFederation({
  anchor: {},
  other: {},
  rp: { superiors: ['anchor'] },
  op: { superiors: ['anchor', 'other'] },
});
const [own, peer, elsewhere] = await Promise.all([
  federation.chain('rp', 'anchor'),
  federation.chain('op', 'anchor'),
  federation.chain('op', 'other'),
]);

describe('a body of application/trust-chain+json', () => {
  it('is an array of statements', () => {
    expect(parseTrustChain(JSON.stringify(own))).toEqual(own);
  });

  it.each([
    ['no JSON', '[', 'json_malformed'],
    ['an object', '{"trust_chain":[]}', 'trust_chain_malformed'],
    ['empty', '[]', 'trust_chain_malformed'],
    ['with something else than JWTs', '["a",1]', 'trust_chain_malformed'],
    ['too long', JSON.stringify(Array(MAX_CHAIN_LENGTH + 1).fill('a')), 'trust_chain_malformed'],
  ])('is refused when it is %s', (_, text, reason) => {
    expect(refusal(() => parseTrustChain(text))).toContain(reason);
  });
});

const [issuer, us] = [federation.id('rp'), federation.id('op')];
const headerWith = (parameters: Record<string, unknown>): JoseHeader => ({
  typ: 'x+jwt',
  alg: 'ES256',
  kid: '1',
  ...parameters,
});

describe('the header of a JWT', () => {
  const read = (parameters: Record<string, unknown>, context: Partial<HandedOverContext> = {}) =>
    trustChainsIn(headerWith(parameters), {
      issuer,
      peer: us,
      trustAnchors: federation.trustAnchors('anchor'),
      ...context,
    });

  it('[OIDFED-3.2-14] [OIDFED-4.4-1] may carry the chain of its issuer, and beside it that of the peer', () => {
    expect(read({})).toEqual({});
    expect(read({ trust_chain: own })).toEqual({ trustChain: own });
    expect(read({ trust_chain: own, peer_trust_chain: peer })).toEqual({ trustChain: own, peerTrustChain: peer });
    expect(read({ trust_chain: own.slice(0, -1) })).toEqual({ trustChain: own.slice(0, -1) });
    const short = peer.slice(0, -1);
    expect(read({ trust_chain: own, peer_trust_chain: short })).toEqual({ trustChain: own, peerTrustChain: short });
  });

  it('[OIDFED-3.2-14] may carry the chain of a Trust Anchor, which is its configuration alone', async () => {
    const alone = await federation.chain('anchor');
    expect(read({ trust_chain: alone }, { issuer: federation.id('anchor') })).toEqual({ trustChain: alone });
  });

  it.each<[string, Record<string, unknown>, string]>([
    [
      '[OIDFED-4.4-1] a peer alone',
      { peer_trust_chain: peer },
      'header_parameter_forbidden at header/peer_trust_chain (4.4)',
    ],
    ['[OIDFED-3.2-14] a chain of another', { trust_chain: peer }, 'subject_mismatch at header/trust_chain (3.2)'],
    [
      '[OIDFED-3.2-14] what a superior says about the issuer, in place of its configuration',
      { trust_chain: own.slice(1) },
      'not_entity_configuration at header/trust_chain (3.2)',
    ],
    ['[OIDFED-3.2-14] no array', { trust_chain: own[0] }, 'trust_chain_malformed at header/trust_chain (4)'],
    ['[OIDFED-3.2-14] an empty chain', { trust_chain: [] }, 'trust_chain_malformed at header/trust_chain (4)'],
    ['[OIDFED-3.2-14] null', { trust_chain: null }, 'trust_chain_malformed at header/trust_chain (4)'],
    ['[OIDFED-3.2-14] no JWTs', { trust_chain: ['a', 'b'] }, 'jwt_malformed at header/trust_chain ES[0] (1.1)'],
    [
      '[OIDFED-3.2-14] a last statement that is no JWT',
      { trust_chain: [own[0], 'b'] },
      'jwt_malformed at header/trust_chain ES[1] (1.1)',
    ],
    [
      '[OIDFED-3.2-14] an empty chain of the peer',
      { trust_chain: own, peer_trust_chain: [] },
      'trust_chain_malformed at header/peer_trust_chain (4)',
    ],
    [
      '[OIDFED-12.1.1.1.1-1] a chain of the issuer as that of its peer',
      { trust_chain: own, peer_trust_chain: own },
      'subject_mismatch at header/peer_trust_chain (4.4)',
    ],
    [
      '[OIDFED-12.1.1.1.1-1] what a superior says about the peer, in place of its configuration',
      { trust_chain: own, peer_trust_chain: peer.slice(1) },
      'not_entity_configuration at header/peer_trust_chain (4.4)',
    ],
    [
      '[OIDFED-3.2-15] [OIDFED-12.1.1.1.1-1] two Trust Anchors',
      { trust_chain: own, peer_trust_chain: elsewhere },
      'trust_chain_malformed at header/peer_trust_chain (4.4)',
    ],
  ])('is refused: %s', async (_, parameters, expected) => {
    expect(await verdictOf(() => read(parameters))).toBe(expected);
  });

  it('[OIDFED-3.2-15] is refused when the chain ends at a Trust Anchor that is not configured', () => {
    expect(refusal(() => read({ trust_chain: elsewhere }, { issuer: us }))).toBe(
      'trust_anchor_unknown at header/trust_chain',
    );
  });

  it('[OIDFED-12.1.1.1.1-1] is refused with the chain of a peer where nobody is named as such', () => {
    expect(refusal(() => read({ trust_chain: own, peer_trust_chain: peer }, { peer: undefined }))).toBe(
      'header_parameter_forbidden at header/peer_trust_chain',
    );
  });
});

describe('the validated chains of a header', () => {
  const validated = (parameters: Record<string, unknown>) =>
    validateTrustChainsIn(headerWith(parameters), { issuer, peer: us, ...federation.validation('anchor') });

  it('[OIDFED-12.1.1.1.2-1] lead to what fetched ones lead to', async () => {
    expect(await validated({})).toEqual({});
    const ends = { trustAnchor: federation.id('anchor'), expiresAt: NOW + LIFETIME_SECONDS };
    expect(await validated({ trust_chain: own, peer_trust_chain: peer })).toMatchObject({
      trustChain: { subject: issuer, ...ends, metadata: { federation_entity: { organization_name: 'rp' } } },
      peerTrustChain: { subject: us, ...ends },
    });
    expect(await validated({ trust_chain: own.slice(0, -1) })).not.toHaveProperty('peerTrustChain');
  });

  it('[OIDFED-12.1.1.1.2-1] are refused for what fetched ones are refused for, and where it stands', async () => {
    const key = await testKey('ES256', 90);
    const [configuration, , anchor] = own;
    const forged = [configuration, await federation.subordinateStatement('anchor', 'rp', { key }), anchor];
    const expired = { claims: { exp: NOW - 31 } };
    const old = [peer[0], await federation.subordinateStatement('anchor', 'op', expired), peer[2]];
    const gap = [configuration, anchor];
    const verdicts = [
      { trust_chain: forged },
      { trust_chain: gap },
      { trust_chain: own, peer_trust_chain: old },
      { trust_chain: peer },
    ].map((parameters) => verdictOf(() => validated(parameters)));
    expect(await Promise.all(verdicts)).toEqual([
      'key_not_found at header/trust_chain ES[1] header/kid (3.2)',
      'issuer_not_next_subject at header/trust_chain ES[0] /iss (10.2)',
      'statement_expired at header/peer_trust_chain ES[1] /exp (3.2)',
      'subject_mismatch at header/trust_chain (3.2)',
    ]);
  });
});
