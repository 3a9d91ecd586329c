/** Public keys of certificates and JWKs: which ones are taken, and what they are called. @see RFC 5280 §4.1.2.7, RFC 7517 */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';

/** Members of a JWK that make the key, spelt in the one way. */
export interface PublicJwk {
  kty: string;
  crv?: string;
  x?: string;
  y?: string;
  n?: string;
  e?: string;
}

export interface PublicKey {
  jwk: PublicJwk;
  /** SHA-256 over its SubjectPublicKeyInfo, base64url: the same key has the same in every certificate. */
  spkiSha256: string;
}

/** Smallest and largest modulus of an RSA key, in bits. */
const RSA_BITS = { min: 2048, max: 8192 } as const;

const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
/** Curves shorter than 256 bits by their names: `prime192v1`, `secp224r1`, `brainpoolP160r1`. */
const CURVE_BITS = /(\d{3})/;
const OTHER_TYPES = new Set(['ed25519', 'ed448', 'x25519', 'x448']);

/**
 * @param spki SubjectPublicKeyInfo in DER
 * @throws CertificateError certificate_malformed, weak_key, algorithm_unsupported
 */
export function parsePublicKey(spki: Uint8Array): PublicKey {
  const key = readKey(() => createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }));
  const found = describe(key);
  // A point can be written shorter, and parameters be left out: another text for the same key.
  if (found.spkiSha256 !== sha256(spki)) {
    throw new CertificateError('algorithm_unsupported', 'writes its public key in an unusual way');
  }
  return found;
}

/**
 * @param jwk public members only; who calls sees to that
 * @throws CertificateError certificate_malformed, weak_key, algorithm_unsupported
 */
export function parsePublicJwk({ kty, crv, x, y, n, e }: PublicJwk): PublicKey {
  const members: JsonWebKey = { kty, crv, x, y, n, e };
  return describe(readKey(() => createPublicKey({ key: members, format: 'jwk' })));
}

/** SHA-256, base64url. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

function readKey(read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch {
    throw new CertificateError('certificate_malformed', 'has a public key that is none');
  }
}

function describe(key: KeyObject): PublicKey {
  requireSuitable(key);
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  const jwk: PublicJwk =
    kty === 'RSA' ? { kty, n, e } : y === undefined ? { kty: kty ?? '', crv, x } : { kty: kty ?? '', crv, x, y };
  const spki = createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ format: 'der', type: 'spki' });
  return { jwk, spkiSha256: sha256(spki) };
}

function requireSuitable({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject): void {
  if (type === 'rsa') requireSuitableRsa(details.modulusLength ?? 0, details.publicExponent ?? 0n);
  else if (type === 'ec') requireSuitableCurve(details.namedCurve ?? '');
  else if (!OTHER_TYPES.has(type ?? '')) throw unsupported('its key is neither RSA nor EC nor Ed25519');
}

function requireSuitableRsa(bits: number, exponent: bigint): void {
  if (bits < RSA_BITS.min)
    throw new CertificateError('weak_key', `its RSA key has ${bits} bits; ${RSA_BITS.min} are needed`);
  if (bits > RSA_BITS.max) throw unsupported(`its RSA key has more than ${RSA_BITS.max} bits`);
  if (exponent < 3n || exponent % 2n === 0n)
    throw new CertificateError('weak_key', 'its RSA exponent protects nothing');
}

function requireSuitableCurve(curve: string): void {
  if (CURVES.has(curve)) return;
  const [, bits] = CURVE_BITS.exec(curve) ?? [];
  if (bits !== undefined && Number(bits) < 256) {
    throw new CertificateError('weak_key', `its key is on a curve of ${bits} bits; P-256 is the shortest taken`);
  }
  throw unsupported('its key is on another curve than P-256, P-384, P-521');
}

function unsupported(message: string): CertificateError {
  return new CertificateError('algorithm_unsupported', message);
}
