/** The extensions that decide about paths, strictly read. @see RFC 5280 §4.2.1 */
import { CertificateError } from '../certificate-error.ts';
import { type DerValue, oidOf, parseDer, TAG } from '../der.ts';
import { type GeneralName, parseGeneralName } from '../names/general-name.ts';
import { type NameConstraints, parseNameConstraints } from './name-subtrees.ts';

export interface PathExtensions {
  isAuthority: boolean;
  /** Of certificates between this and the last one that are not self-issued; null: no limit. */
  maxPathLength: number | null;
  /** null: there is no such extension, and so no limit. */
  keyUsage: readonly KeyUsage[] | null;
  extendedKeyUsage: readonly string[] | null;
  alternativeNames: readonly GeneralName[];
  nameConstraints: NameConstraints | null;
  /** null: it is issued under no policy. */
  policies: ReadonlySet<string> | null;
  policyMappings: readonly PolicyMapping[];
  /** How many certificates below may do without a policy, a mapping; null: all. */
  requireExplicitPolicy: number | null;
  inhibitPolicyMapping: number | null;
  inhibitAnyPolicy: number | null;
  /** Hexadecimal; hints at which certificate to try first, no more. */
  subjectKeyId: string | null;
  authorityKeyId: string | null;
  unknownCritical: readonly string[];
}

export interface PolicyMapping {
  issuerPolicy: string;
  subjectPolicy: string;
}

const MAX_EXTENSIONS = 64;
/** Of policies, mappings, names and purposes each. */
const MAX_LISTED = 256;
/** By their bits. */
export const KEY_USAGES = [
  ...(['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement'] as const),
  ...(['keyCertSign', 'cRLSign', 'encipherOnly', 'decipherOnly'] as const),
];

/** What a key usage extension allows. @see RFC 5280 §4.2.1.3 */
export type KeyUsage = (typeof KEY_USAGES)[number];

const [CPS, USER_NOTICE] = ['1.3.6.1.5.5.7.2.1', '1.3.6.1.5.5.7.2.2'];

type Reader = (value: DerValue, isCritical: boolean) => Partial<PathExtensions>;

const READERS: Readonly<Record<string, Reader>> = {
  '2.5.29.19': readBasicConstraints,
  '2.5.29.15': readKeyUsage,
  '2.5.29.37': ({ tag, children }) => ({ extendedKeyUsage: listOf(tag, children).map(requireOid) }),
  '2.5.29.17': ({ tag, children }) => ({ alternativeNames: listOf(tag, children).map(parseGeneralName) }),
  '2.5.29.30': (value) => ({ nameConstraints: parseNameConstraints(value) }),
  '2.5.29.32': readPolicies,
  '2.5.29.33': readPolicyMappings,
  '2.5.29.36': readPolicyConstraints,
  '2.5.29.54': (value) => ({ inhibitAnyPolicy: numberOf(value, TAG.integer) }),
};

/** Never critical, and read for what they are worth. */
const HINTS: Readonly<Record<string, (value: DerValue) => Partial<PathExtensions>>> = {
  '2.5.29.14': ({ tag, contents }) => ({ subjectKeyId: tag === TAG.octetString ? hexOf(contents) : null }),
  '2.5.29.35': ({ children: [first] }) => ({ authorityKeyId: first?.tag === 0x80 ? hexOf(first.contents) : null }),
};

/**
 * @param extensions what stands in `[3]` of a certificate; undefined: there are none
 * @throws CertificateError extension_invalid, name_invalid
 */
export function parseExtensions(extensions: DerValue | undefined): PathExtensions {
  const found: PathExtensions = {
    ...{ isAuthority: false, maxPathLength: null, keyUsage: null, extendedKeyUsage: null, alternativeNames: [] },
    ...{ nameConstraints: null, policies: null, policyMappings: [], requireExplicitPolicy: null },
    ...{ inhibitPolicyMapping: null, inhibitAnyPolicy: null, subjectKeyId: null, authorityKeyId: null },
    unknownCritical: [],
  };
  if (extensions === undefined) return found;
  const [list, ...rest] = extensions.children;
  if (list?.tag !== TAG.sequence || list.children.length === 0 || rest.length > 0) throw invalid('no list of them');
  if (list.children.length > MAX_EXTENSIONS) throw invalid(`more than ${MAX_EXTENSIONS} of them`);
  const seen = new Set<string>();
  for (const { type, isCritical, value } of list.children.map(parseExtension)) {
    if (seen.has(type)) throw invalid(`${type} twice`);
    seen.add(type);
    const read = READERS[type] ?? (isCritical ? undefined : HINTS[type]);
    if (read !== undefined)
      Object.assign(
        found,
        asExtension(type, () => read(parseDer(value), isCritical)),
      );
    else if (isCritical) found.unknownCritical = [...found.unknownCritical, type];
  }
  return found;
}

function parseExtension({ tag, children }: DerValue): { type: string; isCritical: boolean; value: Uint8Array } {
  const [first, ...others] = children;
  const type = oidOf(first);
  const critical = others.length === 2 ? others[0] : undefined;
  const value = others.at(-1);
  const isWhole = others.length === 1 || (others.length === 2 && critical?.tag === TAG.boolean);
  if (tag !== TAG.sequence || type === undefined || value?.tag !== TAG.octetString || !isWhole) {
    throw invalid('one that is none');
  }
  return { type, isCritical: critical?.contents[0] === 0xff, value: value.contents };
}

function readBasicConstraints({ tag, children }: DerValue): Partial<PathExtensions> {
  const [first] = children;
  const isAuthority = first?.tag === TAG.boolean && first.contents[0] === 0xff;
  const [length, ...rest] = first?.tag === TAG.boolean ? children.slice(1) : children;
  if (tag !== TAG.sequence || rest.length > 0) throw invalid('constraints that cannot be read');
  if (length !== undefined && !isAuthority) throw invalid('a path length, and is of no authority');
  return { isAuthority, maxPathLength: length === undefined ? null : numberOf(length, TAG.integer) };
}

function readKeyUsage({ tag, contents }: DerValue): Partial<PathExtensions> {
  const [unused = 0] = contents;
  const isPadded = ((contents.at(-1) ?? 0) & ((1 << unused) - 1)) !== 0;
  if (tag !== TAG.bitString || contents.length < 2 || contents.length > 3 || isPadded) {
    throw invalid('a key usage that is none');
  }
  const isSet = (bit: number): boolean => (((contents[1 + (bit >> 3)] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
  const keyUsage = KEY_USAGES.filter((_, bit) => isSet(bit));
  if (keyUsage.length === 0) throw invalid('a key usage for nothing');
  return { keyUsage };
}

function readPolicies({ tag, children }: DerValue, isCritical: boolean): Partial<PathExtensions> {
  const policies = new Set<string>();
  for (const policy of listOf(tag, children)) {
    const [first, qualifiers, ...rest] = policy.children;
    const type = requireOid(first);
    if (policy.tag !== TAG.sequence || rest.length > 0 || policies.has(type)) throw invalid('a policy twice');
    const kinds = qualifiers?.children.map(({ children: [kind] }) => requireOid(kind)) ?? [];
    // Who marks them as critical wants what they say to be understood.
    if (isCritical && kinds.some((kind) => kind !== CPS && kind !== USER_NOTICE)) {
      throw invalid('a policy whose qualifier nobody here understands');
    }
    policies.add(type);
  }
  return { policies };
}

function readPolicyMappings({ tag, children }: DerValue): Partial<PathExtensions> {
  const policyMappings = listOf(tag, children).map((mapping) => {
    const [issuer, subject, ...rest] = mapping.children;
    if (mapping.tag !== TAG.sequence || rest.length > 0) throw invalid('a mapping that is none');
    return { issuerPolicy: requireOid(issuer), subjectPolicy: requireOid(subject) };
  });
  return { policyMappings };
}

function readPolicyConstraints({ tag, children }: DerValue): Partial<PathExtensions> {
  const tags = children.map((child) => child.tag).join();
  if (tag !== TAG.sequence || !['128', '129', '128,129'].includes(tags)) throw invalid('constraints of nothing');
  const skip = (wanted: number): number | null => {
    const value = children.find((child) => child.tag === wanted);
    return value === undefined ? null : numberOf(value, wanted);
  };
  return { requireExplicitPolicy: skip(0x80), inhibitPolicyMapping: skip(0x81) };
}

/** At least one, and not more than anybody needs. */
function listOf(tag: number, children: readonly DerValue[]): readonly DerValue[] {
  if (tag !== TAG.sequence || children.length === 0) throw invalid('an empty list');
  if (children.length > MAX_LISTED) throw invalid(`a list of more than ${MAX_LISTED}`);
  return children;
}

function requireOid(value: DerValue | undefined): string {
  const oid = oidOf(value);
  if (oid === undefined) throw invalid('something in the place of an object identifier');
  return oid;
}

/** Zero or more, in the shortest way; larger ones than any path needs are as good as 65535. */
function numberOf({ tag, contents }: DerValue, wanted: number): number {
  const [first = 0x80, second = 0] = contents;
  const isPadded = contents.length > 1 && first === 0 && second < 0x80;
  if (tag !== wanted || first >= 0x80 || isPadded) throw invalid('a count that is none');
  if (contents.length > 2) return 0xffff;
  return contents.reduce((sum, byte) => sum * 256 + byte, 0);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** A value that is no DER is as bad as one that says something else. */
function asExtension<T>(type: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    if (error.reason === 'name_invalid' || error.reason === 'extension_invalid') throw error;
    throw invalid(`${type}, which cannot be read`);
  }
}

function invalid(what: string): CertificateError {
  return new CertificateError('extension_invalid', `has, among its extensions, ${what}`);
}
