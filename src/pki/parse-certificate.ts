/** Reads certificates, strictly: whatever a lenient reader could take for something else is refused. @see RFC 5280 §4.1 */
import 'reflect-metadata';
import { X509Certificate as NodeCertificate } from 'node:crypto';
import {
  BasicConstraintsExtension,
  type Extension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
} from '@peculiar/x509';
import { CertificateError } from './certificate-error.ts';
import { type DerValue, oidOf, parseDer, TAG } from './der.ts';
import { requireReadableText } from './names/attribute-text.ts';
import { decodePem, MAX_CERTIFICATE_BYTES, MAX_CHAIN_LENGTH } from './pem.ts';
import { type PublicKey, parsePublicKey, sha256 } from './public-key.ts';
import { isSuitableSignature } from './signature-algorithm.ts';

/** What a key usage extension allows. @see RFC 5280 §4.2.1.3 */
export type KeyUsage = keyof typeof KeyUsageFlags;

export interface Certificate extends PublicKey {
  der: Uint8Array;
  /** SHA-256 over the DER, base64url: `x5t#S256` of RFC 7515 and RFC 8705. */
  x5tS256: string;
  subject: string;
  issuer: string;
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

const MAX_SERIAL_BYTES = 20;

const [SUBJECT_ALTERNATIVE_NAME, KEY_USAGE, BASIC_CONSTRAINTS] = ['2.5.29.17', '2.5.29.15', '2.5.29.19'];
const EXTENDED_KEY_USAGE = '2.5.29.37';
/** Those that may be critical: read here, or of authorities alone. */
const KNOWN_EXTENSIONS = new Set([
  ...[SUBJECT_ALTERNATIVE_NAME, KEY_USAGE, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE],
  // Name constraints, certificate policies, their mappings and constraints, inhibitAnyPolicy.
  ...['2.5.29.30', '2.5.29.32', '2.5.29.33', '2.5.29.36', '2.5.29.54'],
]);

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
  const [leaf, ...above] = encoded.map(parseCertificate);
  if (leaf === undefined) throw new CertificateError('certificate_malformed', 'is no certificate');
  requireChain([leaf, ...above]);
  return [leaf, ...above];
}

function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new CertificateError('certificate_too_large', `has more than ${MAX_CERTIFICATE_BYTES} bytes`);
  }
  const { serial, spki } = requireShape(parseDer(der));
  const key = parsePublicKey(spki.bytes);
  const certificate = readLoosely(() => new X509Certificate(new Uint8Array(der)));
  const names = readLoosely(() => {
    const { subjectName, issuerName } = certificate;
    return { subject: subjectName.toString(), issuer: issuerName.toString(), all: [subjectName, issuerName] };
  });
  for (const name of names.all) requireReadable(name.toJSON());
  return {
    der,
    x5tS256: sha256(der),
    ...key,
    subject: bounded(names.subject),
    issuer: bounded(names.issuer),
    serial,
    ...validityOf(certificate),
    ...extensionsOf(certificate),
  };
}

/** Looks at what lenient readers pass over. */
function requireShape(root: DerValue): { serial: string; spki: DerValue } {
  const [first] = root.children;
  // PKCS #1, PKCS #8 and SEC 1 all begin with a version.
  if (root.tag === TAG.sequence && first?.tag === TAG.integer) {
    throw new CertificateError('private_key', 'looks like a private key; send the certificate alone');
  }
  const [tbs, algorithm, signature, ...rest] = root.children;
  if (tbs?.tag !== TAG.sequence || algorithm?.tag !== TAG.sequence || signature?.tag !== TAG.bitString)
    throw noCertificate();
  const [version, serial, innerAlgorithm, , , , spki] = tbs.children;
  const isVersion3 = version?.tag === TAG.context0 && version.children[0]?.contents[0] === 2;
  if (!isVersion3) throw new CertificateError('certificate_malformed', 'is not of version 3');
  if (rest.length > 0 || serial?.tag !== TAG.integer || spki?.tag !== TAG.sequence) throw noCertificate();
  if (serial.contents.length > MAX_SERIAL_BYTES || (serial.contents[0] ?? 0) >= 0x80) {
    throw new CertificateError('certificate_malformed', 'has a serial number below 0, or of more than 20 bytes');
  }
  if (innerAlgorithm === undefined || !Buffer.from(innerAlgorithm.bytes).equals(algorithm.bytes)) {
    throw new CertificateError('certificate_malformed', 'names two algorithms for one signature');
  }
  requireSignatureAlgorithm(algorithm);
  return {
    serial: Buffer.from(serial.contents)
      .toString('hex')
      .replace(/^0+(?=.)/, ''),
    spki,
  };
}

function requireSignatureAlgorithm(algorithm: DerValue): void {
  if (isSuitableSignature(algorithm)) return;
  throw new CertificateError(
    'algorithm_unsupported',
    'is signed with something else than RSA, ECDSA or EdDSA and SHA-2',
  );
}

function validityOf({ notBefore, notAfter }: X509Certificate): Pick<Certificate, 'notBefore' | 'notAfter'> {
  const [from, to] = [notBefore, notAfter].map((moment) => Math.floor(moment.getTime() / 1000));
  if (from === undefined || to === undefined || !Number.isSafeInteger(from) || !Number.isSafeInteger(to))
    throw noCertificate();
  if (from < to) return { notBefore: from, notAfter: to };
  throw new CertificateError('validity_invalid', 'is never valid: it ends before it begins, or at the same moment');
}

function extensionsOf(
  certificate: X509Certificate,
): Pick<Certificate, 'isAuthority' | 'keyUsage' | 'extendedKeyUsage'> {
  const byType = new Map<string, Extension>();
  for (const extension of readExtension(() => [...certificate.extensions])) {
    const { type, critical } = extension;
    if (byType.has(type)) throw new CertificateError('extension_invalid', `has the extension ${type} twice`);
    if (critical && !KNOWN_EXTENSIONS.has(type)) {
      throw new CertificateError(
        'extension_invalid',
        `has the critical extension ${type}, which nobody here understands`,
      );
    }
    if (KNOWN_EXTENSIONS.has(type)) readExtension(() => parseDer(new Uint8Array(extension.value)));
    byType.set(type, extension);
  }
  return readExtension(() => {
    const [usages, purposes] = [byType.get(KEY_USAGE), byType.get(EXTENDED_KEY_USAGE)];
    const [constraints, alternatives] = [byType.get(BASIC_CONSTRAINTS), byType.get(SUBJECT_ALTERNATIVE_NAME)];
    if (alternatives instanceof SubjectAlternativeNameExtension) {
      for (const { type, value } of alternatives.names.toJSON()) if (type !== 'dn') requireReadableText(value);
    }
    return {
      isAuthority: constraints instanceof BasicConstraintsExtension && constraints.ca,
      keyUsage: usages instanceof KeyUsagesExtension ? keyUsagesOf(usages) : null,
      extendedKeyUsage: purposes === undefined ? null : purposesOf(purposes),
    };
  });
}

function purposesOf({ value }: Extension): string[] {
  const purposes = parseDer(new Uint8Array(value)).children.map(oidOf);
  const known = purposes.filter((purpose) => purpose !== undefined);
  if (known.length > 0 && known.length === purposes.length) return known;
  throw new CertificateError('extension_invalid', 'has an extended key usage without purposes');
}

function keyUsagesOf({ usages }: KeyUsagesExtension): KeyUsage[] {
  const names = Object.keys(KeyUsageFlags).filter((name): name is KeyUsage => Number.isNaN(Number(name)));
  return names.filter((name) => (usages & KeyUsageFlags[name]) !== 0);
}

function requireReadable(names: JsonName): void {
  for (const text of names.flatMap((parts) => Object.values(parts).flat())) requireReadableText(text);
}

function bounded(name: string): string {
  if (name.length <= MAX_NAME_LENGTH) return name;
  throw new CertificateError('name_invalid', `has a name of more than ${MAX_NAME_LENGTH} characters`);
}

/** Each is issued and signed by the next; nothing stands in it twice. */
function requireChain(chain: readonly Certificate[]): void {
  if (new Set(chain.map(({ x5tS256 }) => x5tS256)).size !== chain.length) {
    throw new CertificateError('certificate_repeated', 'has the same certificate twice');
  }
  const read = chain.length === 1 ? [] : chain.map(({ der }) => readLoosely(() => new NodeCertificate(der)));
  for (const [index, certificate] of read.entries()) {
    const next = read[index + 1];
    if (next === undefined) return;
    const isSigned = chain[index + 1]?.isAuthority === true && readLoosely(() => certificate.verify(next.publicKey));
    if (isSigned && certificate.issuer === next.subject) continue;
    const message = `is no chain: certificate ${index + 1} is not signed by the one after it; the leaf comes first`;
    throw new CertificateError('chain_broken', message);
  }
}

function noCertificate(): CertificateError {
  return new CertificateError('certificate_malformed', 'is no X.509 certificate');
}

/** Readers of others throw what they like. */
function readLoosely<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError) throw error;
    throw noCertificate();
  }
}

function readExtension<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CertificateError && error.reason === 'name_invalid') throw error;
    throw new CertificateError('extension_invalid', 'has an extension that cannot be read');
  }
}
