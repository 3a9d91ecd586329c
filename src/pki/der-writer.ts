/** Writes the Distinguished Encoding Rules, as far as certificates need them; der.ts reads them. @see X.690 §10, §11 */

/** Bytes of one value after the other. */
export type Der = Uint8Array;

/** @param tag with its class and whether it is constructed, as it stands in the first byte */
export function tagged(tag: number, ...contents: readonly Der[]): Der {
  const length = contents.reduce((sum, part) => sum + part.length, 0);
  const header = headerOf(tag, length);
  const der = new Uint8Array(header.length + length);
  der.set(header);
  let offset = header.length;
  for (const part of contents) {
    der.set(part, offset);
    offset += part.length;
  }
  return der;
}

export function sequence(...values: readonly Der[]): Der {
  return tagged(0x30, ...values);
}

/** Of any order: DER sorts the values by their bytes. */
export function setOf(...values: readonly Der[]): Der {
  return tagged(0x31, ...values.toSorted(Buffer.compare));
}

/** [number] EXPLICIT */
export function explicit(number: number, value: Der): Der {
  return tagged(0xa0 | number, value);
}

/** [number] IMPLICIT of a value that is not constructed. @param contents those of the value, without its own tag */
export function implicit(number: number, contents: Der): Der {
  return tagged(0x80 | number, contents);
}

/** @param value bytes of a number that is not negative, the highest first */
export function unsignedInteger(value: Der): Der {
  const start = value.findIndex((byte) => byte !== 0);
  const digits = start === -1 ? new Uint8Array(1) : value.subarray(start);
  // A highest bit that is set would make it negative.
  return (digits[0] ?? 0) < 0x80 ? tagged(0x02, digits) : tagged(0x02, ZERO, digits);
}

/** @param value a safe integer that is not negative */
export function integer(value: number): Der {
  const hex = value.toString(16);
  return unsignedInteger(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'));
}

export function enumerated(value: number): Der {
  return tagged(0x0a, Uint8Array.of(value));
}

export function boolean(value: boolean): Der {
  return tagged(0x01, Uint8Array.of(value ? 0xff : 0));
}

export function octetString(contents: Der): Der {
  return tagged(0x04, contents);
}

/** Of whole bytes. */
export function bitString(contents: Der): Der {
  return tagged(0x03, ZERO, contents);
}

/**
 * Of named bits, without those at the end that are not set. @see X.690 §11.2.2
 * @param bits numbers of those that are set, from 0
 */
export function namedBits(bits: readonly number[]): Der {
  if (bits.length === 0) return tagged(0x03, ZERO);
  const last = Math.max(...bits);
  const contents = new Uint8Array(2 + (last >> 3));
  contents[0] = 7 - (last & 7);
  for (const bit of bits) contents[1 + (bit >> 3)] = (contents[1 + (bit >> 3)] ?? 0) | (0x80 >> (bit & 7));
  return tagged(0x03, contents);
}

export const NULL: Der = Uint8Array.of(0x05, 0x00);

/** @param dotted object identifier in dots */
export function oid(dotted: string): Der {
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt);
  return tagged(0x06, Uint8Array.from([first * 40n + second, ...rest].flatMap(base128)));
}

export function utf8String(text: string): Der {
  return tagged(0x0c, Buffer.from(text, 'utf8'));
}

/** @param text of the letters that PrintableString has */
export function printableString(text: string): Der {
  return tagged(0x13, Buffer.from(text, 'latin1'));
}

/** @param text of ASCII */
export function ia5String(text: string): Der {
  return tagged(0x16, Buffer.from(text, 'latin1'));
}

/**
 * UTCTime up to 2049, GeneralizedTime from then on. @see RFC 5280 §4.1.2.5
 * @param seconds since the epoch, whole ones
 */
export function time(seconds: number): Der {
  const digits = digitsOf(seconds);
  return digits < '2050' ? tagged(0x17, Buffer.from(digits.slice(2), 'latin1')) : generalizedTime(seconds);
}

/** In whole seconds: nginx refuses OCSP responses with fractions. */
export function generalizedTime(seconds: number): Der {
  return tagged(0x18, Buffer.from(digitsOf(seconds), 'latin1'));
}

const ZERO = new Uint8Array(1);

/** YYYYMMDDHHMMSSZ, of years 1970 to 9999. */
function digitsOf(seconds: number): string {
  const [day, second] = [Math.floor(seconds / 86_400), seconds % 86_400];
  const { year, month, date } = civilDate(day);
  const clock = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  const twoDigits = [month, date, ...clock].map((part) => String(part).padStart(2, '0'));
  return `${String(year).padStart(4, '0')}${twoDigits.join('')}Z`;
}

/** Years from March to February, so that the leap day is the last; in spans of 400 years, which are alike. */
function civilDate(daysSince1970: number): { year: number; month: number; date: number } {
  const days = daysSince1970 + 719_468;
  const span = Math.floor(days / 146_097);
  const dayOfSpan = days - span * 146_097;
  const yearOfSpan = Math.floor(
    (dayOfSpan - Math.floor(dayOfSpan / 1460) + Math.floor(dayOfSpan / 36_524) - Math.floor(dayOfSpan / 146_096)) / 365,
  );
  const dayOfYear = dayOfSpan - (365 * yearOfSpan + Math.floor(yearOfSpan / 4) - Math.floor(yearOfSpan / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const date = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  return { year: yearOfSpan + span * 400 + (month <= 2 ? 1 : 0), month, date };
}

function headerOf(tag: number, length: number): readonly number[] {
  if (length < 0x80) return [tag, length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [tag, 0x80 | bytes.length, ...bytes];
}

function base128(arc: bigint): number[] {
  const bytes = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) bytes.unshift(Number(rest & 0x7fn) | 0x80);
  return bytes;
}
