/** JWK Sets of Federation Entity Keys: public, identified, strong enough. @see OIDFED §3.1.1, RFC 7517 */
import { base64url } from 'jose';
import { FederationError, pointer } from './errors.ts';
import { isJsonObject } from './json.ts';
import { isNumericDate, type NumericDate } from './time.ts';

/** A public key that has a `kid`. Members that we do not know (`x5c`, …) are carried along. */
export interface Jwk {
  kty: string;
  kid: string;
  alg?: string;
  use?: string;
  key_ops?: string[];
  crv?: string;
  x?: string;
  y?: string;
  n?: string;
  e?: string;
  /** When the key stops to verify anything, seconds since the epoch (OIDFED §8.7.3). */
  exp?: NumericDate;
  [member: string]: unknown;
}

export interface JwkSet {
  keys: Jwk[];
}

/** Most Federation Entity Keys of one entity: enough for any rollover; each is part of every statement about it. */
export const MAX_KEYS = 50;

/** Smallest RSA modulus accepted, in bits. */
export const MIN_RSA_BITS = 2048;

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
const PUBLIC_MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
  ['RSA', ['n', 'e']],
]);
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * Checks a JWK Set of public keys: each with a `kid` of its own and without private or symmetric members. Keys of a
 * type that we do not know are left in place; they verify nothing.
 * @throws FederationError jwks_invalid, jwk_private
 */
export function checkJwkSet(value: unknown, at = '/jwks'): JwkSet {
  if (!isJsonObject(value) || !Array.isArray(value['keys'])) {
    throw new FederationError('jwks_invalid', 'must be a JWK Set: an object with an array `keys`', at);
  }
  if (value['keys'].length === 0) throw new FederationError('jwks_invalid', 'must hold at least one key', at);
  const keys = value['keys'].map((key, index) => checkJwk(key, `${at}${pointer('keys', index)}`));
  const kids = new Set<string>();
  for (const { kid } of keys) {
    if (kids.has(kid)) throw new FederationError('jwks_invalid', `two keys have the kid ${JSON.stringify(kid)}`, at);
    kids.add(kid);
  }
  return { ...value, keys };
}

function checkJwk(key: unknown, at: string): Jwk {
  if (!isJsonObject(key)) throw new FederationError('jwks_invalid', 'a JWK is an object', at);
  for (const member of PRIVATE_MEMBERS) {
    if (Object.hasOwn(key, member)) {
      throw new FederationError('jwk_private', `private or symmetric member \`${member}\` must never be published`, at);
    }
  }
  const { kid, kty } = key;
  if (typeof kid !== 'string' || kid === '') {
    throw new FederationError('jwks_invalid', 'every key needs a `kid`, a non-empty string', at);
  }
  if (typeof kty !== 'string' || kty === '' || kty === 'oct') {
    throw new FederationError('jwks_invalid', '`kty` must name an asymmetric key type', at);
  }
  for (const member of PUBLIC_MEMBERS.get(kty) ?? []) {
    const part = key[member];
    if (typeof part !== 'string' || !BASE64URL.test(part)) {
      throw new FederationError('jwks_invalid', `\`${member}\` must be present for kty ${kty}`, at);
    }
  }
  if (key['exp'] !== undefined && !isNumericDate(key['exp'])) {
    throw new FederationError('jwks_invalid', '`exp` of a key is a NumericDate', at);
  }
  return key as Jwk;
}

/** Size of the RSA modulus in bits; leading zeros do not make it longer. */
export function rsaModulusBits(jwk: Pick<Jwk, 'n'>): number {
  if (jwk.n === undefined) return 0;
  const bytes = base64url.decode(jwk.n);
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? 0 : (bytes.length - first) * 8 - (Math.clz32(bytes[first] ?? 0) - 24);
}

/** Whether two JWKs hold the same public key, however they spell its numbers and whatever else they say about it. */
export function isSamePublicKey(a: Jwk, b: Jwk): boolean {
  if (a.kty !== b.kty) return false;
  return (PUBLIC_MEMBERS.get(a.kty) ?? SPELT_MEMBERS).every((member) => {
    const [one, other] = [a[member], b[member]];
    return one === other || (member !== 'crv' && octetsOf(one) === octetsOf(other));
  });
}

const SPELT_MEMBERS: readonly string[] = ['crv', 'x', 'y', 'n', 'e'];

/** One text for each value: base64url allows stray last bits, and a number leading zeros. */
function octetsOf(member: unknown): unknown {
  if (typeof member !== 'string' || !BASE64URL.test(member)) return member;
  const bytes = base64url.decode(member);
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? '' : base64url.encode(bytes.subarray(first));
}
