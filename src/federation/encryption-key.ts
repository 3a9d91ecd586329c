/** Which public keys something may be encrypted to. @see RFC 7518 §4.6 */
import { importJWK, type JWK } from 'jose';
import { FederationError } from './errors.ts';
import { isJsonObject } from './json.ts';
import { checkJwkSet, type Jwk } from './jwk-set.ts';
import { keyThumbprint } from './key-thumbprint.ts';

/** Curves of ECDH-ES keys. */
const ENCRYPTION_CURVES: readonly string[] = ['P-256', 'P-384', 'P-521', 'X25519'];

/**
 * A public key that something may be encrypted to. One without a `kid` is called by its thumbprint (RFC 7638).
 * @throws FederationError jwk_private, jwks_invalid
 */
export async function parseEncryptionKey(value: unknown): Promise<Jwk> {
  const isNamed = !isJsonObject(value) || value['kid'] !== undefined;
  const [key] = checkJwkSet({ keys: [isNamed ? value : { ...value, kid: 'unnamed' }] }, '').keys;
  if (key === undefined || !(await isEncryptionKey(key))) {
    throw new FederationError('jwks_invalid', `is a public key to encrypt to, on ${ENCRYPTION_CURVES.join(', ')}`);
  }
  return isNamed ? key : { ...key, kid: await keyThumbprint(key) };
}

/** Whether a public key can be used for ECDH-ES: a point of one of the curves, and not meant for signatures. */
async function isEncryptionKey({ kty, crv, x, y, use }: Jwk): Promise<boolean> {
  if (use === 'sig' || typeof crv !== 'string' || !ENCRYPTION_CURVES.includes(crv)) return false;
  try {
    await importJWK({ kty, crv, x, y } as JWK, 'ECDH-ES');
    return true;
  } catch {
    return false;
  }
}
