/** Reads a certificate anew before it is signed: what stands in it is what its profile says, and nothing else. */
import { CertificateError } from '../certificate-error.ts';
import { parseDer } from '../der.ts';
import { bitString, sequence } from '../der-writer.ts';
import { keywordOf } from '../names/attribute-types.ts';
import type { DistinguishedName, NameAttribute } from '../names/distinguished-name.ts';
import { type PathCertificate, parsePathCertificate } from '../path/path-certificate.ts';
import { parsePublicKey } from '../public-key.ts';
import { type LintedDer, lintedDer, type X509Algorithm } from '../signed/linted-der.ts';
import { ALGORITHM_IDENTIFIERS } from '../signed/signed-der.ts';
import { type CertificateProfileName, profileOf } from './certificate-profile.ts';
import { keyIdentifierOf } from './key-identifier.ts';
import { requireExtensions } from './lint-extensions.ts';

export interface CertificateExpectations {
  profile: CertificateProfileName;
  /** Of the key that signs it. */
  alg: X509Algorithm;
  /** Who signs it, by its certificate in DER; `self`: it signs itself. */
  issuer: { certificate: Uint8Array } | 'self';
  /** SubjectPublicKeyInfo in DER of the key that it is for. */
  spki: Uint8Array;
}

const DAY_SECONDS = 86_400;
const MAX_BYTES = 8 * 1024;
/** A serial number cannot be guessed (CA/Browser Forum Baseline Requirements §7.1). */
const MIN_SERIAL_DIGITS = 15;
const NO_SIGNATURE = bitString(new Uint8Array(1));
/** Without the identifiers of issuer and subject that nobody uses (RFC 5280 §4.1.2.8). */
const FIELDS = 8;

/**
 * @param tbs DER of a TBSCertificate
 * @throws CertificateError
 */
export function lintCertificate(tbs: Uint8Array, expected: CertificateExpectations): LintedDer {
  const { alg, spki } = expected;
  if (tbs.length > MAX_BYTES) {
    throw new CertificateError('certificate_too_large', `would have more than ${MAX_BYTES} bytes`);
  }
  const certificate = parsePathCertificate(sequence(tbs, ALGORITHM_IDENTIFIERS[alg], NO_SIGNATURE));
  const fields = parseDer(tbs).children;
  if (fields.length !== FIELDS) throw refused('has something beside its fields');
  const isAuthority = profileOf(expected.profile).authority !== null;
  const issuer = expected.issuer === 'self' ? 'self' : readIssuer(expected.issuer.certificate, isAuthority);
  requireKey(certificate, spki, issuer);
  requireIssuer(fields[3]?.bytes, issuer === 'self' ? fields[5]?.bytes : issuer.name);
  requireKeyIdentifiers(certificate, issuer);
  if (certificate.serial.length < MIN_SERIAL_DIGITS) throw refused('has a serial number that can be guessed');
  requireReadableSubject(certificate.subject);
  requireValidity(certificate, profileOf(expected.profile).maxDays, issuer);
  requireExtensions(fields[7], certificate, expected.profile);
  return lintedDer({ kind: 'certificate', alg, toBeSigned: tbs });
}

interface Issuer extends PathCertificate {
  /** DER of its subject. */
  name: Uint8Array | undefined;
}

function readIssuer(der: Uint8Array, isForAuthority: boolean): Issuer {
  const certificate = parsePathCertificate(der);
  const { isAuthority, keyUsage, maxPathLength } = certificate;
  const mayIssue = isAuthority && keyUsage?.includes('keyCertSign') !== false;
  if (!mayIssue || (isForAuthority && maxPathLength === 0)) {
    throw refused('would be issued by who is no authority for such certificates');
  }
  return { ...certificate, name: parseDer(der).children[0]?.children[5]?.bytes };
}

function requireKey(certificate: PathCertificate, spki: Uint8Array, issuer: Issuer | 'self'): void {
  parsePublicKey(certificate.spki);
  if (!isSame(certificate.spki, spki)) throw refused('is for another key than it was asked for');
  if (issuer !== 'self' && isSame(certificate.spki, issuer.spki)) throw refused('is for the key of who issues it');
}

/** @param wanted the subject of who signs; byte by byte, as many who verify compare names */
function requireIssuer(named: Uint8Array | undefined, wanted: Uint8Array | undefined): void {
  if (named === undefined || wanted === undefined || !isSame(named, wanted)) {
    throw refused('names another issuer than who signs it');
  }
}

function requireKeyIdentifiers(certificate: PathCertificate, issuer: Issuer | 'self'): void {
  const own = Buffer.from(keyIdentifierOf(certificate.spki)).toString('hex');
  if (certificate.subjectKeyId !== own) throw refused('has a key identifier that is not of its key');
  const above = issuer === 'self' ? own : issuer.subjectKeyId;
  if (above === null) throw refused('cannot name the key of who issues it: that certificate has no key identifier');
  if (certificate.authorityKeyId !== above) throw refused('names another key of its issuer');
}

/** Upper bounds of RFC 5280 Appendix A.1, by keyword; others are bounded by the reader. */
const MAX_LENGTHS: Readonly<Record<string, number>> = {
  C: 2,
  CN: 64,
  O: 64,
  OU: 64,
  L: 128,
  ST: 128,
  serialNumber: 64,
};

function requireReadableSubject({ relativeNames }: DistinguishedName): void {
  if (relativeNames.length === 0) throw refused('names nobody');
  const types = relativeNames.flat().map(({ type }) => type);
  if (new Set(types).size !== types.length) throw refused('has the same attribute of its subject twice');
  for (const [attribute, ...others] of relativeNames) {
    const { type = '', text = '' } = attribute ?? {};
    const keyword = keywordOf(type, 'readable');
    const length = [...text].length;
    const isFit = keyword !== undefined && length > 0 && length <= (MAX_LENGTHS[keyword] ?? length);
    if (!isFit || others.length > 0 || !isWrittenPlainly(attribute)) {
      throw refused(`has a subject whose ${keyword ?? type} is empty, too long, unknown or of other letters`);
    }
  }
}

const [UTF8_STRING, PRINTABLE_STRING, IA5_STRING] = [0x0c, 0x13, 0x16];
const PRINTABLE = /^[A-Za-z0-9 '()+,./:=?-]+$/;

/** In types of text that all readers understand alike; printable ones have no more letters than X.680 §41.4 gives them. */
function isWrittenPlainly({ text = '', der }: Partial<NameAttribute> = {}): boolean {
  const tag = der?.[0];
  return tag === UTF8_STRING || tag === IA5_STRING || (tag === PRINTABLE_STRING && PRINTABLE.test(text));
}

function requireValidity({ notBefore, notAfter }: PathCertificate, maxDays: number, issuer: Issuer | 'self'): void {
  // Both ends count (RFC 5280 §4.1.2.5).
  if (notAfter - notBefore + 1 > maxDays * DAY_SECONDS) {
    throw new CertificateError('validity_invalid', `would be valid for more than ${maxDays} days`);
  }
  if (issuer === 'self' || (issuer.notBefore <= notBefore && notAfter <= issuer.notAfter)) return;
  throw new CertificateError('validity_invalid', 'would begin before, or end after, the certificate of who issues it');
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function refused(what: string): CertificateError {
  return new CertificateError('lint_failed', `is not signed: it ${what}`);
}
