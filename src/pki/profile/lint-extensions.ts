/** Extensions of a certificate of ours, read anew before it is signed: those of its profile, as they have to be written. */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, oidOf, parseDer, TAG } from '../der.ts';
import type { PathCertificate } from '../path/path-certificate.ts';
import { type CertificateProfileName, profileOf } from './certificate-profile.ts';
import { EXTENSION } from './extension-types.ts';

/**
 * Those that are there, and whether they are critical; no more and no fewer, in any order.
 * @param list `[3]` of a TBSCertificate; the reader has made sure of its shape
 * @param certificate what the reader made of it
 * @throws CertificateError lint_failed
 */
export function requireExtensions(
  list: DerValue | undefined,
  certificate: PathCertificate,
  name: CertificateProfileName,
): void {
  const wanted = wantedOf(name);
  const found = (list?.children[0]?.children ?? []).map(readExtension);
  const isExact =
    found.length === wanted.size && found.every(({ type, isCritical }) => wanted.get(type) === isCritical);
  if (!isExact) throw refused(`has other extensions than a certificate for ${name}`);
  for (const { type, value } of found) {
    if (SHAPES[type]?.(value) === false) throw refused(`writes its extension ${type} in another way than it should`);
  }
  requireUsages(certificate, name);
  requireAlternativeNames(certificate, name);
}

/** Whether each is critical, by type. @see RFC 5280 §4.2.1 */
function wantedOf(name: CertificateProfileName): ReadonlyMap<string, boolean> {
  const { authority, extendedKeyUsage, alternativeNames, isRevocable } = profileOf(name);
  const wanted = new Map<string, boolean>([
    [EXTENSION.authorityKeyIdentifier, false],
    [EXTENSION.subjectKeyIdentifier, false],
    [EXTENSION.keyUsage, true],
  ]);
  if (authority !== null) wanted.set(EXTENSION.basicConstraints, true);
  if (extendedKeyUsage !== null) wanted.set(EXTENSION.extendedKeyUsage, false);
  if (alternativeNames.length > 0) wanted.set(EXTENSION.subjectAlternativeName, false);
  if (isRevocable) {
    wanted.set(EXTENSION.revocationListDistributionPoints, false);
    wanted.set(EXTENSION.authorityInformationAccess, false);
  }
  if (name === 'ocsp-responder') wanted.set(EXTENSION.ocspNoCheck, false);
  return wanted;
}

interface FoundExtension {
  type: string;
  /** undefined: it says in words that it is not, where DER has none. */
  isCritical: boolean | undefined;
  value: DerValue;
}

function readExtension({ children: [type, ...others] }: DerValue): FoundExtension {
  const [flag] = others.length === 2 ? others : [];
  return {
    type: oidOf(type) ?? '',
    isCritical: flag === undefined ? false : flag.contents[0] === 0xff || undefined,
    value: parseDer(others.at(-1)?.contents ?? new Uint8Array()),
  };
}

const TAGGED_URL = 0x86;
const NO_CHECK = Buffer.from([0x05, 0x00]);
/** OCSP, and the certificate of who issued it. @see RFC 5280 §4.2.2.1 */
const ACCESS_METHODS = ['1.3.6.1.5.5.7.48.1', '1.3.6.1.5.5.7.48.2'];

/** What the reader of paths does not look at, or reads in several ways. */
const SHAPES: Readonly<Record<string, (value: DerValue) => boolean>> = {
  // The key alone: nobody checks the issuer's name and serial number that may stand beside it.
  [EXTENSION.authorityKeyIdentifier]: ({ tag, children }) => tag === TAG.sequence && children.length === 1,
  [EXTENSION.keyUsage]: ({ contents }) => isShortest(contents),
  [EXTENSION.ocspNoCheck]: ({ bytes }) => NO_CHECK.equals(bytes),
  [EXTENSION.revocationListDistributionPoints]: (value) =>
    isUrl(onlyOneIn(value, [TAG.sequence, TAG.sequence, TAG.context0, TAG.context0])),
  [EXTENSION.authorityInformationAccess]: ({ tag, children }) =>
    tag === TAG.sequence &&
    children.length === ACCESS_METHODS.length &&
    children.every((description, index) => isAccess(description, ACCESS_METHODS[index])),
};

/** Named bits end with one that is set. @see X.690 §11.2.2 */
function isShortest(contents: Uint8Array): boolean {
  const [unused = 0] = contents;
  return (((contents.at(-1) ?? 0) >> unused) & 1) === 1;
}

function isAccess({ tag, children }: DerValue, method: string | undefined): boolean {
  const [type, location] = children;
  return tag === TAG.sequence && children.length === 2 && oidOf(type) === method && isUrl(location);
}

/** What stands in values of these tags, one within the other, each with nothing else in it. */
function onlyOneIn(value: DerValue, tags: readonly number[]): DerValue | undefined {
  let inner: DerValue | undefined = value;
  for (const tag of tags) inner = inner?.tag === tag && inner.children.length === 1 ? inner.children[0] : undefined;
  return inner;
}

/** One of HTTP, in ASCII. */
function isUrl(value: DerValue | undefined): boolean {
  if (value?.tag !== TAGGED_URL) return false;
  const text = Buffer.from(value.contents).toString('latin1');
  return /^https?:\/\/[!-~]{1,1000}$/.test(text) && URL.canParse(text);
}

function requireUsages(certificate: PathCertificate, name: CertificateProfileName): void {
  const { keyUsage, extendedKeyUsage, authority } = profileOf(name);
  if (certificate.keyUsage?.join() !== keyUsage.join()) throw refused('is for other uses than its profile has');
  if (certificate.extendedKeyUsage?.join() !== extendedKeyUsage?.join()) throw refused('is for other purposes');
  const maxPathLength = authority === null || authority.maxPathLength === 'any' ? null : authority.maxPathLength;
  if (certificate.isAuthority === (authority !== null) && certificate.maxPathLength === maxPathLength) return;
  throw refused('says something else of being an authority than its profile');
}

function requireAlternativeNames({ alternativeNames }: PathCertificate, name: CertificateProfileName): void {
  const forms = new Set<string>(alternativeNames.map(({ form }) => form));
  const wanted = new Set<string>(profileOf(name).alternativeNames);
  const isExact = forms.size === wanted.size && [...forms].every((form) => wanted.has(form));
  if (!isExact) throw refused('has other alternative names than its profile');
  const texts = alternativeNames.map((alternative) => JSON.stringify(alternative));
  if (new Set(texts).size !== texts.length) throw refused('has the same alternative name twice');
  if (alternativeNames.some((alternative) => alternative.form === 'dns' && alternative.text.startsWith('*'))) {
    throw refused('is for whatever is below a domain, which nobody asked about');
  }
}

function refused(what: string): CertificateError {
  return new CertificateError('lint_failed', `is not signed: it ${what}`);
}
