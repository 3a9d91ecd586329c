/**
 * Names of older drafts in Entity Statements. We neither understand nor produce them; whoever still publishes one is
 * told what took its place. @see OIDFED (final), document history
 */
import { FederationError, pointer } from './errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { decodeJwt } from './signature.ts';

/** Something in a statement that a draft renamed. */
export interface OlderName {
  /** JSON Pointer into the claims; of a claim of a Trust Mark, that of the mark, a space, and the pointer into it. */
  at: string;
  old: string;
  /** What took its place. */
  now: string;
  /** Number of the draft since which it is called so. */
  sinceDraft: number;
}

type Renamed = Readonly<Record<string, readonly [now: string, sinceDraft: number]>>;

const CLAIMS: Renamed = {
  trust_marks_issuers: ['trust_mark_issuers', 31],
  trust_marks_owners: ['trust_mark_owners', 31],
  policy_language_crit: ['metadata_policy_crit', 32],
  trust_anchor_id: ['trust_anchor', 41],
};
const CONSTRAINTS: Renamed = { allowed_leaf_entity_types: ['allowed_entity_types', 34] };
const ENTITY_TYPES: Renamed = {
  trust_mark_issuer: ['federation_entity with federation_trust_mark_status_endpoint', 25],
};
/** Beside a Trust Mark, and in it. */
const TRUST_MARK: Renamed = {
  id: ['trust_mark_type', 43],
  trust_mark_id: ['trust_mark_type', 43],
};
/** In whatever Entity Type. */
const PARAMETERS: Renamed = {
  federation_api_endpoint: ['federation_fetch_endpoint', 20],
  federation_status_endpoint: ['federation_trust_mark_status_endpoint', 25],
  homepage_uri: ['organization_uri', 43],
  request_authentication_methods_supported: ['the metadata of request objects and pushed requests', 40],
  request_authentication_signing_alg_values_supported: ['request_object_signing_alg_values_supported', 40],
};
/** Of one endpoint each. */
const SIGNING_ALGS = /_auth_signing_algs$/;

/** Of more names in one statement nobody needs to hear, nor of one in a place that is longer. */
const MAX_NAMES = 20;
const MAX_PLACE_LENGTH = 300;

/**
 * What in a statement has an old name, in the order of the claims; the first 20 such names.
 * @param claims as they came, whether valid or not
 */
export function olderNamesIn(claims: JsonObject): OlderName[] {
  const names = [
    ...renamedIn(claims, CLAIMS, ''),
    ...renamedIn(claims['constraints'], CONSTRAINTS, '/constraints'),
    ...trustMarkEntries(claims['trust_marks']),
    ...['metadata', 'metadata_policy'].flatMap((claim) => namesInMetadata(claims[claim], pointer(claim))),
  ];
  return names.filter(({ at }) => at.length <= MAX_PLACE_LENGTH).slice(0, MAX_NAMES);
}

/** The same for a statement that may be none. @returns nothing for what cannot be decoded */
export function olderNamesInJwt(jwt: unknown): OlderName[] {
  return olderNamesIn(claimsIn(jwt));
}

function claimsIn(jwt: unknown): JsonObject {
  try {
    return decodeJwt(jwt).claims;
  } catch (error) {
    if (error instanceof FederationError) return {};
    throw error;
  }
}

function trustMarkEntries(entries: JsonValue | undefined): OlderName[] {
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry, index) => {
    if (!isJsonObject(entry)) return [];
    const at = pointer('trust_marks', index);
    return [...namesOfType(entry, at), ...namesOfType(claimsIn(entry['trust_mark']), `${at}/trust_mark `)];
  });
}

/** Where the present name stands, others are extensions of somebody. */
function namesOfType(value: JsonObject, at: string): OlderName[] {
  return Object.hasOwn(value, 'trust_mark_type') ? [] : renamedIn(value, TRUST_MARK, at);
}

function namesInMetadata(metadata: JsonValue | undefined, at: string): OlderName[] {
  if (!isJsonObject(metadata)) return [];
  const parameters = Object.entries(metadata).flatMap(([type, value]) => {
    const algorithms = isJsonObject(value) ? Object.keys(value).filter((name) => SIGNING_ALGS.test(name)) : [];
    const now = 'endpoint_auth_signing_alg_values_supported';
    return [
      ...renamedIn(value, PARAMETERS, at + pointer(type)),
      ...algorithms.map((old) => ({ at: at + pointer(type, old), old, now, sinceDraft: 40 })),
    ];
  });
  return [...renamedIn(metadata, ENTITY_TYPES, at), ...parameters];
}

function renamedIn(value: JsonValue | undefined, names: Renamed, at: string): OlderName[] {
  if (!isJsonObject(value)) return [];
  return Object.entries(names)
    .filter(([old]) => Object.hasOwn(value, old))
    .map(([old, [now, sinceDraft]]) => ({ at: at + pointer(old), old, now, sinceDraft }));
}

/** For people, in one sentence. */
export function olderNameText({ old, now, sinceDraft }: OlderName): string {
  return `${old} is a name of older drafts and ignored; since draft ${sinceDraft} it is ${now}`;
}
