/** RSA keys that are long enough and protect nothing all the same. @see NIST SP 800-56B §6.4.1.1, CA/Browser Forum Baseline Requirements §6.1.6 */
import { CertificateError } from '../certificate-error.ts';
import type { PublicJwk } from '../public-key.ts';

const EXPONENT = { min: 2n ** 16n + 1n, max: 2n ** 256n - 1n };
const SMALLEST_FACTOR = 752n;

/**
 * Stricter than certificates of others are read: those have to be taken as they are.
 * @param jwk any other key than RSA is let through
 * @throws CertificateError weak_key
 */
export function requireStrongRsa({ kty, n = '', e = '' }: PublicJwk): void {
  if (kty !== 'RSA') return;
  const exponent = numberOf(e);
  if (exponent < EXPONENT.min || exponent > EXPONENT.max) {
    throw weak('has a public exponent below 65537, or of more than 256 bits; 65537 is the usual one');
  }
  const modulus = numberOf(n);
  for (let factor = 2n; factor < SMALLEST_FACTOR; factor++) {
    if (modulus % factor === 0n) throw weak(`can be divided by ${factor}, so that anybody finds its private key`);
  }
}

function numberOf(base64url: string): bigint {
  return BigInt(`0x${Buffer.from(base64url, 'base64url').toString('hex')}`);
}

function weak(how: string): CertificateError {
  return new CertificateError('weak_key', `its RSA key ${how}; make another one`);
}
