/** The Distinguished Encoding Rules, as far as certificates need them: one way to write each value. @see X.690 §10 */
import { CertificateError } from './certificate-error.ts';

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context3: 0xa3,
} as const;

export interface DerValue {
  tag: number;
  /** With tag and length. */
  bytes: Uint8Array;
  /** Without. */
  contents: Uint8Array;
  /** Those of a constructed value. */
  children: readonly DerValue[];
}

const MAX_DEPTH = 24;
const CONSTRUCTED = 0x20;
const LOWEST_OF_CLASS = 0xc0;
const LONG_TAG = 0x1f;
/** Universal types that may be constructed. */
const SEQUENCE_AND_SET = new Set([0x30, 0x31]);

/**
 * Reads one value that fills the bytes.
 * @throws CertificateError certificate_malformed, trailing_data
 */
export function parseDer(bytes: Uint8Array): DerValue {
  const value = readValue(bytes, 0);
  if (value.bytes.length !== bytes.length) {
    throw new CertificateError('trailing_data', `${bytes.length - value.bytes.length} bytes follow its end`);
  }
  return value;
}

/** The object identifier in dots; undefined for another type. */
export function oidOf(value: DerValue | undefined): string | undefined {
  if (value?.tag !== TAG.oid) return undefined;
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of value.contents) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [first = 0n, ...rest] = arcs;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join('.');
}

function malformed(what: string): CertificateError {
  return new CertificateError('certificate_malformed', `is not DER: ${what}`);
}

function readValue(bytes: Uint8Array, depth: number): DerValue {
  if (depth > MAX_DEPTH) throw malformed('values are nested too deeply');
  const [tag, { length, headerLength }] = [bytes[0], readLength(bytes)];
  if (tag === undefined || (tag & LONG_TAG) === LONG_TAG) throw malformed('there is a tag that no certificate has');
  const end = headerLength + length;
  if (end > bytes.length) throw malformed('a value is longer than what it stands in');
  const contents = bytes.subarray(headerLength, end);
  const isUniversal = (tag & LOWEST_OF_CLASS) === 0;
  const isConstructed = (tag & CONSTRUCTED) !== 0;
  if (isUniversal) requirePlain(tag, contents);
  return {
    tag,
    bytes: bytes.subarray(0, end),
    contents,
    children: isConstructed ? readValues(contents, depth + 1) : [],
  };
}

function readValues(bytes: Uint8Array, depth: number): DerValue[] {
  const values: DerValue[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const value = readValue(rest, depth);
    values.push(value);
    rest = rest.subarray(value.bytes.length);
  }
  return values;
}

/** Definite, and as short as it can be. */
function readLength(bytes: Uint8Array): { length: number; headerLength: number } {
  const first = bytes[1];
  if (first === undefined) throw malformed('it ends in the middle of a value');
  if (first < 0x80) return { length: first, headerLength: 2 };
  const count = first & 0x7f;
  if (count === 0 || count > 3 || bytes.length < 2 + count) throw malformed('a length is not definite, or too long');
  let length = 0;
  for (const byte of bytes.subarray(2, 2 + count)) length = length * 256 + byte;
  if (length < 0x80 || length < 256 ** (count - 1)) throw malformed('a length is not written in the shortest way');
  return { length, headerLength: 2 + count };
}

const UTC_TIME = /^\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ$/;
const GENERALIZED_TIME = /^\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ$/;

/** What readers that are lenient would take in several ways. */
function requirePlain(tag: number, contents: Uint8Array): void {
  const [first = 0, second = 0] = contents;
  if ((tag & CONSTRUCTED) !== 0 && !SEQUENCE_AND_SET.has(tag)) throw malformed('a string is in pieces');
  if (tag === TAG.boolean && !(contents.length === 1 && (first === 0 || first === 0xff))) {
    throw malformed('a truth value is neither true nor false');
  }
  if (tag === TAG.integer) {
    const isPadded = contents.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
    if (contents.length === 0 || isPadded) throw malformed('a number is not written in the shortest way');
  }
  if (tag === TAG.bitString && (contents.length === 0 || first > 7)) throw malformed('a bit string has no such end');
  if (tag === TAG.oid) {
    const isCut = contents.length === 0 || ((contents.at(-1) ?? 0) & 0x80) !== 0;
    const isPadded = contents.some((byte, index) => byte === 0x80 && ((contents[index - 1] ?? 0) & 0x80) === 0);
    if (isCut || isPadded || contents.length > 64) throw malformed('an object identifier is none');
  }
  const time = tag === TAG.utcTime ? UTC_TIME : tag === TAG.generalizedTime ? GENERALIZED_TIME : undefined;
  if (time !== undefined && !time.test(Buffer.from(contents).toString('latin1'))) {
    throw malformed('a time is not one in whole seconds, UTC');
  }
}
