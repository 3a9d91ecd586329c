/** Signed JWTs: strict parsing and verification against a given JWK Set. @see OIDFED §1.1, §3.2, RFC 7515 */
import { type CryptoKey, compactVerify, importJWK, type JWK } from 'jose';
import { FederationError } from './errors.ts';
import { isJsonObject, type JsonObject, parseJson } from './json.ts';
import { isSamePublicKey, type Jwk, type JwkSet, MIN_RSA_BITS, rsaModulusBits } from './jwk-set.ts';
import type { Typ } from './media-types.ts';

/** What each accepted `alg` demands of the key. `none` and HMAC are not in the table, so they are never accepted. */
export const ALGORITHMS = {
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
} as const satisfies Record<string, { kty: string; crv?: string }>;

export type Algorithm = keyof typeof ALGORITHMS;

export const ALGORITHM_NAMES = Object.keys(ALGORITHMS) as Algorithm[];

/** Longest compact JWT accepted, in characters. */
export const MAX_JWT_LENGTH = 256 * 1024;

export interface JoseHeader {
  typ: string;
  alg: Algorithm;
  kid: string;
  [parameter: string]: unknown;
}

/** A JWT taken apart but not yet verified: its claims are the sender's word only. */
export interface SignedJwt<Claims = JsonObject> {
  /** Exactly as received. */
  jwt: string;
  header: JoseHeader;
  claims: Claims;
}

/**
 * Parses a compact JWT: exact `typ`, an allowed `alg`, a `kid`, no header extension, claims in strict JSON. Encodings
 * with stray bits are refused, so that every byte of a JWT counts.
 * @param furtherTyps values of `typ` that are accepted as well
 * @throws FederationError jwt_malformed, jwt_too_large, typ_invalid, alg_not_allowed, kid_missing,
 *   header_parameter_forbidden, json_malformed, json_duplicate_member, json_too_deep, json_member_forbidden
 */
export function parseSignedJwt(jwt: unknown, typ: Typ, furtherTyps: readonly string[] = []): SignedJwt {
  const decoded = decodeJwt(jwt);
  const header = checkHeader(decoded.header, [typ, ...furtherTyps]);
  checkBase64url(decoded.signature, 'signature');
  return { jwt: decoded.jwt, header, claims: decoded.claims };
}

/**
 * Takes a compact JWT apart, whatever its `typ`, `alg` and `kid`: to look inside one whose trust is judged elsewhere.
 * @throws FederationError jwt_malformed, jwt_too_large, json_malformed, json_duplicate_member, json_too_deep,
 *   json_member_forbidden
 */
export function decodeJwt(jwt: unknown): { jwt: string; header: JsonObject; claims: JsonObject; signature: string } {
  if (typeof jwt !== 'string') throw new FederationError('jwt_malformed', 'a JWT is a string');
  if (jwt.length > MAX_JWT_LENGTH) {
    throw new FederationError('jwt_too_large', `a JWT may have at most ${MAX_JWT_LENGTH} characters`);
  }
  const [protectedHeader, payload, signature, ...rest] = jwt.split('.');
  if (protectedHeader === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    throw new FederationError('jwt_malformed', 'must be a compact JWS of three parts');
  }
  return { jwt, header: parseHeader(protectedHeader), claims: parsePart(payload, 'payload'), signature };
}

function parseHeader(part: string): JsonObject {
  try {
    return parsePart(part, 'header');
  } catch (error) {
    throw error instanceof FederationError ? error.within('header') : error;
  }
}

function parsePart(part: string, name: string): JsonObject {
  checkBase64url(part, name);
  let text: string;
  try {
    text = decodeText(part);
  } catch (cause) {
    throw new FederationError('jwt_malformed', `its ${name} is not UTF-8`, '', { cause });
  }
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new FederationError('jwt_malformed', `its ${name} is not a JSON object`);
  return value;
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
const ASCII = /^[\x00-\x7f]*$/;

/** Statements are ASCII as a rule; then the characters that `atob` gives are the text already. */
function decodeText(part: string): string {
  const bytes = atob(part.replaceAll('-', '+').replaceAll('_', '/'));
  return ASCII.test(bytes) ? bytes : UTF_8.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}

const BASE64URL = /^[A-Za-z0-9_-]+$/;
const ENDS_WITH_TWO_ZERO_BITS = /[AEIMQUYcgkosw048]$/;
const ENDS_WITH_FOUR_ZERO_BITS = /[AQgw]$/;

/** Refuses encodings with stray bits, so that every byte of a JWT counts. @throws FederationError jwt_malformed */
export function checkBase64url(part: string, name: string): void {
  const remainder = part.length % 4;
  const isCanonical =
    BASE64URL.test(part) &&
    (remainder === 0 ||
      (remainder === 3 && ENDS_WITH_TWO_ZERO_BITS.test(part)) ||
      (remainder === 2 && ENDS_WITH_FOUR_ZERO_BITS.test(part)));
  if (!isCanonical) throw new FederationError('jwt_malformed', `its ${name} is not base64url`);
}

function checkHeader(header: JsonObject, typs: readonly string[]): JoseHeader {
  if (typeof header['typ'] !== 'string' || !typs.includes(header['typ'])) {
    const message = `must be ${typs.join(' or ')}, not ${describe(header['typ'])}`;
    throw new FederationError('typ_invalid', message, 'header/typ');
  }
  if (typeof header['alg'] !== 'string' || !Object.hasOwn(ALGORITHMS, header['alg'])) {
    const allowed = ALGORITHM_NAMES.join(', ');
    throw new FederationError('alg_not_allowed', `${describe(header['alg'])} is not one of ${allowed}`, 'header/alg');
  }
  if (typeof header['kid'] !== 'string' || header['kid'] === '') {
    throw new FederationError('kid_missing', 'must be a non-empty string', 'header/kid');
  }
  for (const parameter of ['crit', 'b64']) {
    if (Object.hasOwn(header, parameter)) {
      throw new FederationError(
        'header_parameter_forbidden',
        'no header extension is understood',
        `header/${parameter}`,
      );
    }
  }
  return header as JoseHeader;
}

function describe(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 100);
}

/**
 * Selects the key of a JWK Set by the exact `kid` of the header, and checks that it may verify the header's `alg`.
 * No other key is ever tried.
 * @throws FederationError key_not_found, key_unsuitable
 */
export function selectKey(header: JoseHeader, jwks: JwkSet): Jwk {
  const [key, another] = jwks.keys.filter((candidate) => candidate.kid === header.kid);
  if (key === undefined) {
    throw new FederationError('key_not_found', `no key has the kid ${describe(header.kid)}`, 'header/kid');
  }
  if (another !== undefined) {
    throw new FederationError('key_unsuitable', `several keys have the kid ${describe(header.kid)}`, 'header/kid');
  }
  const complaint = keyComplaint(key, header.alg);
  if (complaint !== undefined) throw new FederationError('key_unsuitable', complaint, 'header/kid');
  return key;
}

/** Why a key must not verify signatures of this algorithm; undefined when it may. */
export function keyComplaint(key: Jwk, alg: Algorithm): string | undefined {
  const wanted: { kty: string; crv?: string } = ALGORITHMS[alg];
  if (key.kty !== wanted.kty || (wanted.crv !== undefined && key.crv !== wanted.crv)) {
    return `the key with this kid is no ${alg} key`;
  }
  if (key.alg !== undefined && key.alg !== alg) return `the key with this kid is for ${describe(key.alg)} only`;
  if (key.use !== undefined && key.use !== 'sig') return 'the key with this kid is not for signatures';
  if (key.key_ops !== undefined && !(Array.isArray(key.key_ops) && key.key_ops.includes('verify'))) {
    return 'the key with this kid may not verify';
  }
  if (key.kty === 'RSA' && rsaModulusBits(key) < MIN_RSA_BITS) return `an RSA key needs ${MIN_RSA_BITS} bits`;
  return undefined;
}

/** Whether a key that may verify is one at all: that its point lies on its curve, that its numbers fit each other. */
export async function isImportable(key: Jwk): Promise<boolean> {
  const alg = ALGORITHM_NAMES.find((name) => keyComplaint(key, name) === undefined);
  if (alg === undefined) return false;
  try {
    await importedKey(key, alg);
    return true;
  } catch {
    return false;
  }
}

/**
 * Verifies the signature of a parsed JWT with the one key of the set that its `kid` names. What verified before with the
 * same key is not computed again: a statement of a chain is looked at from below and from above.
 * @returns the key
 * @throws FederationError key_not_found, key_unsuitable, signature_invalid
 */
export async function verifySignature(signed: Pick<SignedJwt, 'jwt' | 'header'>, jwks: JwkSet): Promise<Jwk> {
  const key = selectKey(signed.header, jwks);
  const before = verifiedBefore.get(signed);
  if (before?.jwt === signed.jwt && before.keys.some((known) => isSamePublicKey(key, known))) return key;
  try {
    await compactVerify(signed.jwt, await importedKey(key, signed.header.alg), { algorithms: [signed.header.alg] });
  } catch (cause) {
    const message = 'does not verify with the key that its kid names';
    throw new FederationError('signature_invalid', message, 'header/kid', { cause });
  }
  verifiedBefore.set(signed, { jwt: signed.jwt, keys: [...(before?.jwt === signed.jwt ? before.keys : []), key] });
  return key;
}

/** Keys with which a parsed JWT verified. */
const verifiedBefore = new WeakMap<object, { jwt: string; keys: readonly Jwk[] }>();

/** Imported keys by what they are: a federation's few superiors sign most of what is seen. The oldest goes first. */
const importedKeys = new Map<string, Promise<CryptoKey>>();
const MAX_IMPORTED_KEYS = 1000;

/** Imports the public members only; the others were judged in keyComplaint. */
async function importedKey({ kty, crv, x, y, n, e }: Jwk, alg: Algorithm): Promise<CryptoKey> {
  const members = kty === 'RSA' ? { kty, n, e } : kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x };
  const name = JSON.stringify([alg, members]);
  const known = importedKeys.get(name);
  if (known !== undefined) return await known;
  const importing = importJWK(members as JWK, alg) as Promise<CryptoKey>;
  importedKeys.set(name, importing);
  if (importedKeys.size > MAX_IMPORTED_KEYS) importedKeys.delete(importedKeys.keys().next().value ?? '');
  try {
    return await importing;
  } catch (error) {
    importedKeys.delete(name);
    throw error;
  }
}
