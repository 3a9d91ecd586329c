import { describe, expect, it } from 'vitest';
import { parseTrustChain, trustChainsIn } from '../../../src/federation/trust-chain/handed-over.ts';
import { MAX_CHAIN_LENGTH } from '../../../src/federation/trust-chain/trust-chain.ts';
import { buildFederation } from '../../support/federation.ts';
import { refusal } from '../../support/refusal.ts';

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

describe('the header of a JWT', () => {
  const read = (parameters: Record<string, unknown>, issuer = federation.id('rp')) =>
    trustChainsIn(
      { typ: 'x+jwt', alg: 'ES256', kid: '1', ...parameters },
      { issuer, trustAnchors: federation.trustAnchors('anchor') },
    );

  it('[OIDFED-3.2-14] [OIDFED-4.4-1] may carry the chain of its issuer, and beside it that of the peer', () => {
    expect(read({})).toEqual({});
    expect(read({ trust_chain: own })).toEqual({ trustChain: own });
    expect(read({ trust_chain: own, peer_trust_chain: peer })).toEqual({ trustChain: own, peerTrustChain: peer });
    expect(read({ trust_chain: own.slice(0, -1) })).toEqual({ trustChain: own.slice(0, -1) });
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    [
      '[OIDFED-4.4-1] a peer alone',
      { peer_trust_chain: peer },
      'header_parameter_forbidden',
      'header/peer_trust_chain',
    ],
    ['[OIDFED-3.2-14] a chain of another', { trust_chain: peer }, 'subject_mismatch', 'header/trust_chain'],
    ['[OIDFED-3.2-14] no array', { trust_chain: own[0] }, 'trust_chain_malformed', 'header/trust_chain'],
    ['[OIDFED-3.2-14] an empty chain', { trust_chain: [] }, 'trust_chain_malformed', 'header/trust_chain'],
    ['[OIDFED-3.2-14] no JWTs', { trust_chain: ['a', 'b'] }, 'jwt_malformed', 'header/trust_chain ES[0]'],
    [
      '[OIDFED-3.2-15] two Trust Anchors',
      { trust_chain: own, peer_trust_chain: elsewhere },
      'trust_chain_malformed',
      'header/peer_trust_chain',
    ],
  ])('is refused: %s', (_, parameters, reason, at) => {
    expect(refusal(() => read(parameters))).toBe(`${reason} at ${at}`);
  });

  it('[OIDFED-3.2-15] is refused when the chain ends at a Trust Anchor that is not configured', () => {
    expect(refusal(() => read({ trust_chain: elsewhere }, federation.id('op')))).toBe(
      'trust_anchor_unknown at header/trust_chain',
    );
  });
});
