/** Reads what a responder is asked. @see RFC 6960 §4.1, RFC 8954 §2.1 */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, oidOf, parseDer, TAG } from '../der.ts';
import { OcspError } from './ocsp-error.ts';

/** How a request names issuers. */
export type CertIdHash = 'sha1' | 'sha256';

/** A certificate as a client names it. */
export interface CertId {
  /** As it came: the answer repeats it. */
  der: Uint8Array;
  /** undefined: with a hash that we do not look issuers up by. */
  hash: CertIdHash | undefined;
  /** Of the DER of its name, and of the bits of its key. */
  issuerNameHash: Uint8Array;
  issuerKeyHash: Uint8Array;
  /** Hexadecimal, without leading zeros. */
  serial: string;
}

export interface OcspRequest {
  /** In their order, at least one. */
  certIds: readonly CertId[];
  /** undefined: none; whoever sends none takes an answer that was made before. */
  nonce: Uint8Array | undefined;
}

export const MAX_OCSP_REQUEST_BYTES = 16 * 1024;
/** Clients ask for one; some servers for those above it as well. */
export const MAX_CERT_IDS = 10;
/** @see RFC 8954 §2.1 */
export const MAX_NONCE_BYTES = 32;
export const NONCE = '1.3.6.1.5.5.7.48.1.2';

const MAX_SERIAL_BYTES = 20;
const MAX_EXTENSIONS = 20;
const HASHES: Readonly<Record<string, CertIdHash>> = { '1.3.14.3.2.26': 'sha1', '2.16.840.1.101.3.4.2.1': 'sha256' };
const [VERSION, REQUESTOR_NAME, REQUEST_EXTENSIONS] = [TAG.context0, 0xa1, 0xa2];
/** `[0]` of the number 0: the only version, which DER leaves out and some clients do not. */
const VERSION_1 = Buffer.from([0xa0, 0x03, 0x02, 0x01, 0x00]);

/**
 * Who asks, and whether he signed the request, does not matter: everybody gets the same answer.
 * @throws OcspError malformedRequest
 */
export function parseOcspRequest(bytes: Uint8Array): OcspRequest {
  if (bytes.length > MAX_OCSP_REQUEST_BYTES) throw malformed(`has more than ${MAX_OCSP_REQUEST_BYTES} bytes`);
  const [tbs, ...signature] = sequenceOf(read(bytes));
  if (signature.length > 1 || signature.some(({ tag }) => tag !== TAG.context0)) throw malformed('has a strange end');
  const fields = [...sequenceOf(tbs)];
  const version = takeOf(fields, VERSION);
  if (version !== undefined && !VERSION_1.equals(version.bytes)) throw malformed('is of another version');
  takeOf(fields, REQUESTOR_NAME);
  const list = sequenceOf(fields.shift());
  const extensions = extensionsOf(takeOf(fields, REQUEST_EXTENSIONS));
  if (fields.length > 0) throw malformed('has something after its extensions');
  if (list.length === 0 || list.length > MAX_CERT_IDS)
    throw malformed(`asks for none, or for more than ${MAX_CERT_IDS}`);
  return { certIds: list.map(certIdOf), nonce: nonceOf(extensions) };
}

function read(bytes: Uint8Array): DerValue {
  try {
    return parseDer(bytes);
  } catch (cause) {
    if (cause instanceof CertificateError) throw malformed(cause.message, cause);
    throw cause;
  }
}

function sequenceOf(value: DerValue | undefined): readonly DerValue[] {
  if (value?.tag !== TAG.sequence) throw malformed('lacks a part');
  return value.children;
}

/** The first of the fields, where it is this one. */
function takeOf(fields: DerValue[], tag: number): DerValue | undefined {
  return fields[0]?.tag === tag ? fields.shift() : undefined;
}

function certIdOf(request: DerValue): CertId {
  const [certId, singleExtensions, ...rest] = sequenceOf(request);
  if (rest.length > 0 || (singleExtensions !== undefined && singleExtensions.tag !== TAG.context0)) {
    throw malformed('asks for a certificate with something more');
  }
  extensionsOf(singleExtensions);
  const [algorithm, nameHash, keyHash, serial, ...more] = sequenceOf(certId);
  const [hashType, _parameters, ...others] = sequenceOf(algorithm);
  const hash = oidOf(hashType);
  const isNamed = hash !== undefined && others.length === 0;
  const isHashed = nameHash?.tag === TAG.octetString && keyHash?.tag === TAG.octetString;
  if (!isNamed || !isHashed || certId === undefined || more.length > 0) throw malformed('names a certificate wrongly');
  return {
    der: certId.bytes,
    hash: Object.hasOwn(HASHES, hash) ? HASHES[hash] : undefined,
    issuerNameHash: nameHash.contents,
    issuerKeyHash: keyHash.contents,
    serial: serialOf(serial),
  };
}

/** @see RFC 5280 §4.1.2.2 */
function serialOf(serial: DerValue | undefined): string {
  const [first = 0x80] = serial?.contents ?? [];
  if (serial?.tag !== TAG.integer || serial.contents.length > MAX_SERIAL_BYTES || first >= 0x80) {
    throw malformed('has a serial number that no certificate has');
  }
  return Buffer.from(serial.contents)
    .toString('hex')
    .replace(/^0+(?=.)/, '');
}

interface Extension {
  type: string;
  contents: Uint8Array;
}

/** What we do not know may be left aside unless it says otherwise. */
function extensionsOf(tagged: DerValue | undefined): readonly Extension[] {
  if (tagged === undefined) return [];
  const [list, ...rest] = tagged.children;
  const extensions = sequenceOf(list).map(extensionOf);
  const types = extensions.map(({ type }) => type);
  if (rest.length > 0 || types.length === 0 || types.length > MAX_EXTENSIONS) throw malformed('has strange extensions');
  if (new Set(types).size < types.length) throw malformed('has an extension twice');
  return extensions;
}

function extensionOf(value: DerValue): Extension {
  const fields = [...sequenceOf(value)];
  const type = oidOf(fields.shift());
  const critical = takeOf(fields, TAG.boolean);
  const [contents, ...rest] = fields;
  if (type === undefined || contents?.tag !== TAG.octetString || rest.length > 0)
    throw malformed('has a broken extension');
  if (critical?.contents[0] === 0xff && type !== NONCE) throw malformed('has a critical extension that we do not know');
  return { type, contents: contents.contents };
}

function nonceOf(extensions: readonly Extension[]): Uint8Array | undefined {
  const found = extensions.find(({ type }) => type === NONCE);
  if (found === undefined) return undefined;
  const nonce = read(found.contents);
  const { length } = nonce.contents;
  if (nonce.tag === TAG.octetString && length > 0 && length <= MAX_NONCE_BYTES) return nonce.contents;
  throw malformed(`has a nonce that is none, or of more than ${MAX_NONCE_BYTES} bytes`);
}

function malformed(what: string, cause?: unknown): OcspError {
  return new OcspError('malformedRequest', `the request ${what}`, { cause });
}
