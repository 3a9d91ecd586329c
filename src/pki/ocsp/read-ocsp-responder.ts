/** Who answers for a certification authority, as its certificate says. @see RFC 6960 §4.2.2.2 */
import { hash } from 'node:crypto';
import { CertificateError } from '../certificate-error.ts';
import { parseDer, TAG } from '../der.ts';
import { type Der, sequence } from '../der-writer.ts';
import { parsePathCertificate } from '../path/path-certificate.ts';
import { profileOf } from '../profile/certificate-profile.ts';

export interface OcspResponder {
  /** KeyHash of its ResponderID: SHA-1 over the bits of its key, whatever else is hashed with. */
  keyHash: Uint8Array;
  /** Seconds since the epoch, both inclusive. */
  notBefore: number;
  notAfter: number;
  /** What goes with each answer: its certificate, as DER of a list. */
  certificates: Der;
}

/** @throws CertificateError when it is no certificate for this */
export function readOcspResponder(certificate: Uint8Array): OcspResponder {
  const { spki, notBefore, notAfter, extendedKeyUsage } = parsePathCertificate(certificate);
  if (extendedKeyUsage?.join() !== profileOf('ocsp-responder').extendedKeyUsage?.join()) {
    throw new CertificateError('usage_unsuitable', 'is not for a responder');
  }
  return { keyHash: keyHashOf(spki), notBefore, notAfter, certificates: sequence(certificate) };
}

/**
 * As CertIDs and ResponderIDs name keys.
 * @param spki SubjectPublicKeyInfo in DER
 * @throws CertificateError certificate_malformed
 */
export function keyHashOf(spki: Uint8Array, algorithm: 'sha1' | 'sha256' = 'sha1'): Uint8Array {
  const [, key] = parseDer(spki).children;
  if (key?.tag === TAG.bitString) return hash(algorithm, key.contents.subarray(1), 'buffer');
  throw new CertificateError('certificate_malformed', 'has a public key that is none');
}
