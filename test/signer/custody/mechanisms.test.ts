import { constants, createHash, createPrivateKey, generateKeyPairSync, privateEncrypt, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CKA } from '../../../src/signer/custody/pkcs11/constants.ts';
import {
  isTokenAlgorithm,
  MEANS,
  publicMembers,
  type TokenAlgorithm,
  verifies,
} from '../../../src/signer/custody/pkcs11/mechanisms.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const point = Buffer.concat([
  Buffer.of(4),
  Buffer.from(String(ec.x), 'base64url'),
  Buffer.from(String(ec.y), 'base64url'),
]);

describe('public keys of a token', () => {
  it.each([
    ['in an OCTET STRING, as the standard has it', Buffer.concat([Buffer.of(4, 65), point])],
    ['bare, as some tokens give it', point],
  ])('are read from a point %s', (_, value) => {
    expect(publicMembers('ES256', [{ type: CKA.EC_POINT, value }])).toEqual({
      kty: 'EC',
      crv: 'P-256',
      x: ec.x,
      y: ec.y,
    });
  });

  it.each([
    ['compressed', Buffer.concat([Buffer.of(2), point.subarray(1, 33)])],
    ['of another curve', Buffer.alloc(97, 4)],
    ['missing', Buffer.alloc(0)],
  ])('are refused when the point is %s', (_, value) => {
    expect(() => publicMembers('ES256', [{ type: CKA.EC_POINT, value }])).toThrow(RangeError);
  });

  it('are read from a modulus, with zeros before it or not, of 3072 bits and no other', () => {
    const modulus = Buffer.alloc(384, 0xab);
    const exponent = { type: CKA.PUBLIC_EXPONENT, value: Buffer.of(0, 1, 0, 1) };
    for (const value of [modulus, Buffer.concat([Buffer.of(0), modulus])]) {
      const members = publicMembers('RS256', [exponent, { type: CKA.MODULUS, value }]);
      expect(members).toEqual({ kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' });
    }
    const short = { type: CKA.MODULUS, value: modulus.subarray(128) };
    expect(() => publicMembers('RS256', [exponent, short])).toThrow('2048 bits');
  });
});

describe('what a token signs', () => {
  it('is for RS256 the digest as PKCS #1 wraps it', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const digest = createHash('sha256').update('statement').digest();
    const key = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const wrapped = Buffer.concat([MEANS.RS256.prefix, digest]);
    const signature = privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, wrapped);
    expect(signature).toEqual(sign('sha256', Buffer.from('statement'), key));
  });

  it.each<[TokenAlgorithm, ReturnType<typeof generateKeyPairSync>]>([
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['ES384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['PS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ])('is verified for %s as others do', (alg, { publicKey, privateKey }) => {
    const jwk = publicKey.export({ format: 'jwk' }) as Parameters<typeof verifies>[1];
    const input = Buffer.from('statement');
    const signature = sign(MEANS[alg].hash, input, { ...MEANS[alg].verify, key: privateKey });
    expect(verifies(alg, jwk, input, signature)).toBe(true);
    expect(verifies(alg, jwk, Buffer.from('another'), signature)).toBe(false);
    expect(verifies(alg, { kty: 'EC', kid: 'none' }, input, signature)).toBe(false);
  });

  it('is by four algorithms, which others do not pass for', () => {
    expect(['ES256', 'ES384', 'RS256', 'PS256'].every(isTokenAlgorithm)).toBe(true);
    expect(['EdDSA', 'none', 'HS256', 'toString'].some(isTokenAlgorithm)).toBe(false);
  });
});
