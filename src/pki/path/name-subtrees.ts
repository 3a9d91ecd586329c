/** Names that an authority may issue for, and those that it may not. @see RFC 5280 §4.2.1.10 */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, TAG } from '../der.ts';
import { asciiOf } from '../names/attribute-text.ts';
import { type DistinguishedName, isWithinName, parseDistinguishedName } from '../names/distinguished-name.ts';
import { type GeneralName, hostOfUri, isDnsName, isMailbox, mailboxOf, NAME_TAG } from '../names/general-name.ts';

export type NameSubtree =
  | { form: 'dns' | 'email' | 'uri'; base: string }
  | { form: 'ip'; address: Uint8Array; mask: Uint8Array }
  | { form: 'directory'; base: DistinguishedName }
  | { form: 'other'; tag: number };

export interface NameConstraints {
  permitted: readonly NameSubtree[];
  excluded: readonly NameSubtree[];
}

const MAX_SUBTREES = 512;
/** Tags of forms of names that nobody here reads. */
const OTHER_FORMS = new Set([0x80, 0xa0, 0x83, 0xa3, 0x85, 0xa5, 0x88]);

/** @throws CertificateError extension_invalid, name_invalid, certificate_malformed */
export function parseNameConstraints({ tag, children }: DerValue): NameConstraints {
  const tags = children.map((child) => child.tag).join();
  if (tag !== TAG.sequence || !['160', '161', '160,161'].includes(tags)) throw invalid('that limit nothing');
  const subtrees = (wanted: number): NameSubtree[] => {
    const list = children.find((child) => child.tag === wanted);
    if (list !== undefined && list.children.length === 0) throw invalid('that limit nothing');
    if (list !== undefined && list.children.length > MAX_SUBTREES) throw invalid(`of more than ${MAX_SUBTREES} names`);
    return list?.children.map(parseSubtree) ?? [];
  };
  return { permitted: subtrees(TAG.context0), excluded: subtrees(0xa1) };
}

/** Whether the permission of a subtree covers a name of its form; a form that nobody here reads is never covered. */
export function isPermittedBy(name: GeneralName, subtree: NameSubtree): boolean {
  return isWithin(name, subtree) ?? false;
}

/** Whether a subtree takes a name away, all of it or, where the name stands for many, one of those. */
export function isExcludedBy(name: GeneralName, subtree: NameSubtree): boolean {
  if (name.form === 'dns' && subtree.form === 'dns' && coversExcluded(name.text, subtree.base)) return true;
  return isWithin(name, subtree) ?? true;
}

/** Whether a subtree says something about names of this form. */
export function isOfForm(name: GeneralName, subtree: NameSubtree): boolean {
  if (name.form === 'other' && subtree.form === 'other') return (name.tag & 0x1f) === (subtree.tag & 0x1f);
  return name.form === subtree.form;
}

/** undefined: nobody here can tell. */
function isWithin(name: GeneralName, subtree: NameSubtree): boolean | undefined {
  if (name.form === 'dns' && subtree.form === 'dns') return isDnsWithin(name.text, subtree.base);
  if (name.form === 'email' && subtree.form === 'email') return isMailboxWithin(name.text, subtree.base);
  if (name.form === 'uri' && subtree.form === 'uri') return isUriWithin(name.text, subtree.base);
  if (name.form === 'directory' && subtree.form === 'directory') return isWithinName(name.name, subtree.base);
  if (name.form === 'ip' && subtree.form === 'ip') return isAddressWithin(name.address, subtree);
  return undefined;
}

/** Labels added on the left are within; a base that begins with a dot is not within itself. */
function isDnsWithin(text: string, base: string): boolean {
  const name = text.toLowerCase();
  if (base === '') return true;
  return base.startsWith('.') ? name.endsWith(base) : name === base || name.endsWith(`.${base}`);
}

/** `*.a.example` stands for `b.a.example` too, which may be excluded. */
function coversExcluded(text: string, base: string): boolean {
  if (!text.startsWith('*.') || base.startsWith('.')) return false;
  return base.split('.').slice(1).join('.') === text.slice(2).toLowerCase();
}

/** A mailbox, all mailboxes of a host, or, from a dot on, all of the hosts below. */
function isMailboxWithin(text: string, base: string): boolean | undefined {
  if (!isMailbox(text)) return undefined;
  const { localPart, domain } = mailboxOf(text);
  const limit = mailboxOf(base);
  if (base.includes('@')) return localPart === limit.localPart && domain === limit.domain;
  return isHostWithin(domain, base);
}

function isUriWithin(text: string, base: string): boolean | undefined {
  const host = hostOfUri(text);
  return host === undefined ? undefined : isHostWithin(host, base);
}

/** Nobody says what an empty base means; it is taken for all hosts, as with DNS names. */
function isHostWithin(host: string, base: string): boolean {
  if (base === '') return true;
  return base.startsWith('.') ? host.endsWith(base) : host === base;
}

function isAddressWithin(name: Uint8Array, { address, mask }: { address: Uint8Array; mask: Uint8Array }): boolean {
  if (name.length !== address.length) return false;
  return name.every((byte, index) => ((byte ^ (address[index] ?? 0)) & (mask[index] ?? 0)) === 0);
}

function parseSubtree({ tag, children: [base, ...distances] }: DerValue): NameSubtree {
  if (tag !== TAG.sequence || base === undefined) throw invalid('that limit nothing');
  if (distances.length > 0) throw invalid('with distances, which this profile has not');
  const { contents, children } = base;
  if (base.tag === NAME_TAG.dns) return { form: 'dns', base: requireBase(contents, isHostBase) };
  if (base.tag === NAME_TAG.uri) return { form: 'uri', base: requireBase(contents, isHostBase) };
  if (base.tag === NAME_TAG.email) return { form: 'email', base: mailboxBase(contents) };
  if (base.tag === NAME_TAG.ip) return addressSubtree(contents);
  if (base.tag === NAME_TAG.directory && children.length === 1) {
    return { form: 'directory', base: parseDistinguishedName(children[0]) };
  }
  if (!OTHER_FORMS.has(base.tag)) throw invalid('of names that are none');
  return { form: 'other', tag: base.tag };
}

function requireBase(contents: Uint8Array, isValid: (text: string) => boolean): string {
  const text = asciiOf(contents).toLowerCase();
  if (isValid(text)) return text;
  throw invalid('of names that are none');
}

/** The local part of a mailbox keeps its capitals. */
function mailboxBase(contents: Uint8Array): string {
  const text = asciiOf(contents);
  if (!text.includes('@')) return requireBase(contents, isHostBase);
  if (isMailbox(text)) return text;
  throw invalid('of names that are none');
}

/** Nothing, a host, or a dot and a host. */
function isHostBase(text: string): boolean {
  const host = text.replace(/^\./, '');
  return text === '' || (isDnsName(host) && !host.startsWith('*'));
}

function addressSubtree(contents: Uint8Array): NameSubtree {
  const half = contents.length / 2;
  const mask = contents.subarray(half);
  const bits = Array.from(mask, (byte) => byte.toString(2).padStart(8, '0')).join('');
  if ((half !== 4 && half !== 16) || !/^1*0*$/.test(bits)) throw invalid('of addresses that are no network');
  return { form: 'ip', address: contents.subarray(0, half), mask };
}

function invalid(what: string): CertificateError {
  return new CertificateError('extension_invalid', `has name constraints ${what}`);
}
