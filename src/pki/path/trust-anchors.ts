/** The certificates of a trust list, read once and found by name. @see RFC 5280 §6.1.1 (d) */
import { CertificateError } from '../certificate-error.ts';
import type { DistinguishedName } from '../names/distinguished-name.ts';
import { type PathCertificate, parsePathCertificate } from './path-certificate.ts';

export interface TrustAnchors {
  named: (name: DistinguishedName) => readonly PathCertificate[];
  /** Whether a certificate is one of them. */
  has: (x5tS256: string) => boolean;
}

/**
 * Self-signed or not: a trust list may name an authority below a root.
 * @param certificates DER of certificates of authorities
 * @throws CertificateError as `parsePathCertificate`, with the place of the one it is about
 */
export function readTrustAnchors(certificates: readonly Uint8Array[]): TrustAnchors {
  const anchors = certificates.map((der, index) => {
    try {
      return parsePathCertificate(der, 'anchors', index);
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      throw new CertificateError(error.reason, `number ${index + 1} of the trust list ${error.message}`);
    }
  });
  const byName = Map.groupBy(anchors, ({ subject }) => subject.key);
  const thumbprints = new Set(anchors.map(({ x5tS256 }) => x5tS256));
  return { named: ({ key }) => byName.get(key) ?? [], has: (x5tS256) => thumbprints.has(x5tS256) };
}
