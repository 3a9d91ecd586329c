/** The text of an attribute of a name: read strictly, and prepared for comparison. @see RFC 5280 §7.1, RFC 4518 §2 */
import { CertificateError } from '../certificate-error.ts';
import type { DerValue } from '../der.ts';

const [UTF8_STRING, UNIVERSAL_STRING, BMP_STRING] = [0x0c, 0x1c, 0x1e];
/** Numeric, printable, IA5 and visible strings: letters of ASCII, a byte each. */
const ASCII_STRINGS = new Set([0x12, 0x13, 0x16, 0x1a]);
/** Whatever the standard says of it, everybody writes Latin-1. */
const TELETEX_STRING = 0x14;

/** What no name that people read has in it: it could look like another. */
const DISGUISE = /[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\u1806\u2028\u2029\ufffd]/u;

/**
 * @returns undefined: it is not one of the types of text
 * @throws CertificateError name_invalid
 */
export function textOf({ tag, contents }: Pick<DerValue, 'tag' | 'contents'>): string | undefined {
  const text = decode(tag, contents);
  if (text === undefined) return undefined;
  requireReadableText(text);
  return text;
}

/** @throws CertificateError name_invalid */
export function requireReadableText(text: string): void {
  if (!DISGUISE.test(text)) return;
  throw invalid('has a name with characters that are invisible, such as U+0000');
}

/**
 * What is compared in the place of a text: capitals, compatible spellings and white space make no difference.
 * Letters that fold to several are not folded but for ß: such names are then different, never wrongly the same.
 */
export function preparedText(text: string): string {
  const compatible = text.normalize('NFKC').replaceAll('Σ', 'σ').toLowerCase();
  const folded = compatible.replaceAll('ς', 'σ').replaceAll('ß', 'ss').normalize('NFKC');
  return folded.replaceAll(/\s+/gu, ' ').trim();
}

function decode(tag: number, contents: Uint8Array): string | undefined {
  if (ASCII_STRINGS.has(tag)) return asciiOf(contents);
  if (tag === TELETEX_STRING) return Buffer.from(contents).toString('latin1');
  if (tag === UTF8_STRING) return utf8Of(contents);
  if (tag === BMP_STRING) return codePointsOf(contents, 2);
  if (tag === UNIVERSAL_STRING) return codePointsOf(contents, 4);
  return undefined;
}

/** @throws CertificateError name_invalid */
export function asciiOf(contents: Uint8Array): string {
  if (contents.some((byte) => byte > 0x7f)) throw invalid('has a name in ASCII with bytes that are none');
  return Buffer.from(contents).toString('latin1');
}

function utf8Of(contents: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(contents);
  } catch {
    throw invalid('has a name that is not UTF-8');
  }
}

function codePointsOf(contents: Uint8Array, width: 2 | 4): string {
  if (contents.length % width !== 0) throw invalid('has a name that is cut in the middle of a character');
  const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength);
  const points = Array.from({ length: contents.length / width }, (_, index) =>
    width === 2 ? view.getUint16(index * 2) : view.getUint32(index * 4),
  );
  if (points.some((point) => point > 0x10_ffff)) throw invalid('has a name with characters that do not exist');
  return points.map((point) => String.fromCodePoint(point)).join('');
}

function invalid(message: string): CertificateError {
  return new CertificateError('name_invalid', message);
}
