/** Distinguished Names as what they are: lists of sets of attributes, compared part by part. @see RFC 5280 §4.1.2.4, §7.1 */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, oidOf, TAG } from '../der.ts';
import { preparedText, textOf } from './attribute-text.ts';

export interface NameAttribute {
  /** Object identifier. */
  type: string;
  /** undefined: the value is none of the types of text. */
  text: string | undefined;
  /** DER of the value; undefined where it was written as text, which does not say of which type. */
  der: Uint8Array | undefined;
}

/** A Relative Distinguished Name: attributes without an order. */
export type RelativeName = readonly NameAttribute[];

export interface DistinguishedName {
  /** From the root down, as in the certificate. Empty: there is no name. */
  relativeNames: readonly RelativeName[];
  /** One for each of `relativeNames`: equal if and only if they match. */
  keys: readonly string[];
  /** Equal if and only if the names match. For comparison and maps, never shown. */
  key: string;
}

const MAX_ATTRIBUTES = 64;
const MAX_TEXT_LENGTH = 1024;

/** @throws CertificateError certificate_malformed, name_invalid */
export function parseDistinguishedName(value: DerValue | undefined): DistinguishedName {
  if (value?.tag !== TAG.sequence) throw malformed();
  if (value.children.length > MAX_ATTRIBUTES) throw tooLarge();
  return distinguishedName(value.children.map(parseRelativeName));
}

/** A name of parts that are read already. @throws CertificateError name_invalid */
export function distinguishedName(relativeNames: readonly RelativeName[]): DistinguishedName {
  if (relativeNames.flat().length > MAX_ATTRIBUTES) throw tooLarge();
  const keys = relativeNames.map((attributes) => JSON.stringify(attributes.map(attributeKey).toSorted()));
  return { relativeNames, keys, key: JSON.stringify(keys) };
}

/** Whether two names match. @see RFC 5280 §7.1 */
export function isSameName(one: DistinguishedName, other: DistinguishedName): boolean {
  return one.key === other.key;
}

/** Whether a name begins with all of another: it is in the subtree of that. @see RFC 5280 §4.2.1.10 */
export function isWithinName(name: DistinguishedName, base: DistinguishedName): boolean {
  return base.keys.every((key, index) => key === name.keys[index]);
}

/** The texts of all attributes of a type, from the root down. */
export function attributeTexts({ relativeNames }: DistinguishedName, type: string): string[] {
  const texts = relativeNames.flat().map((attribute) => (attribute.type === type ? attribute.text : undefined));
  return texts.filter((text) => text !== undefined);
}

/** An attribute as it stands in a certificate. @throws CertificateError name_invalid */
export function nameAttribute(type: string, value: DerValue): NameAttribute {
  const text = textOf(value);
  if (text !== undefined && text.length > MAX_TEXT_LENGTH) throw tooLarge();
  return { type, text, der: value.bytes };
}

function parseRelativeName(set: DerValue): RelativeName {
  if (set.tag !== TAG.set || set.children.length === 0) throw malformed();
  return set.children.map(({ tag, children: [type, value, ...rest] }) => {
    const oid = oidOf(type);
    if (tag !== TAG.sequence || oid === undefined || value === undefined || rest.length > 0) throw malformed();
    return nameAttribute(oid, value);
  });
}

function attributeKey({ type, text, der }: NameAttribute): string {
  return text === undefined
    ? `${type}=#${Buffer.from(der ?? []).toString('hex')}`
    : `${type}=${JSON.stringify(preparedText(text))}`;
}

function malformed(): CertificateError {
  return new CertificateError('certificate_malformed', 'has a name that is no Distinguished Name');
}

function tooLarge(): CertificateError {
  const message = `has a name of more than ${MAX_ATTRIBUTES} attributes, or one of more than ${MAX_TEXT_LENGTH} characters`;
  return new CertificateError('name_invalid', message);
}
