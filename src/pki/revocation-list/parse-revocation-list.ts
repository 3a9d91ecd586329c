/** Reads lists of revocations as we write them, strictly, and their entries one by one: there may be very many. @see RFC 5280 §5.1 */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, oidOf, parseDer, TAG } from '../der.ts';
import { parseTime } from '../path/validity-time.ts';
import { LIST_EXTENSION } from './list-extensions.ts';
import { isCrlReason } from './revocation-reason.ts';
import type { RevokedEntry } from './write-revocation-list.ts';

export interface RevocationList {
  /** DER of the AlgorithmIdentifier, of the issuer's name. */
  algorithm: Uint8Array;
  issuer: Uint8Array;
  /** Whole seconds since the epoch. */
  thisUpdate: number;
  nextUpdate: number;
  number: bigint;
  /** In hexadecimal. */
  authorityKeyIdentifier: string;
  entryCount: number;
  /** Those that are on it, read when they are asked for; nothing that is not an entry gets this far. */
  entries: () => Generator<RevokedEntry>;
}

export interface SignedRevocationList extends RevocationList {
  /** DER of what is signed. */
  toBeSigned: Uint8Array;
  signature: Uint8Array;
}

/** Larger ones belong into parts, which there are none of yet. */
export const MAX_LIST_BYTES = 64 * 1024 * 1024;
const MAX_SERIAL_BYTES = 20;
const MAX_NUMBER_BYTES = 20;

/** A value by where it stands. */
interface Place {
  tag: number;
  /** First byte of the tag, of the contents, and the first byte after. */
  start: number;
  contents: number;
  end: number;
}

/** @throws CertificateError certificate_malformed, trailing_data, certificate_too_large, extension_invalid, validity_invalid */
export function parseRevocationList(der: Uint8Array): SignedRevocationList {
  requireSize(der);
  const whole = placeAt(der, 0, der.length, TAG.sequence);
  if (whole.end !== der.length) throw new CertificateError('trailing_data', 'something follows its end');
  const signed = placeAt(der, whole.contents, whole.end, TAG.sequence);
  const toBeSigned = der.subarray(signed.start, signed.end);
  const [algorithm, signature, ...others] = placesIn(der, signed.end, whole.end);
  if (algorithm?.tag !== TAG.sequence || signature?.tag !== TAG.bitString || others.length > 0) {
    throw malformed('is no list of revocations');
  }
  const list = parseTbsRevocationList(toBeSigned);
  if (Buffer.compare(valueAt(der, algorithm).bytes, list.algorithm) !== 0) {
    throw malformed('names two algorithms for one signature');
  }
  const { contents } = valueAt(der, signature);
  if (contents[0] !== 0) throw malformed('has a signature that does not end at a byte');
  return { ...list, toBeSigned, signature: contents.subarray(1) };
}

/**
 * @param tbs DER of a TBSCertList; all of it is read once, with its entries
 * @throws CertificateError as parseRevocationList
 */
export function parseTbsRevocationList(tbs: Uint8Array): RevocationList {
  requireSize(tbs);
  const whole = placeAt(tbs, 0, tbs.length, TAG.sequence);
  if (whole.end !== tbs.length) throw new CertificateError('trailing_data', 'something follows its end');
  const [version, algorithm, issuer, begin, end, ...rest] = placesIn(tbs, whole.contents, whole.end);
  const isVersion2 = version !== undefined && hex(tbs, version) === '020101';
  if (!isVersion2 || algorithm?.tag !== TAG.sequence || issuer?.tag !== TAG.sequence) {
    throw malformed('is no list of revocations of version 2');
  }
  const entries = rest[0]?.tag === TAG.sequence ? rest.shift() : undefined;
  const [extensions, ...others] = rest;
  if (begin === undefined || end === undefined || extensions?.tag !== TAG.context0 || others.length > 0) {
    throw malformed('is no list of revocations with extensions');
  }
  if (entries !== undefined && entries.contents === entries.end) throw malformed('has an empty list of entries');
  const [thisUpdate, nextUpdate] = [timeAt(tbs, begin), timeAt(tbs, end)];
  if (nextUpdate <= thisUpdate) throw new CertificateError('validity_invalid', 'ends before it begins');
  return {
    algorithm: valueAt(tbs, algorithm).bytes,
    issuer: valueAt(tbs, issuer).bytes,
    ...{ thisUpdate, nextUpdate },
    ...parseExtensions(valueAt(tbs, extensions)),
    entryCount: entries === undefined ? 0 : countEntries(tbs, entries),
    entries: () => readEntries(tbs, entries),
  };
}

/** The number and the issuer's key, both and nothing else, neither critical. */
function parseExtensions(value: DerValue): Pick<RevocationList, 'number' | 'authorityKeyIdentifier'> {
  const found = new Map<string, DerValue>();
  const [list, ...others] = value.children;
  if (list?.tag !== TAG.sequence || others.length > 0) throw malformed('has something else in the place of extensions');
  for (const { tag, children } of list.children) {
    const type = tag === TAG.sequence && children.length === 2 ? oidOf(children[0]) : undefined;
    if (type === undefined || found.has(type) || children[1]?.tag !== TAG.octetString) {
      throw extensionInvalid('is critical, is there twice, or cannot be read');
    }
    found.set(type, parseDer(children[1].contents));
  }
  const number = found.get(LIST_EXTENSION.number);
  const key = found.get(LIST_EXTENSION.authorityKeyIdentifier);
  const [keyIdentifier, ...more] = key?.children ?? [];
  const isKey = key?.tag === TAG.sequence && keyIdentifier?.tag === 0x80 && more.length === 0;
  const { tag, contents } = number ?? { tag: 0, contents: new Uint8Array() };
  const isNumber = tag === TAG.integer && contents.length <= MAX_NUMBER_BYTES && (contents[0] ?? 0x80) < 0x80;
  if (found.size !== 2 || !isKey || !isNumber) throw extensionInvalid('is unknown, or missing');
  return {
    number: BigInt(`0x${Buffer.from(contents).toString('hex')}`),
    authorityKeyIdentifier: Buffer.from(keyIdentifier.contents).toString('hex'),
  };
}

/** Reads each, and refuses a number that is there twice, or out of order. */
function countEntries(tbs: Uint8Array, { contents, end }: Place): number {
  let count = 0;
  let before: Place | undefined;
  const midnights: Midnights = new Map();
  for (let offset = contents; offset < end; count++) {
    const entry = placeAt(tbs, offset, end, TAG.sequence);
    const serial = serialAt(tbs, entry);
    if (before !== undefined && compareSerials(tbs, before, serial) >= 0) {
      throw malformed('has entries that are not in the order of their serial numbers, each once');
    }
    const date = placeAt(tbs, serial.end, entry.end);
    entryTimeAt(tbs, date, midnights);
    reasonAt(tbs, date.end, entry.end);
    [before, offset] = [serial, entry.end];
  }
  return count;
}

function* readEntries(tbs: Uint8Array, entries: Place | undefined): Generator<RevokedEntry> {
  if (entries === undefined) return;
  const midnights: Midnights = new Map();
  for (let offset = entries.contents; offset < entries.end; ) {
    const entry = placeAt(tbs, offset, entries.end, TAG.sequence);
    const serial = serialAt(tbs, entry);
    const date = placeAt(tbs, serial.end, entry.end);
    const text = Buffer.from(tbs.subarray(serial.contents, serial.end)).toString('hex');
    yield {
      serial: text.replace(/^0+/, ''),
      reason: reasonAt(tbs, date.end, entry.end),
      revokedAt: entryTimeAt(tbs, date, midnights),
    };
    offset = entry.end;
  }
}

/** Above 0, and written in the shortest way. */
function serialAt(tbs: Uint8Array, entry: Place): Place {
  const serial = placeAt(tbs, entry.contents, entry.end, TAG.integer);
  const [first = 0, second = 0x80] = [tbs[serial.contents], tbs[serial.contents + 1]];
  const length = serial.end - serial.contents;
  const isPadded = first === 0 && (length === 1 || second < 0x80);
  if (length === 0 || length > MAX_SERIAL_BYTES || first >= 0x80 || isPadded) {
    throw malformed('has an entry without a serial number above 0');
  }
  return serial;
}

function compareSerials(tbs: Uint8Array, one: Place, other: Place): number {
  const lengths = one.end - one.contents - (other.end - other.contents);
  if (lengths !== 0) return lengths;
  for (let index = 0; index < one.end - one.contents; index++) {
    const difference = (tbs[one.contents + index] ?? 0) - (tbs[other.contents + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What stands before the number in the extensions of an entry: there is one way to write them. */
const REASON_PREFIX = Buffer.from('300c300a0603551d1504030a01', 'hex');

function reasonAt(tbs: Uint8Array, start: number, end: number): RevokedEntry['reason'] {
  if (start === end) return 0;
  const number = tbs[end - 1] ?? 0;
  const isPrefixed =
    end - start === REASON_PREFIX.length + 1 && REASON_PREFIX.every((byte, index) => tbs[start + index] === byte);
  if (isPrefixed && number !== 0 && isCrlReason(number)) return number;
  throw extensionInvalid('of an entry is no reason');
}

/** Midnights by the six digits of their day: of very many dates few are of different days. */
type Midnights = Map<number, number>;

/** The same as timeAt, for who reads very many. */
function entryTimeAt(tbs: Uint8Array, place: Place, midnights: Midnights): number {
  if (place.tag !== TAG.utcTime || place.end - place.contents !== 13) return timeAt(tbs, place);
  const [day, hour] = [numberAt(tbs, place.contents, 6), numberAt(tbs, place.contents + 6, 2)];
  const [minute, second] = [numberAt(tbs, place.contents + 8, 2), numberAt(tbs, place.contents + 10, 2)];
  const midnight = midnights.get(day);
  const isClock = hour < 24 && minute < 60 && second < 60 && tbs[place.end - 1] === 0x5a;
  const ofDay = hour * 3600 + minute * 60 + second;
  if (midnight !== undefined && isClock) return midnight + ofDay;
  const seconds = timeAt(tbs, place);
  midnights.set(day, seconds - ofDay);
  return seconds;
}

/** NaN where there is something else than digits. */
function numberAt(tbs: Uint8Array, start: number, digits: number): number {
  let number = 0;
  for (let index = start; index < start + digits; index++) {
    const digit = (tbs[index] ?? 0) - 0x30;
    number = digit >= 0 && digit <= 9 ? number * 10 + digit : Number.NaN;
  }
  return number;
}

function timeAt(der: Uint8Array, place: Place): number {
  if (place.tag !== TAG.utcTime && place.tag !== TAG.generalizedTime) throw malformed('has a date that is no time');
  const seconds = parseTime(valueAt(der, place));
  // UTCTime up to 2049, and only then (RFC 5280 §5.1.2.4).
  if ((place.tag === TAG.utcTime) !== seconds < FIRST_OF_2050) throw malformed('has a date in the other form of time');
  return seconds;
}

const FIRST_OF_2050 = 2_524_608_000;

/** Strictly, with all that is in it. */
function valueAt(der: Uint8Array, { start, end }: Place): DerValue {
  return parseDer(der.subarray(start, end));
}

function hex(der: Uint8Array, { start, end }: Place): string {
  return Buffer.from(der.subarray(start, end)).toString('hex');
}

function placesIn(der: Uint8Array, start: number, end: number): Place[] {
  const places: Place[] = [];
  for (let offset = start; offset < end; ) {
    // A list has eight values at most.
    if (places.length === 8) throw malformed('has more values than a list of revocations');
    const place = placeAt(der, offset, end);
    places.push(place);
    offset = place.end;
  }
  return places;
}

/** Of a definite length, as short as it can be. @param limit first byte that is not of what it stands in */
function placeAt(der: Uint8Array, start: number, limit: number, expected?: number): Place {
  const [tag, first] = [der[start], der[start + 1]];
  if (tag === undefined || first === undefined || start + 2 > limit) throw malformed('ends in the middle of a value');
  if (expected !== undefined && tag !== expected) throw malformed('has another value than a list of revocations has');
  const count = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || count > 4 || start + 2 + count > limit) throw malformed('has a length that is not definite');
  let length = count === 0 ? first : 0;
  for (let index = 0; index < count; index++) length = length * 256 + (der[start + 2 + index] ?? 0);
  if (count > 0 && (length < 0x80 || length < 256 ** (count - 1))) throw malformed('has a length that is too long');
  const contents = start + 2 + count;
  if (contents + length > limit) throw malformed('has a value that is longer than what it stands in');
  return { tag, start, contents, end: contents + length };
}

function requireSize({ length }: Uint8Array): void {
  if (length <= MAX_LIST_BYTES) return;
  throw new CertificateError('certificate_too_large', `has more than ${MAX_LIST_BYTES} bytes`);
}

function malformed(what: string): CertificateError {
  return new CertificateError('certificate_malformed', what);
}

function extensionInvalid(what: string): CertificateError {
  return new CertificateError('extension_invalid', `has an extension that ${what}`);
}
