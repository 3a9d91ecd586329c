/** Reads certificates, strictly: whatever a lenient reader could take for something else is refused. @see RFC 5280 §4.1 */
import { X509Certificate as NodeCertificate } from 'node:crypto';
import { CertificateError } from './certificate-error.ts';
import { parseDer, TAG } from './der.ts';
import { isSameName } from './names/distinguished-name.ts';
import { displayName } from './names/name-string.ts';
import type { KeyUsage } from './path/extensions.ts';
import { isSelfIssued, type PathCertificate, parsePathCertificate } from './path/path-certificate.ts';
import { decodePem, MAX_CERTIFICATE_BYTES, MAX_CHAIN_LENGTH } from './pem.ts';
import { type PublicKey, parsePublicKey } from './public-key.ts';
import { isSuitableSignature } from './signature-algorithm.ts';

export interface Certificate extends PublicKey {
  der: Uint8Array;
  /** SHA-256 over the DER, base64url: `x5t#S256` of RFC 7515 and RFC 8705. */
  x5tS256: string;
  /** For people, from the root down; never to be compared. */
  subject: string;
  issuer: string;
  /** Whether these are the same name, signed by the same key or not. */
  isSelfIssued: boolean;
  /** Hexadecimal, without leading zeros. */
  serial: string;
  /** Seconds since the epoch, both inclusive. */
  notBefore: number;
  notAfter: number;
  isAuthority: boolean;
  /** null: there is no such extension, and so no limit. */
  keyUsage: readonly KeyUsage[] | null;
  /** Object identifiers; null: there is no such extension, and so no limit. */
  extendedKeyUsage: readonly string[] | null;
}

const MAX_NAME_LENGTH = 1024;

/**
 * A certificate, or a chain with the leaf first, each signed by the next. Whether anybody should trust it is not judged.
 * @param given PEM, or the DER of one certificate
 * @returns the leaf first
 * @throws CertificateError
 */
export function parseCertificates(given: string | Uint8Array): [Certificate, ...Certificate[]] {
  const encoded = typeof given === 'string' ? decodePem(given) : [given];
  if (encoded.length > MAX_CHAIN_LENGTH) {
    throw new CertificateError('certificate_too_large', `is a chain of more than ${MAX_CHAIN_LENGTH} certificates`);
  }
  const read = encoded.map(readCertificate);
  const [leaf, ...above] = read.map(judgeCertificate);
  if (leaf === undefined) throw new CertificateError('certificate_malformed', 'is no certificate');
  requireChain(read);
  return [leaf, ...above];
}

function readCertificate(der: Uint8Array): PathCertificate {
  // PKCS #1, PKCS #8 and SEC 1 all begin with a version.
  if (der.length <= MAX_CERTIFICATE_BYTES && parseDer(der).children[0]?.tag === TAG.integer) {
    throw new CertificateError('private_key', 'looks like a private key; send the certificate alone');
  }
  return parsePathCertificate(der);
}

/** What anybody may see in one that could be relied on. */
function judgeCertificate(certificate: PathCertificate): Certificate {
  const { der, x5tS256, subject, issuer, serial, notBefore, notAfter, unknownCritical } = certificate;
  const key = parsePublicKey(certificate.spki);
  if (!isSuitableSignature(certificate.signatureAlgorithm)) {
    const message = 'is signed with something else than RSA, ECDSA or EdDSA and SHA-2';
    throw new CertificateError('algorithm_unsupported', message);
  }
  if (unknownCritical[0] !== undefined) {
    const message = `has the critical extension ${unknownCritical[0]}, which nobody here understands`;
    throw new CertificateError('extension_invalid', message);
  }
  const { isAuthority, keyUsage, extendedKeyUsage } = certificate;
  return {
    ...{ der, x5tS256, ...key, serial, notBefore, notAfter, isAuthority, keyUsage, extendedKeyUsage },
    subject: bounded(displayName(subject)),
    issuer: bounded(displayName(issuer)),
    isSelfIssued: isSelfIssued(certificate),
  };
}

function bounded(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name;
  throw new CertificateError('name_invalid', `has a name of more than ${MAX_NAME_LENGTH} characters`);
}

/** Each is issued and signed by the next; nothing stands in it twice. */
function requireChain(chain: readonly PathCertificate[]): void {
  if (new Set(chain.map(({ x5tS256 }) => x5tS256)).size !== chain.length) {
    throw new CertificateError('certificate_repeated', 'has the same certificate twice');
  }
  for (const [index, certificate] of chain.entries()) {
    const next = chain[index + 1];
    if (next === undefined) return;
    const isIssued = next.isAuthority && isSameName(certificate.issuer, next.subject);
    if (isIssued && isSignedBy(certificate, next)) continue;
    const message = `is no chain: certificate ${index + 1} is not signed by the one after it; the leaf comes first`;
    throw new CertificateError('chain_broken', message);
  }
}

/** What cannot be read, or checked with such a key, is not signed. */
function isSignedBy({ der }: PathCertificate, issuer: PathCertificate): boolean {
  try {
    return new NodeCertificate(der).verify(new NodeCertificate(issuer.der).publicKey);
  } catch {
    return false;
  }
}
