import { describe, expect, it } from 'vitest';
import { TYP } from '../../../src/federation/media-types.ts';
import {
  type HistoricalKeys,
  validateHistoricalKeys,
  withHistoricalKeys,
} from '../../../src/federation/trust-chain/historical-keys.ts';
import { validateTrustChain } from '../../../src/federation/trust-chain/validate-trust-chain.ts';
import { buildFederation, type Claims, NOW } from '../../support/federation.ts';
import { signJwt, testKey } from '../../support/keys.ts';

const DAY = 86_400;
const [oldKey, newKey, stranger] = await Promise.all([1, 2, 99].map((index) => testKey('ES256', index)));
if (oldKey === undefined || newKey === undefined || stranger === undefined) throw new Error('no keys');
const federation = await buildFederation({ anchor: { keys: [oldKey] }, op: { superiors: ['anchor'] } });
const anchor = federation.id('anchor');
const issuer = { issuer: anchor, jwks: { keys: [newKey.jwk] } };

/** The document of the Trust Anchor after it changed to its new key. */
const documentOf = (members: Claims, claims: Claims = {}) =>
  signJwt(newKey, TYP.jwkSet, { iss: anchor, iat: NOW + DAY, keys: [{ ...oldKey.jwk, ...members }], ...claims });

const revoked = (revokedAt: number, reason?: string) => ({
  revoked: { revoked_at: revokedAt, ...(reason && { reason }) },
});

describe('historical keys', () => {
  it('are read from the document of their issuer, each with its end', async () => {
    expect(await validateHistoricalKeys(await documentOf({ exp: NOW + 10 }), issuer)).toMatchObject({
      iss: anchor,
      keys: [{ jwk: { kid: oldKey.kid }, endedAt: NOW + 10, isCompromised: false }],
    });
    const document = await documentOf({ exp: NOW + 10, ...revoked(NOW + 5, 'superseded') });
    expect((await validateHistoricalKeys(document, issuer)).keys).toMatchObject([{ endedAt: NOW + 5 }]);
  });

  it.each<[string, Claims, Claims, string, string]>([
    ['of somebody else', { exp: NOW }, { iss: 'https://else.example' }, 'issuer_mismatch', '/iss'],
    ['without iat', { exp: NOW }, { iat: undefined }, 'claim_invalid', '/iat'],
    ['without keys', { exp: NOW }, { keys: undefined }, 'claim_invalid', '/keys'],
    ['with a key that has not ended', {}, {}, 'claim_missing', '/keys/0/exp'],
    ['with a revocation at no time', { exp: NOW, revoked: {} }, {}, 'claim_invalid', '/keys/0/revoked/revoked_at'],
    ['with a revocation that is none', { exp: NOW, revoked: true }, {}, 'claim_invalid', '/keys/0/revoked/revoked_at'],
    ['with a private key', { exp: NOW, d: 'AAAA' }, {}, 'jwk_private', '/keys/0'],
  ])('are refused: a document %s', async (_, members, claims, reason, at) => {
    const document = await documentOf(members, claims);
    await expect(validateHistoricalKeys(document, issuer)).rejects.toMatchObject({ reason, at });
  });

  it('are refused when another key signed them, or another kind of JWT holds them', async () => {
    const claims = { iss: anchor, iat: NOW, keys: [{ ...oldKey.jwk, exp: NOW }] };
    const forged = await signJwt(stranger, TYP.jwkSet, claims);
    await expect(validateHistoricalKeys(forged, issuer)).rejects.toMatchObject({ reason: 'key_not_found' });
    const other = await signJwt(newKey, TYP.entityStatement, claims);
    await expect(validateHistoricalKeys(other, issuer)).rejects.toMatchObject({ reason: 'typ_invalid' });
  });
});

describe('a chain of the past', () => {
  const verdict = async (keys: HistoricalKeys, at = NOW) => {
    const chain = await federation.chain('op', 'anchor');
    const trustAnchors = withHistoricalKeys(chain, new Map([[anchor, issuer.jwks]]), keys);
    return await validateTrustChain(chain, { now: at, trustAnchors }).then(
      () => 'accepted',
      (error) => error.reason,
    );
  };
  const ended = async (members: Claims) => await validateHistoricalKeys(await documentOf(members), issuer);

  it('is valid as of its time with the key that signed it then, which is no longer in use', async () => {
    expect(await verdict({ iss: anchor, keys: [] })).toBe('trust_anchor_key_unknown');
    expect(await verdict(await ended({ exp: NOW + 10 }))).toBe('accepted');
  });

  it.each<[string, Claims, string]>([
    ['[OIDFED-8.7-7] after it was issued', { exp: NOW + 1 }, 'accepted'],
    ['[OIDFED-8.7-7] at the moment it was issued', { exp: NOW }, 'trust_anchor_key_unknown'],
    ['[OIDFED-8.7-7] by revocation before', { exp: NOW + 99, ...revoked(NOW) }, 'trust_anchor_key_unknown'],
    ['[OIDFED-8.7-7] by revocation after', { exp: NOW + 99, ...revoked(NOW + 1, 'superseded') }, 'accepted'],
    [
      '[OIDFED-8.7-8] as compromised later',
      { exp: NOW + 99, ...revoked(NOW + 98, 'compromised') },
      'trust_anchor_key_unknown',
    ],
  ])('whose key ended %s', async (_, members, expected) => {
    expect(await verdict(await ended(members))).toBe(expected);
  });

  it('is no longer valid now', async () => {
    expect(await verdict(await ended({ exp: NOW + 10 }), NOW + DAY)).toBe('statement_expired');
  });

  it('is not helped by the historical keys of somebody else', async () => {
    const { keys } = await ended({ exp: NOW + 10 });
    expect(await verdict({ iss: federation.id('op'), keys })).toBe('trust_anchor_key_unknown');
  });
});
