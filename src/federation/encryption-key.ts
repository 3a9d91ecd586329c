/** Which public keys something may be encrypted to. @see RFC 7518 §4.6 */
import { importJWK, type JWK } from 'jose';
import type { Jwk } from './jwk-set.ts';

/** Curves of ECDH-ES keys. */
export const ENCRYPTION_CURVES: readonly string[] = ['P-256', 'P-384', 'P-521', 'X25519'];

/** Whether a public key can be used for ECDH-ES: a point of one of the curves, and not meant for signatures. */
export async function isEncryptionKey({ kty, crv, x, y, use }: Jwk): Promise<boolean> {
  if (use === 'sig' || typeof crv !== 'string' || !ENCRYPTION_CURVES.includes(crv)) return false;
  try {
    await importJWK({ kty, crv, x, y } as JWK, 'ECDH-ES');
    return true;
  } catch {
    return false;
  }
}
