/** Whether one certificate signed another, with an algorithm and a key that anybody should rely on. @see RFC 5280 §6.1.3 (a)(1) */
import { X509Certificate } from 'node:crypto';
import { CertificateError } from '../certificate-error.ts';
import { parsePublicKey } from '../public-key.ts';
import { isSuitableSignature } from '../signature-algorithm.ts';
import type { PathCertificate } from './path-certificate.ts';
import { PathError } from './path-refusal.ts';

/** Of those that a search may make: a public exponent of hundreds of digits makes one slow. */
export const MAX_SIGNATURE_CHECKS = 64;
const MAX_EXPONENT_BYTES = 8;

/** Checks signatures, each once, and not more than a search needs. */
export interface SignatureChecks {
  /** @throws PathError algorithm_unsupported, weak_key, signature_invalid, chain_too_complex */
  requireSigned: (certificate: PathCertificate, issuer: PathCertificate) => void;
}

export function createSignatureChecks(): SignatureChecks {
  const results = new Map<string, PathError | undefined>();
  return {
    requireSigned: (certificate, issuer) => {
      const pair = `${certificate.x5tS256} ${issuer.x5tS256}`;
      if (!results.has(pair)) {
        if (results.size >= MAX_SIGNATURE_CHECKS) {
          throw new PathError('chain_too_complex', certificate.place, 'needs too many signatures to be checked');
        }
        results.set(pair, complaintAbout(certificate, issuer));
      }
      const complaint = results.get(pair);
      if (complaint !== undefined) throw complaint;
    },
  };
}

/** Refuses a key that nobody should rely on. @throws PathError weak_key, algorithm_unsupported */
export function requireSuitableKey({ spki, place }: Pick<PathCertificate, 'spki' | 'place'>): void {
  try {
    const { jwk } = parsePublicKey(spki);
    if (Buffer.from(jwk.e ?? '', 'base64url').length > MAX_EXPONENT_BYTES) {
      throw new PathError('algorithm_unsupported', place, 'its RSA exponent is longer than any that is in use');
    }
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    const reason = error.reason === 'weak_key' ? 'weak_key' : 'algorithm_unsupported';
    throw new PathError(reason, place, `${error.message}; have it issued anew with another key`);
  }
}

function complaintAbout(certificate: PathCertificate, issuer: PathCertificate): PathError | undefined {
  if (!isSuitableSignature(certificate.signatureAlgorithm)) {
    const message = 'is signed with something else than RSA, ECDSA or EdDSA and SHA-2; have it issued anew';
    return new PathError('algorithm_unsupported', certificate.place, message);
  }
  try {
    requireSuitableKey(issuer);
  } catch (error) {
    if (error instanceof PathError) return error;
    throw error;
  }
  if (isSignedBy(certificate.der, issuer.der)) return undefined;
  const message = 'is not signed by the certificate that has the name of its issuer; send the one that did sign it';
  return new PathError('signature_invalid', certificate.place, message);
}

/** What cannot be read, or checked with such a key, is not signed. */
function isSignedBy(der: Uint8Array, issuer: Uint8Array): boolean {
  try {
    return new X509Certificate(der).verify(new X509Certificate(issuer).publicKey);
  } catch {
    return false;
  }
}
