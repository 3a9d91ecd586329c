/** A certificate as the rules for paths need it: strictly read, not yet judged. @see RFC 5280 §4.1 */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, parseDer, TAG } from '../der.ts';
import { type DistinguishedName, parseDistinguishedName } from '../names/distinguished-name.ts';
import { formatName } from '../names/name-string.ts';
import { MAX_CERTIFICATE_BYTES } from '../pem.ts';
import { sha256 } from '../public-key.ts';
import { type PathExtensions, parseExtensions } from './extensions.ts';
import type { PathSource, PlaceInPath } from './path-refusal.ts';
import { parseTime } from './validity-time.ts';

export interface PathCertificate extends PathExtensions {
  place: PlaceInPath;
  der: Uint8Array;
  /** SHA-256 over the DER, base64url: `x5t#S256`. */
  x5tS256: string;
  subject: DistinguishedName;
  issuer: DistinguishedName;
  /** Hexadecimal, without leading zeros. */
  serial: string;
  /** Seconds since the epoch, both inclusive. */
  notBefore: number;
  notAfter: number;
  signatureAlgorithm: DerValue;
  /** SubjectPublicKeyInfo in DER; which keys are taken is judged where one is used. */
  spki: Uint8Array;
  /** SHA-256 over it, base64url. */
  spkiSha256: string;
}

const MAX_SERIAL_BYTES = 20;
/** `[0]` of the number 2. */
const VERSION_3 = Buffer.from([0xa0, 0x03, 0x02, 0x01, 0x02]);

/**
 * @param from an anchor may have the serial number 0, as old ones do: nobody asks for it by that
 * @throws CertificateError certificate_malformed, trailing_data, certificate_too_large, validity_invalid, name_invalid,
 *   extension_invalid
 */
export function parsePathCertificate(der: Uint8Array, from: PathSource = 'leaf', index: number = 0): PathCertificate {
  if (der.length > MAX_CERTIFICATE_BYTES) {
    throw new CertificateError('certificate_too_large', `has more than ${MAX_CERTIFICATE_BYTES} bytes`);
  }
  const { fields, serial, extensions, signatureAlgorithm } = requireShape(parseDer(der), from);
  const [issuerValue, validity, subjectValue, spki] = fields;
  const [subject, issuer] = [parseDistinguishedName(subjectValue), parseDistinguishedName(issuerValue)];
  if (issuer.relativeNames.length === 0) throw malformed('has no issuer');
  const x5tS256 = sha256(der);
  return {
    ...parseExtensions(extensions),
    place: { from, index, subject: formatName(subject), issuer: formatName(issuer), x5tS256 },
    ...{ der, x5tS256, subject, issuer, serial, signatureAlgorithm },
    ...parseValidity(validity),
    spki: spki.bytes,
    spkiSha256: sha256(spki.bytes),
  };
}

/** Whether it names itself as its issuer, signed by the same key or not. */
export function isSelfIssued({ subject, issuer }: Pick<PathCertificate, 'subject' | 'issuer'>): boolean {
  return subject.key === issuer.key;
}

/** The place of what could not be read. */
export function unreadPlace(from: PathSource, index: number): PlaceInPath {
  return { from, index, subject: null, issuer: null, x5tS256: null };
}

interface Shape {
  fields: readonly [issuer: DerValue, validity: DerValue, subject: DerValue, spki: DerValue];
  serial: string;
  extensions: DerValue | undefined;
  signatureAlgorithm: DerValue;
}

function requireShape(root: DerValue, from: PathSource): Shape {
  const [tbs, outer, signature, ...rest] = root.children;
  const isWhole = root.tag === TAG.sequence && rest.length === 0;
  if (!isWhole || tbs?.tag !== TAG.sequence || outer?.tag !== TAG.sequence || signature?.tag !== TAG.bitString) {
    throw malformed('is no X.509 certificate');
  }
  const [version, serial, inner, issuer, validity, subject, spki, ...optional] = tbs.children;
  if (version === undefined || !Buffer.from(version.bytes).equals(VERSION_3)) throw malformed('is not of version 3');
  if (inner === undefined || !Buffer.from(inner.bytes).equals(outer.bytes)) {
    throw malformed('names two algorithms for one signature');
  }
  if (signature.contents[0] !== 0) throw malformed('has a signature that does not end at a byte');
  if (issuer === undefined || validity === undefined || subject === undefined || spki?.tag !== TAG.sequence) {
    throw malformed('is no X.509 certificate');
  }
  return {
    fields: [issuer, validity, subject, spki],
    serial: serialOf(serial, from),
    extensions: requireExtensions(optional),
    signatureAlgorithm: inner,
  };
}

function serialOf(serial: DerValue | undefined, from: PathSource): string {
  const [first = 0x80] = serial?.contents ?? [];
  const isZero = serial?.contents.length === 1 && first === 0;
  const isNumber = serial?.tag === TAG.integer && serial.contents.length <= MAX_SERIAL_BYTES && first < 0x80;
  if (!isNumber || (isZero && from !== 'anchors')) {
    throw malformed(`has a serial number that is not above 0, or of more than ${MAX_SERIAL_BYTES} bytes`);
  }
  return Buffer.from(serial.contents)
    .toString('hex')
    .replace(/^0+(?=.)/, '');
}

/** Unique identifiers `[1]` and `[2]` may stand before the extensions; nothing else may. */
function requireExtensions(optional: readonly DerValue[]): DerValue | undefined {
  const tags = optional.map(({ tag }) => tag);
  const isOrdered = tags.every((tag, index) => index === 0 || (tags[index - 1] ?? 0) % 0x20 < tag % 0x20);
  if (!isOrdered || tags.some((tag) => tag !== 0x81 && tag !== 0x82 && tag !== TAG.context3)) {
    throw malformed('has something else in the place of extensions');
  }
  return optional.find(({ tag }) => tag === TAG.context3);
}

function parseValidity({ tag, children: [from, to, ...rest] }: DerValue): { notBefore: number; notAfter: number } {
  if (tag !== TAG.sequence || rest.length > 0) throw malformed('has no dates');
  const [notBefore, notAfter] = [parseTime(from), parseTime(to)];
  if (notBefore < notAfter) return { notBefore, notAfter };
  throw new CertificateError('validity_invalid', 'is never valid: it ends before it begins, or at the same moment');
}

function malformed(message: string): CertificateError {
  return new CertificateError('certificate_malformed', message);
}
