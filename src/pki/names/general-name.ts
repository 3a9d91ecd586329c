/** What a certificate says beside its subject about whom it names, as typed values. @see RFC 5280 §4.2.1.6 */
import { CertificateError } from '../certificate-error.ts';
import type { DerValue } from '../der.ts';
import { asciiOf } from './attribute-text.ts';
import { type DistinguishedName, parseDistinguishedName } from './distinguished-name.ts';

export type GeneralName =
  | { form: 'dns' | 'email' | 'uri'; text: string }
  /** Four or sixteen bytes. */
  | { form: 'ip'; address: Uint8Array }
  | { form: 'directory'; name: DistinguishedName }
  /** A form that nobody here reads, by its tag. */
  | { form: 'other'; tag: number };

/** Context tags of GeneralName. */
export const NAME_TAG = { email: 0x81, dns: 0x82, directory: 0xa4, uri: 0x86, ip: 0x87 } as const;
const LARGEST_TAG_NUMBER = 8;

const MAX_NAME_LENGTH = 2048;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const LOCAL_PART = /^[!#-'*+./0-9=?A-Z^_`a-z{|}~-]{1,64}$/;
/** Printable ASCII but space, quotes, backslash and what no URI has. */
const URI_CHARACTERS = /^[!#-;=?-[\]_a-z~%]+$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const AUTHORITY = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/;

/** @throws CertificateError certificate_malformed, name_invalid */
export function parseGeneralName(value: DerValue): GeneralName {
  const { tag, contents, children } = value;
  if (tag === NAME_TAG.dns) return { form: 'dns', text: requireName(asciiOf(contents), isDnsName) };
  if (tag === NAME_TAG.email) return { form: 'email', text: requireName(asciiOf(contents), isMailbox) };
  if (tag === NAME_TAG.uri) return { form: 'uri', text: requireName(asciiOf(contents), isUri) };
  if (tag === NAME_TAG.directory && children.length === 1) {
    return { form: 'directory', name: parseDistinguishedName(children[0]) };
  }
  if (tag === NAME_TAG.ip && (contents.length === 4 || contents.length === 16)) {
    return { form: 'ip', address: contents };
  }
  const isKnown = tag === NAME_TAG.ip || tag === NAME_TAG.directory;
  if ((tag & 0xc0) !== 0x80 || (tag & 0x1f) > LARGEST_TAG_NUMBER || isKnown) throw invalid();
  return { form: 'other', tag };
}

/** Labels of letters, digits, hyphens and underscores; the first one may be `*`. */
export function isDnsName(text: string): boolean {
  const labels = text.split('.');
  const [first = '', ...rest] = labels;
  if (text.length > 253) return false;
  return (first === '*' ? rest.length > 0 : LABEL.test(first)) && rest.every((label) => LABEL.test(label));
}

/** The host of a URI in small letters; undefined: it has none, or has an IP address there. */
export function hostOfUri(uri: string): string | undefined {
  const [, authority = ''] = AUTHORITY.exec(uri) ?? [];
  const [host = '', ...more] = authority
    .slice(authority.indexOf('@') + 1)
    .replace(/:\d*$/, '')
    .split('@');
  const isNamed = more.length === 0 && isDnsName(host) && !host.startsWith('*') && !/(?:^|\.)\d+$/.test(host);
  return isNamed ? host.toLowerCase() : undefined;
}

/** Both halves of a mailbox, the domain in small letters. */
export function mailboxOf(text: string): { localPart: string; domain: string } {
  const at = text.lastIndexOf('@');
  return { localPart: text.slice(0, at), domain: text.slice(at + 1).toLowerCase() };
}

/** `local@domain` without quotes or comments. */
export function isMailbox(text: string): boolean {
  const { localPart, domain } = mailboxOf(text);
  return LOCAL_PART.test(localPart) && isDnsName(domain) && !domain.startsWith('*');
}

function isUri(text: string): boolean {
  return SCHEME.test(text) && URI_CHARACTERS.test(text);
}

function requireName(text: string, isValid: (text: string) => boolean): string {
  if (text.length <= MAX_NAME_LENGTH && isValid(text)) return text;
  throw invalid();
}

function invalid(): CertificateError {
  return new CertificateError(
    'name_invalid',
    'has a name in an extension that is no host name, mailbox, URI or address',
  );
}
