/** What a certificate calls its key. @see RFC 7093 §2 (1) */
import { hash } from 'node:crypto';
import { CertificateError } from '../certificate-error.ts';
import { parseDer, TAG } from '../der.ts';

const BYTES = 20;

/**
 * The leftmost 160 bits of SHA-256 over the bits of the key.
 * @param spki SubjectPublicKeyInfo in DER
 * @throws CertificateError certificate_malformed
 */
export function keyIdentifierOf(spki: Uint8Array): Uint8Array {
  const [, key] = parseDer(spki).children;
  if (key?.tag === TAG.bitString) return hash('sha256', key.contents.subarray(1), 'buffer').subarray(0, BYTES);
  throw new CertificateError('certificate_malformed', 'has a public key that is none');
}
