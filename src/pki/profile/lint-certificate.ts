/** Reads a certificate anew before it is signed: what stands in it is what its profile says, and nothing else. */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, oidOf, parseDer, TAG } from '../der.ts';
import { bitString, sequence } from '../der-writer.ts';
import { keywordOf } from '../names/attribute-types.ts';
import type { DistinguishedName } from '../names/distinguished-name.ts';
import { type PathCertificate, parsePathCertificate } from '../path/path-certificate.ts';
import { parsePublicKey } from '../public-key.ts';
import { type LintedDer, lintedDer, type X509Algorithm } from '../signed/linted-der.ts';
import { ALGORITHM_IDENTIFIERS } from '../signed/signed-der.ts';
import { type CertificateProfile, type CertificateProfileName, profileOf } from './certificate-profile.ts';
import { EXTENSION } from './extension-types.ts';
import { keyIdentifierOf } from './key-identifier.ts';

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

/**
 * @param tbs DER of a TBSCertificate
 * @throws CertificateError
 */
export function lintCertificate(tbs: Uint8Array, expected: CertificateExpectations): LintedDer {
  const { alg, spki } = expected;
  const issuer = expected.issuer === 'self' ? 'self' : expected.issuer.certificate;
  const profile = profileOf(expected.profile);
  if (tbs.length > MAX_BYTES) {
    throw new CertificateError('certificate_too_large', `would have more than ${MAX_BYTES} bytes`);
  }
  const certificate = parsePathCertificate(sequence(tbs, ALGORITHM_IDENTIFIERS[alg], NO_SIGNATURE));
  requireKey(certificate, spki, issuer);
  requireIssuer(tbs, certificate, issuer);
  if (certificate.serial.length < MIN_SERIAL_DIGITS) throw refused('has a serial number that can be guessed');
  requireReadableSubject(certificate.subject);
  requireValidity(certificate, profile, issuer);
  requireExtensions(tbs, certificate, profile, expected.profile);
  return lintedDer({ kind: 'certificate', alg, toBeSigned: tbs });
}

function requireKey(certificate: PathCertificate, spki: Uint8Array, issuer: Uint8Array | 'self'): void {
  parsePublicKey(certificate.spki);
  if (!isSame(certificate.spki, spki)) throw refused('is for another key than it was asked for');
  if (issuer !== 'self' && isSame(certificate.spki, parsePathCertificate(issuer).spki)) {
    throw refused('is for the key of who issues it');
  }
}

/** Byte by byte: many who verify compare names so. */
function requireIssuer(tbs: Uint8Array, certificate: PathCertificate, issuer: Uint8Array | 'self'): void {
  const [issuerName, subjectName] = namesOf(tbs);
  const wanted = issuer === 'self' ? subjectName : namesOf(parseDer(issuer).children[0]?.bytes ?? tbs)[1];
  if (!isSame(issuerName, wanted)) throw refused('names another issuer than who signs it');
  const own = Buffer.from(keyIdentifierOf(certificate.spki)).toString('hex');
  if (certificate.subjectKeyId !== own) throw refused('has a key identifier that is not of its key');
  const above = issuer === 'self' ? own : parsePathCertificate(issuer).subjectKeyId;
  if (above === null) throw refused('cannot name the key of who issues it: that certificate has no key identifier');
  if (certificate.authorityKeyId !== above) throw refused('names another key of its issuer');
}

function namesOf(tbs: Uint8Array): [issuer: Uint8Array, subject: Uint8Array] {
  const { children } = parseDer(tbs);
  return [children[3]?.bytes ?? new Uint8Array(), children[5]?.bytes ?? new Uint8Array()];
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
    if (!isFit || others.length > 0)
      throw refused(`has a subject whose ${keyword ?? type} is empty, too long or unknown`);
  }
}

function requireValidity(
  { notBefore, notAfter }: PathCertificate,
  { maxDays }: CertificateProfile,
  issuer: Uint8Array | 'self',
): void {
  // Both ends count (RFC 5280 §4.1.2.5).
  if (notAfter - notBefore + 1 > maxDays * DAY_SECONDS) {
    throw new CertificateError('validity_invalid', `would be valid for more than ${maxDays} days`);
  }
  if (issuer === 'self') return;
  const above = parsePathCertificate(issuer);
  if (above.notBefore <= notBefore && notAfter <= above.notAfter) return;
  throw new CertificateError('validity_invalid', 'would begin before, or end after, the certificate of who issues it');
}

/** Those that are there, and whether they are critical; no more and no fewer, in any order. */
function requireExtensions(
  tbs: Uint8Array,
  certificate: PathCertificate,
  profile: CertificateProfile,
  name: CertificateProfileName,
): void {
  const wanted = new Map<string, boolean>([
    [EXTENSION.authorityKeyIdentifier, false],
    [EXTENSION.subjectKeyIdentifier, false],
    [EXTENSION.keyUsage, true],
  ]);
  if (profile.authority !== null) wanted.set(EXTENSION.basicConstraints, true);
  if (profile.extendedKeyUsage !== null) wanted.set(EXTENSION.extendedKeyUsage, false);
  if (profile.alternativeNames.length > 0) wanted.set(EXTENSION.subjectAlternativeName, false);
  if (profile.isRevocable) {
    wanted.set(EXTENSION.revocationListDistributionPoints, false);
    wanted.set(EXTENSION.authorityInformationAccess, false);
  }
  if (name === 'ocsp-responder') wanted.set(EXTENSION.ocspNoCheck, false);
  const found = extensionsOf(tbs);
  const isExact =
    found.length === wanted.size && found.every(({ type, isCritical }) => wanted.get(type) === isCritical);
  if (!isExact) throw refused(`has other extensions than a certificate for ${name}`);
  requireUsages(certificate, profile);
  requireAlternativeNames(certificate, profile);
  for (const { type, value } of found) {
    if (type === EXTENSION.revocationListDistributionPoints || type === EXTENSION.authorityInformationAccess) {
      requireUrls(value);
    }
  }
}

function requireUsages(
  certificate: PathCertificate,
  { keyUsage, extendedKeyUsage, authority }: CertificateProfile,
): void {
  if (certificate.keyUsage?.join() !== keyUsage.join()) throw refused('is for other uses than its profile has');
  if (certificate.extendedKeyUsage?.join() !== extendedKeyUsage?.join()) throw refused('is for other purposes');
  const maxPathLength = authority === null || authority.maxPathLength === 'any' ? null : authority.maxPathLength;
  if (certificate.isAuthority === (authority !== null) && certificate.maxPathLength === maxPathLength) return;
  throw refused('says something else of being an authority than its profile');
}

function requireAlternativeNames({ alternativeNames }: PathCertificate, profile: CertificateProfile): void {
  const forms = new Set<string>(alternativeNames.map(({ form }) => form));
  const wanted = new Set<string>(profile.alternativeNames);
  const isExact = forms.size === wanted.size && [...forms].every((form) => wanted.has(form));
  if (!isExact) throw refused('has other alternative names than its profile');
}

const URL_TAG = 0x86;

/** Whatever the structure around them: each is one of HTTP, in ASCII. */
function requireUrls(value: DerValue): void {
  if (value.tag === URL_TAG) {
    const text = Buffer.from(value.contents).toString('latin1');
    if (!/^https?:\/\/[!-~]{1,1000}$/.test(text) || !URL.canParse(text)) throw refused('has an address that is none');
  }
  for (const child of value.children) requireUrls(child);
}

interface FoundExtension {
  type: string;
  isCritical: boolean;
  value: DerValue;
}

/** The reader has made sure of their shape. */
function extensionsOf(tbs: Uint8Array): FoundExtension[] {
  const list = parseDer(tbs).children.find(({ tag }) => tag === TAG.context3)?.children[0]?.children ?? [];
  return list.map(({ children: [type, ...others] }) => ({
    type: oidOf(type) ?? '',
    isCritical: others.length === 2,
    value: parseDer(others.at(-1)?.contents ?? new Uint8Array()),
  }));
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function refused(what: string): CertificateError {
  return new CertificateError('lint_failed', `is not signed: it ${what}`);
}
