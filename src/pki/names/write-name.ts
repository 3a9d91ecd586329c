/** Writes Distinguished Names. @see RFC 5280 §4.1.2.4, Appendix A */
import { type Der, ia5String, oid, printableString, sequence, setOf, utf8String } from '../der-writer.ts';
import { EMAIL_ADDRESS, SERIAL_NUMBER } from './attribute-types.ts';

export interface NamePart {
  /** Object identifier of the attribute's type. */
  type: string;
  text: string;
}

const COUNTRY = '2.5.4.6';
const DOMAIN_COMPONENT = '0.9.2342.19200300.100.1.25';
/** Types whose values are of one type of text; all others are UTF-8. */
const PRINTABLE = new Set([COUNTRY, SERIAL_NUMBER, '2.5.4.46']);
const ASCII = new Set([DOMAIN_COMPONENT, EMAIL_ADDRESS]);

/** @param parts from the root down, one attribute a Relative Distinguished Name */
export function writeName(parts: readonly NamePart[]): Der {
  return sequence(...parts.map(({ type, text }) => setOf(sequence(oid(type), writeText(type, text)))));
}

function writeText(type: string, text: string): Der {
  if (PRINTABLE.has(type)) return printableString(text);
  return ASCII.has(type) ? ia5String(text) : utf8String(text);
}
