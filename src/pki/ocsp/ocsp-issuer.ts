/** Whether a client asks about certificates of this issuer. @see RFC 6960 §4.1.1 */
import { hash } from 'node:crypto';
import { CertificateError } from '../certificate-error.ts';
import { parseDer } from '../der.ts';
import { parsePathCertificate } from '../path/path-certificate.ts';
import type { CertId, CertIdHash } from './parse-ocsp-request.ts';
import { keyHashOf } from './read-ocsp-responder.ts';

/** An issuer as clients name it, by hash. */
export type OcspIssuer = Readonly<Record<CertIdHash, { name: Uint8Array; key: Uint8Array }>>;

/** @param certificate DER of a certificate of the issuer @throws CertificateError */
export function ocspIssuerOf(certificate: Uint8Array): OcspIssuer {
  const { spki } = parsePathCertificate(certificate);
  const subject = parseDer(certificate).children[0]?.children[5];
  if (subject === undefined) throw new CertificateError('certificate_malformed', 'has no subject');
  const hashed = (algorithm: CertIdHash) => ({
    name: hash(algorithm, subject.bytes, 'buffer'),
    key: keyHashOf(spki, algorithm),
  });
  return { sha1: hashed('sha1'), sha256: hashed('sha256') };
}

/** Both have to be its: another issuer may have the same name, or a name more for the same key. */
export function isIssuedBy({ hash: algorithm, issuerNameHash, issuerKeyHash }: CertId, issuer: OcspIssuer): boolean {
  if (algorithm === undefined) return false;
  const { name, key } = issuer[algorithm];
  return Buffer.compare(issuerNameHash, name) === 0 && Buffer.compare(issuerKeyHash, key) === 0;
}
