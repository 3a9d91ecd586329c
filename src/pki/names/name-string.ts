/** Distinguished Names as text, both ways. @see RFC 4514, RFC 8705 §2.1.2 `tls_client_auth_subject_dn` */
import { CertificateError } from '../certificate-error.ts';
import { parseDer } from '../der.ts';
import { keywordOf, typeOfKeyword } from './attribute-types.ts';
import {
  type DistinguishedName,
  distinguishedName,
  isSameName,
  type NameAttribute,
  nameAttribute,
  type RelativeName,
} from './distinguished-name.ts';

const MAX_NAME_STRING_LENGTH = 4096;
const NUMERIC_TYPE = /^(?:oid\.)?([0-2](?:\.(?:0|[1-9]\d{0,30})){1,30})$/i;
const TYPE = /[ ]*([A-Za-z][A-Za-z0-9-]{0,60}|(?:oid\.)?\d[\d.]{0,200})[ ]*=[ ]*/iy;
const HEXADECIMAL = /#((?:[0-9a-f]{2})+)[ ]*(?=[,+]|$)/iy;
const HEX_PAIR = /^[0-9a-f]{2}$/i;
/** Those that stand for themselves behind a backslash. */
const ESCAPABLE = ' "#+,;<=>\\';
/** Those that have no place in a value without a backslash. */
const SPECIAL = '"+,;<>\\';

/**
 * The text of a name, the last part first.
 * @param form `standard`: keywords of RFC 4514 §3, other types as `1.2.3=#hex` of their DER, which every reader
 *   takes; `readable`: keywords for all types that have one
 */
export function formatName({ relativeNames }: DistinguishedName, form: 'standard' | 'readable' = 'standard'): string {
  const parts = relativeNames.map((attributes) => attributes.map((one) => formatAttribute(one, form)).join('+'));
  return parts.toReversed().join(',');
}

/** The text of a name for people: from the root down, as it stands in the certificate. */
export function displayName({ relativeNames }: DistinguishedName): string {
  const parts = relativeNames.map((attributes) => attributes.map((one) => formatAttribute(one, 'readable')).join('+'));
  return parts.join(', ');
}

/**
 * Reads the text of a name: the last part first; types as keywords of any capitals or as numbers; values as text, with
 * escapes, or as `#hex` of their DER. Spaces around parts make no difference.
 * @throws CertificateError name_invalid
 */
export function parseNameString(text: string): DistinguishedName {
  if (text.length > MAX_NAME_STRING_LENGTH) throw invalid(`has more than ${MAX_NAME_STRING_LENGTH} characters`);
  const relativeNames: RelativeName[] = [];
  let attributes: NameAttribute[] = [];
  for (let at = 0; text.trim() !== ''; ) {
    const { attribute, end } = readAttribute(text, at);
    attributes.push(attribute);
    if (text[end] !== '+') {
      relativeNames.unshift(attributes);
      attributes = [];
    }
    if (end >= text.length) break;
    at = end + 1;
  }
  return distinguishedName(relativeNames);
}

/** Whether a text, in whatever form of RFC 4514, is this name. @throws CertificateError name_invalid */
export function isNameString(text: string, name: DistinguishedName): boolean {
  return isSameName(parseNameString(text), name);
}

function formatAttribute({ type, text, der }: NameAttribute, form: 'standard' | 'readable'): string {
  const keyword = keywordOf(type, form);
  if (keyword !== undefined && text !== undefined) return `${keyword}=${escaped(text)}`;
  if (der !== undefined) return `${keyword ?? type}=#${Buffer.from(der).toString('hex')}`;
  return `${type}=${escaped(text ?? '')}`;
}

function escaped(text: string): string {
  const marked = text.replaceAll(/["+,;<>\\]/g, (special) => `\\${special}`);
  const begun = /^[ #]/.test(marked) ? `\\${marked}` : marked;
  return begun.length > 1 && begun.endsWith(' ') && begun !== '\\ ' ? `${begun.slice(0, -1)}\\ ` : begun;
}

/** One `type=value`, and where the sign behind it stands. */
function readAttribute(text: string, at: number): { attribute: NameAttribute; end: number } {
  TYPE.lastIndex = at;
  const [head, written = ''] = TYPE.exec(text) ?? [];
  if (head === undefined) throw invalid('has a part that is not type=value');
  const type = NUMERIC_TYPE.exec(written)?.[1] ?? typeOfKeyword(written);
  if (type === undefined) throw invalid(`has a type that nobody here knows; write it as numbers, such as 2.5.4.97`);
  const start = at + head.length;
  HEXADECIMAL.lastIndex = start;
  const [hexadecimal, hex] = HEXADECIMAL.exec(text) ?? [];
  if (hexadecimal !== undefined && hex !== undefined) {
    return { attribute: nameAttribute(type, readHexadecimal(hex)), end: start + hexadecimal.length };
  }
  const { value, end } = readText(text, start);
  return { attribute: { type, text: value, der: undefined }, end };
}

function readHexadecimal(hex: string): ReturnType<typeof parseDer> {
  try {
    return parseDer(new Uint8Array(Buffer.from(hex, 'hex')));
  } catch {
    throw invalid('has a value after # that is not the hexadecimal form of DER');
  }
}

/** A value up to the next sign that ends it. Escapes may be bytes of UTF-8, so bytes are gathered. */
function readText(text: string, start: number): { value: string; end: number } {
  if (text[start] === '#') throw invalid('has a value that begins with # and is not hexadecimal');
  const parts: Buffer[] = [];
  let spaces = '';
  let at = start;
  for (; at < text.length; ) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
    if (character === ',' || character === '+') break;
    if (character === ' ') {
      spaces += ' ';
      at += 1;
      continue;
    }
    const { bytes, length } = character === '\\' ? readEscape(text, at) : plain(character);
    parts.push(Buffer.from(spaces), bytes);
    spaces = '';
    at += length;
  }
  return { value: decodeUtf8(Buffer.concat(parts)), end: at };
}

function plain(character: string): { bytes: Buffer; length: number } {
  if (SPECIAL.includes(character)) throw invalid(`has ${character} in a value; write a backslash before it`);
  return { bytes: Buffer.from(character), length: character.length };
}

function readEscape(text: string, at: number): { bytes: Buffer; length: number } {
  const pair = text.slice(at + 1, at + 3);
  if (HEX_PAIR.test(pair)) return { bytes: Buffer.from(pair, 'hex'), length: 3 };
  const [character = ''] = pair;
  if (character === '' || !ESCAPABLE.includes(character)) throw invalid('has a backslash before what needs none');
  return { bytes: Buffer.from(character), length: 2 };
}

function decodeUtf8(bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (/[\p{Cc}\p{Cs}]/u.test(text)) throw invalid('has control characters');
    return text;
  } catch (error) {
    if (error instanceof CertificateError) throw error;
    throw invalid('has bytes that are not UTF-8');
  }
}

function invalid(message: string): CertificateError {
  return new CertificateError('name_invalid', `is no Distinguished Name as text: it ${message}`);
}
