import { createHmac } from 'node:crypto';
import { base64url, CompactSign, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Jwk } from '../../src/federation/jwk-set.ts';
import { TYP } from '../../src/federation/media-types.ts';
import {
  ALGORITHM_NAMES,
  type Algorithm,
  isImportable,
  parseSignedJwt,
  verifySignature,
} from '../../src/federation/signature.ts';
import { offCurve, signJwt, type Tampering, type TestKey, testKey, weakRsaKey, withPart } from '../support/keys.ts';
import { refusalOf } from '../support/refusal.ts';

const key = await testKey('ES256', 0);
const stranger = await testKey('ES256', 1);
const CLAIMS = { iss: 'https://op.example', n: 1 };

function signed(tampering?: Tampering, by: TestKey = key): Promise<string> {
  return signJwt(by, TYP.entityStatement, CLAIMS, tampering);
}

/** Parses and verifies, as validation does. */
function verified(jwt: string, ...keys: Jwk[]): Promise<string> {
  return refusalOf((async () => verifySignature(parseSignedJwt(jwt, TYP.entityStatement), { keys }))());
}

describe('verifySignature', () => {
  it.each(ALGORITHM_NAMES)('[OIDFED-3.2-8] verifies %s, and nothing else under that name', async (alg: Algorithm) => {
    const own = await testKey(alg);
    const jwt = await signed({}, own);
    expect(await verified(jwt, stranger.jwk, own.jwk)).toBe('accepted');
    expect(
      await verified(
        withPart(jwt, 1, () => base64url.encode('{"n":2}')),
        own.jwk,
      ),
    ).toBe('signature_invalid at header/kid');
  });

  it('[OIDFED-3-5] verifies RS256', async () => {
    const own = await testKey('RS256');
    expect(await verified(await signed({}, own), own.jwk)).toBe('accepted');
  });

  it('verifies what jose signs', async () => {
    const jwt = await new CompactSign(new TextEncoder().encode('{"iss":"a"}'))
      .setProtectedHeader({ typ: TYP.entityStatement, alg: 'ES256', kid: key.kid })
      .sign(await importJWK(key.privateJwk, 'ES256'));
    expect(await verified(jwt, key.jwk)).toBe('accepted');
  });

  it('[OIDFED-3.2-8] returns the key that verified', async () => {
    const statement = parseSignedJwt(await signed(), TYP.entityStatement);
    expect(await verifySignature(statement, { keys: [stranger.jwk, key.jwk] })).toBe(key.jwk);
  });

  it.each([
    ['another', 'another'],
    ['a prefix', key.kid.slice(0, -1)],
    ['other case', key.kid.toUpperCase()],
    ['padded', ` ${key.kid}`],
    ['a path', `../${key.kid}`],
    ['an SQL fragment', `${key.kid}' or '1'='1`],
    ['a NUL after it', `${key.kid}\u0000`],
  ])('[OIDFED-3.2-7] tries no other key when the kid names none: %s', async (_what, kid) => {
    expect(await verified(await signed({ header: { kid } }), key.jwk)).toBe('key_not_found at header/kid');
  });

  it('[OIDFED-3.2-7] compares kid code point by code point', async () => {
    const jwt = await signed({ header: { kid: 'cl\u00e9' } });
    expect(await verified(jwt, { ...key.jwk, kid: 'cl\u00e9' })).toBe('accepted');
    expect(await verified(jwt, { ...key.jwk, kid: 'cle\u0301' })).toBe('key_not_found at header/kid');
  });

  it('[OIDFED-3.2-7] refuses a kid that two keys have, whichever verifies', async () => {
    const twin = { ...stranger.jwk, kid: key.kid };
    expect(await verified(await signed(), key.jwk, twin)).toBe('key_unsuitable at header/kid');
    expect(await verified(await signed(), twin, key.jwk)).toBe('key_unsuitable at header/kid');
  });

  it('[OIDFED-3.2-8] refuses the signature of another key under the right kid', async () => {
    const forged = await signed({ header: { kid: key.kid } }, stranger);
    expect(await verified(forged, key.jwk, stranger.jwk)).toBe('signature_invalid at header/kid');
  });

  it('[OIDFED-3.2-8] does not believe a key that the header brings along', async () => {
    const header = { kid: key.kid, jwk: stranger.jwk, jku: 'https://evil.example/jwks', x5c: ['MIIB'] };
    expect(await verified(await signed({ header }, stranger), key.jwk)).toBe('signature_invalid at header/kid');
    const named = { kid: stranger.kid, jwk: stranger.jwk };
    expect(await verified(await signed({ header: named }, stranger), key.jwk)).toBe('key_not_found at header/kid');
  });

  it('[OIDFED-3-3] refuses an HMAC over a public key that the verifier knows', async () => {
    const secret = JSON.stringify(key.jwk);
    const hmac = (input: string): Uint8Array => createHmac('sha256', secret).update(input).digest();
    const confused = await signed({ header: { alg: 'HS256' }, signature: hmac });
    expect(await verified(confused, key.jwk)).toBe('alg_not_allowed at header/alg');
  });

  it('[OIDFED-3.2-8] refuses the empty, the zero and the DER-encoded signature', async () => {
    const zero = await signed({ signature: () => new Uint8Array(64) });
    expect(await verified(zero, key.jwk)).toBe('signature_invalid at header/kid');
    const der = await signed({ signature: (_input, raw) => new Uint8Array([0x30, 0x44, 0x02, 0x20, ...raw]) });
    expect(await verified(der, key.jwk)).toBe('signature_invalid at header/kid');
    const short = await signed({ signature: (_input, raw) => raw.slice(0, 63) });
    expect(await verified(short, key.jwk)).toBe('signature_invalid at header/kid');
    const long = await signed({ signature: (_input, raw) => new Uint8Array([...raw, 0]) });
    expect(await verified(long, key.jwk)).toBe('signature_invalid at header/kid');
  });

  it.each([
    ['for encryption', { use: 'enc' }],
    ['for an unknown use', { use: 'SIG' }],
    ['for signing only', { key_ops: ['sign'] }],
    ['for no operation', { key_ops: [] }],
    ['for operations that are no array', { key_ops: 'verify' }],
    ['for another alg', { alg: 'ES384' }],
    ['for an alg in lower case', { alg: 'es256' }],
    ['of another curve', { crv: 'P-384' }],
    ['of a curve with the same size', { crv: 'secp256k1' }],
    ['of another type', { kty: 'OKP' }],
    ['of an unknown type', { kty: 'AKP' }],
  ])('[OIDFED-3.2-8] does not use a key %s', async (_what, members) => {
    const jwk = { ...key.jwk, ...members } as Jwk;
    expect(await verified(await signed(), jwk)).toBe('key_unsuitable at header/kid');
  });

  it('[OIDFED-3.2-8] uses a key that says nothing about itself, or just this', async () => {
    const { kty, kid, crv, x, y } = key.jwk;
    expect(await verified(await signed(), { kty, kid, crv, x, y })).toBe('accepted');
    expect(await verified(await signed(), { kty, kid, crv, x, y, key_ops: ['verify'], use: 'sig' })).toBe('accepted');
  });

  it('[OIDFED-3.2-8] refuses an EC key whose point is not on the curve', async () => {
    const jwk = { ...key.jwk, y: key.jwk.x } as Jwk;
    expect(await verified(await signed(), jwk)).toBe('signature_invalid at header/kid');
  });

  it('does not use an RSA key of 1024 bits, were it padded with zeros', async () => {
    const weak = await weakRsaKey();
    const jwt = await signed({}, weak);
    expect(await verified(jwt, weak.jwk)).toBe('key_unsuitable at header/kid');
    const padded = {
      ...weak.jwk,
      n: base64url.encode(new Uint8Array([...new Uint8Array(128), ...base64url.decode(String(weak.jwk.n))])),
    };
    expect(await verified(jwt, padded)).toBe('key_unsuitable at header/kid');
  });

  it('does not take one RSA algorithm for another', async () => {
    const rsa = await testKey('RS256');
    const { alg: _alg, ...anyAlg } = rsa.jwk;
    const renamed = await signed({ header: { alg: 'PS256' } }, rsa);
    expect(await verified(renamed, rsa.jwk)).toBe('key_unsuitable at header/kid');
    expect(await verified(renamed, anyAlg as Jwk)).toBe('signature_invalid at header/kid');
  });

  it('verifies every algorithm of its type with one key that names none', async () => {
    const rsa = await testKey('RS256');
    const { alg: _alg, ...anyAlg } = rsa.jwk;
    const { alg: _sameAlg, ...members } = rsa.privateJwk;
    const pss: TestKey = {
      ...rsa,
      alg: 'PS256',
      privateKey: (await importJWK(members, 'PS256')) as TestKey['privateKey'],
    };
    expect(await verified(await signed({}, rsa), anyAlg as Jwk)).toBe('accepted');
    expect(await verified(await signed({}, pss), anyAlg as Jwk)).toBe('accepted');
    expect(await verified(await signed({}, rsa), anyAlg as Jwk)).toBe('accepted');
  });

  it('spares the computation only for the very JWT and key that verified before', async () => {
    const statement = parseSignedJwt(await signed(), TYP.entityStatement);
    expect(await refusalOf(verifySignature(statement, { keys: [key.jwk] }))).toBe('accepted');
    expect(await refusalOf(verifySignature(statement, { keys: [{ ...key.jwk }] }))).toBe('accepted');
    const sameKid = { keys: [{ ...stranger.jwk, kid: key.kid }] };
    expect(await refusalOf(verifySignature(statement, sameKid))).toBe('signature_invalid at header/kid');
    statement.jwt = withPart(statement.jwt, 1, () => base64url.encode('{"n":2}'));
    expect(await refusalOf(verifySignature(statement, { keys: [key.jwk] }))).toBe('signature_invalid at header/kid');
  });

  it('judges the key of the set even when another set verified with the same key', async () => {
    const statement = parseSignedJwt(await signed(), TYP.entityStatement);
    await verifySignature(statement, { keys: [key.jwk] });
    const superiors = { keys: [{ ...key.jwk, use: 'enc' }] };
    expect(await refusalOf(verifySignature(statement, superiors))).toBe('key_unsuitable at header/kid');
  });
});

describe('isImportable', () => {
  it.each(ALGORITHM_NAMES)('takes a key for %s that is one', async (alg) => {
    expect(await isImportable((await testKey(alg)).jwk)).toBe(true);
  });

  it('takes no point off its curve, no short one, and no key that may not verify', async () => {
    const short = { ...(await testKey('Ed25519')).jwk, x: 'AAAA' };
    for (const jwk of [offCurve(key).jwk, short, { ...key.jwk, use: 'enc' }, (await weakRsaKey()).jwk]) {
      expect(await isImportable(jwk)).toBe(false);
    }
  });
});
