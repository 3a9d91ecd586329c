/** Real key pairs and raw signing for tests. Keys are generated once a process and shared by all federations in it. */
import { base64url, type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { Jwk } from '../../src/federation/jwk-set.ts';
import type { Algorithm } from '../../src/federation/signature.ts';

export interface TestKey {
  alg: Algorithm;
  /** RFC 7638 SHA-256 thumbprint. */
  kid: string;
  privateKey: CryptoKey;
  /** The public half as an entity publishes it: `kid`, `alg` and `use` included. */
  jwk: Jwk;
  /** The same key with its private members, for tests that leak it on purpose. */
  privateJwk: Jwk;
}

const pool = new Map<string, Promise<TestKey>>();

/**
 * The key number `index` of an algorithm; the same arguments give the same key throughout a test file.
 * @example const stranger = await testKey('ES256', 99);
 */
export function testKey(alg: Algorithm = 'ES256', index = 0): Promise<TestKey> {
  const name = `${alg} ${index}`;
  let key = pool.get(name);
  if (key === undefined) {
    key = generateKeyPair(alg, { extractable: true }).then((pair) => asTestKey(alg, pair));
    pool.set(name, key);
  }
  return key;
}

/** An RS256 key of 1024 bits: too short for any signature that counts. jose refuses to make one. */
export async function weakRsaKey(): Promise<TestKey> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = await crypto.subtle.generateKey({ ...algorithm, hash: 'SHA-256' }, true, ['sign', 'verify']);
  return asTestKey('RS256', pair);
}

/** The same EC key, published with a point that is not on its curve. */
export function offCurve(key: TestKey): TestKey {
  return { ...key, jwk: { ...key.jwk, y: key.jwk.x ?? '' } };
}

async function asTestKey(alg: Algorithm, pair: { privateKey: CryptoKey; publicKey: CryptoKey }): Promise<TestKey> {
  const kid = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
  const published = async (half: CryptoKey): Promise<Jwk> => {
    const { kty, ...members } = await exportJWK(half);
    return { kty: String(kty), ...members, kid, alg, use: 'sig' };
  };
  return {
    alg,
    kid,
    privateKey: pair.privateKey,
    jwk: await published(pair.publicKey),
    privateJwk: await published(pair.privateKey),
  };
}

/** Signs `input` as JWS does, whatever stands in the header: the signature of the key's own algorithm. */
export async function signBytes(key: TestKey, input: string): Promise<Uint8Array> {
  const bytes = new TextEncoder().encode(input);
  return new Uint8Array(await crypto.subtle.sign(signParameters(key.alg), key.privateKey, bytes));
}

function signParameters(alg: Algorithm): { name: string; hash?: string; saltLength?: number } {
  const bits = Number(alg.slice(2));
  switch (alg.slice(0, 2)) {
    case 'ES':
      return { name: 'ECDSA', hash: `SHA-${bits}` };
    case 'RS':
      return { name: 'RSASSA-PKCS1-v1_5' };
    case 'PS':
      return { name: 'RSA-PSS', saltLength: bits / 8 };
    default:
      return { name: 'Ed25519' };
  }
}

/** How a signed JWT departs from the regular one. Everything not named stays as it would be. */
export interface Tampering {
  /** Claims laid over the regular ones; `undefined` removes a claim. */
  claims?: Record<string, unknown>;
  /** Header parameters laid over the regular ones; `undefined` removes a parameter. */
  header?: Record<string, unknown>;
  /** Signs instead of the issuer's key, and gives its `kid` and `alg` to the header. */
  key?: TestKey;
  /** Rewrites the header's JSON text before it is encoded and signed. */
  headerText?: (json: string) => string;
  /** Rewrites the payload's JSON text before it is encoded and signed; bytes need not be UTF-8. */
  payloadText?: (json: string) => string | Uint8Array;
  /** Makes the signature from the signing input and the regular signature. */
  signature?: (input: string, regular: Uint8Array) => Uint8Array;
}

/**
 * Signs a compact JWT with one real key, tampered with as told.
 * @example await signJwt(key, 'entity-statement+jwt', claims, { header: { alg: 'none' }, signature: () => new Uint8Array() })
 */
export async function signJwt(
  issuerKey: TestKey,
  typ: string,
  claims: object,
  tampering: Tampering = {},
): Promise<string> {
  const key = tampering.key ?? issuerKey;
  const headerJson = JSON.stringify({ typ, alg: key.alg, kid: key.kid, ...tampering.header });
  const payloadJson = JSON.stringify({ ...claims, ...tampering.claims });
  const header = base64url.encode(tampering.headerText?.(headerJson) ?? headerJson);
  const payload = base64url.encode(tampering.payloadText?.(payloadJson) ?? payloadJson);
  const input = `${header}.${payload}`;
  const regular = await signBytes(key, input);
  return `${input}.${base64url.encode(tampering.signature?.(input, regular) ?? regular)}`;
}

/** The JWT with one of its three parts rewritten, unsigned anew. */
export function withPart(jwt: string, index: 0 | 1 | 2, rewrite: (part: string) => string): string {
  return jwt
    .split('.')
    .map((part, position) => (position === index ? rewrite(part) : part))
    .join('.');
}
