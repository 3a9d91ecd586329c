/** The certificates of a trust list, read once and found by name. @see RFC 5280 §6.1.1 (d) */
import { CertificateError } from '../certificate-error.ts';
import type { DistinguishedName } from '../names/distinguished-name.ts';
import { decodePem } from '../pem.ts';
import { isSuitableSignature } from '../signature-algorithm.ts';
import { type PathCertificate, parsePathCertificate } from './path-certificate.ts';
import { PathError } from './path-refusal.ts';
import { requireSuitableKey } from './signature.ts';

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

/**
 * A certificate that somebody wants on a trust list. Its dates are not judged.
 * @throws CertificateError as `decodePem` and `parsePathCertificate`, and trailing_data, algorithm_unsupported, weak_key,
 *   usage_unsuitable, extension_invalid
 */
export function readNewAnchor(pem: string): PathCertificate {
  const [der, ...others] = decodePem(pem);
  if (der === undefined) throw new CertificateError('certificate_malformed', 'is no certificate');
  if (others.length > 0) {
    throw new CertificateError('trailing_data', 'is a chain; put each authority that is trusted on the list by itself');
  }
  const anchor = parsePathCertificate(der, 'anchors');
  const { isAuthority, keyUsage, unknownCritical, signatureAlgorithm } = anchor;
  if (!isAuthority) throw unsuitable('its basic constraints do not say that it is one of a certification authority');
  if (keyUsage?.includes('keyCertSign') === false) throw unsuitable('its key usage lacks keyCertSign');
  if (unknownCritical[0] !== undefined) {
    const message = `has the critical extension ${unknownCritical[0]}, which nobody here understands`;
    throw new CertificateError('extension_invalid', message);
  }
  if (!isSuitableSignature(signatureAlgorithm)) {
    const message = 'is signed with something else than RSA, ECDSA or EdDSA and SHA-2';
    throw new CertificateError('algorithm_unsupported', message);
  }
  requireKey(anchor);
  return anchor;
}

function requireKey(anchor: PathCertificate): void {
  try {
    requireSuitableKey(anchor);
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    throw new CertificateError(error.reason === 'weak_key' ? 'weak_key' : 'algorithm_unsupported', error.message);
  }
}

function unsuitable(why: string): CertificateError {
  return new CertificateError('usage_unsuitable', `issues no certificates: ${why}`);
}
