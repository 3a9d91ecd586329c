import { describe, expect, it } from 'vitest';
import { checkJwkSet, isSamePublicKey, rsaModulusBits } from '../../src/federation/jwk-set.ts';
import { testKey, weakRsaKey } from '../support/keys.ts';
import { refusal } from '../support/refusal.ts';

const { jwk, privateJwk } = await testKey('ES256', 0);
const { jwk: other } = await testKey('ES256', 1);
const rsa = await testKey('RS256');
const ed25519 = await testKey('Ed25519');

function checked(value: unknown): string {
  return refusal(() => checkJwkSet(value));
}

describe('checkJwkSet', () => {
  it('[OIDFED-3.1.1-2] accepts public keys of the usual types', () => {
    const keys = [jwk, other, rsa.jwk, ed25519.jwk];
    expect(checkJwkSet({ keys })).toEqual({ keys });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an array of keys', [jwk]],
    ['a single key', jwk],
    ['a string', JSON.stringify({ keys: [jwk] })],
    ['an object without keys', {}],
    ['keys that are no array', { keys: { 0: jwk } }],
    ['keys: null', { keys: null }],
    ['no key at all', { keys: [] }],
  ])('[OIDFED-3.1.1-2] refuses %s', (_what, value) => {
    expect(checked(value)).toBe('jwks_invalid at /jwks');
  });

  it.each([
    ['null', null],
    ['a string', 'key'],
    ['an array', [jwk]],
    ['no kty', { ...jwk, kty: undefined }],
    ['an empty kty', { ...jwk, kty: '' }],
    ['kty that is no string', { ...jwk, kty: ['EC'] }],
    ['an EC key without y', { ...jwk, y: undefined }],
    ['an EC key without crv', { ...jwk, crv: undefined }],
    ['a coordinate that is no base64url', { ...jwk, x: `${jwk.x}=` }],
    ['a coordinate that is no string', { ...jwk, x: 7 }],
    ['an OKP key without x', { ...ed25519.jwk, x: undefined }],
    ['an RSA key without e', { ...rsa.jwk, e: undefined }],
    ['an empty RSA modulus', { ...rsa.jwk, n: '' }],
    ['exp that is no NumericDate', { ...jwk, exp: '1800000000' }],
  ])('[OIDFED-3.1.1-2] refuses a key that is %s', (_what, key) => {
    expect(checked({ keys: [other, key] })).toBe('jwks_invalid at /jwks/keys/1');
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['a number', 1],
    ['null', null],
  ])('[OIDFED-3.1.1-3] refuses a kid that is %s', (_what, kid) => {
    expect(checked({ keys: [{ ...jwk, kid }] })).toBe('jwks_invalid at /jwks/keys/0');
  });

  it('[OIDFED-3.1.1-3] refuses two keys with the same kid, were they the same key', () => {
    expect(checked({ keys: [jwk, { ...other, kid: jwk.kid }] })).toBe('jwks_invalid at /jwks');
    expect(checked({ keys: [jwk, jwk] })).toBe('jwks_invalid at /jwks');
    expect(checked({ keys: [jwk, { ...jwk, kid: `${jwk.kid}x` }] })).toBe('accepted');
  });

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])('[OIDFED-3.1.1-4] refuses the private member %s', (member) => {
    expect(checked({ keys: [jwk, { ...other, [member]: 'AQAB' }] })).toBe('jwk_private at /jwks/keys/1');
    expect(checked({ keys: [{ ...jwk, [member]: null }] })).toBe('jwk_private at /jwks/keys/0');
  });

  it('[OIDFED-3.1.1-4] refuses real private keys and symmetric ones', () => {
    expect(checked({ keys: [privateJwk] })).toBe('jwk_private at /jwks/keys/0');
    expect(checked({ keys: [rsa.privateJwk] })).toBe('jwk_private at /jwks/keys/0');
    expect(checked({ keys: [{ kty: 'oct', kid: 'a', k: 'c2VjcmV0' }] })).toBe('jwk_private at /jwks/keys/0');
    expect(checked({ keys: [{ kty: 'oct', kid: 'a' }] })).toBe('jwks_invalid at /jwks/keys/0');
  });

  it('[ACME-4] tolerates JWK members that it does not know, such as x5c, and keeps them', () => {
    const certified = {
      ...jwk,
      x5c: ['MIIB'],
      'x5t#S256': 'abc',
      iat: 1,
      revoked: { revoked_at: 2 },
      note: { a: [null] },
    };
    expect(checkJwkSet({ keys: [certified], note: 'kept' })).toEqual({ keys: [certified], note: 'kept' });
  });

  it.each(['AKP', 'XYZ', 'constructor', 'toString', '__proto__'])(
    'leaves a key of the unknown type %s in place',
    (kty) => {
      const keys = [jwk, { kty, kid: 'unknown', pub: 'abc' }];
      expect(checkJwkSet({ keys }).keys).toEqual(keys);
    },
  );

  it('says places relative to where the set stands', () => {
    const at = '/trust_mark_owners/a/jwks';
    expect(refusal(() => checkJwkSet({ keys: [{ ...jwk, kid: '' }] }, at))).toBe(`jwks_invalid at ${at}/keys/0`);
    expect(refusal(() => checkJwkSet({}, at))).toBe(`jwks_invalid at ${at}`);
  });
});

describe('rsaModulusBits', () => {
  it('counts the bits of real keys', async () => {
    expect(rsaModulusBits(rsa.jwk)).toBe(2048);
    expect(rsaModulusBits((await weakRsaKey()).jwk)).toBe(1024);
    expect(rsaModulusBits({})).toBe(0);
  });

  it.each([
    ['AQ', 1],
    ['_w', 8],
    ['AQAB', 17],
    ['AAAAAQAB', 17],
    ['AAAA', 0],
  ])('takes no leading zero of %s for size', (n, bits) => {
    expect(rsaModulusBits({ n })).toBe(bits);
  });
});

describe('isSamePublicKey', () => {
  it('looks at the key, not at what is said about it', () => {
    expect(isSamePublicKey(jwk, { ...jwk, kid: 'other', use: 'enc', alg: 'ES384' })).toBe(true);
    expect(isSamePublicKey(jwk, other)).toBe(false);
    expect(isSamePublicKey(jwk, { ...jwk, crv: 'P-384' })).toBe(false);
    expect(isSamePublicKey(rsa.jwk, { ...rsa.jwk, e: 'Aw' })).toBe(false);
  });

  it('knows a key however its numbers are spelt: stray last bits, leading zeros, members that mean nothing', () => {
    expect(isSamePublicKey(rsa.jwk, { ...rsa.jwk, e: 'AAEAAQ' })).toBe(true);
    expect(isSamePublicKey(rsa.jwk, { ...rsa.jwk, x: 'AQ', crv: 'P-256' })).toBe(true);
    expect(isSamePublicKey(jwk, { ...jwk, n: 'AQ' })).toBe(true);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const x = String(jwk.x);
    const last = alphabet.indexOf(x.at(-1) ?? '');
    // 32 bytes leave two bits of the last character unused.
    const stray = x.slice(0, -1) + alphabet[last ^ 1];
    expect(stray).not.toBe(x);
    expect(isSamePublicKey(jwk, { ...jwk, x: stray })).toBe(true);
  });
});
