/** What must hold before an Entity Statement of ours is signed. @see OIDFED §3.1, §3.2 */
import { FederationError, pointer } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import type { JwkSet } from '../jwk-set.ts';
import { TYP } from '../media-types.ts';
import type { MetadataPolicy } from '../policy/parse-policy.ts';
import { decodeJwt, MAX_JWT_LENGTH } from '../signature.ts';
import { checkStatementClaims } from '../statement/checks.ts';
import { isEntityConfiguration, type TrustMarkEntry } from '../statement/entity-statement.ts';
import { type HouseRules, lintLifetime, lintReadable } from './house-rules.ts';
import { type LintedStatement, passed } from './linted-statement.ts';
import { publishedKeyComplaint } from './published-key.ts';

/** Room for the header and the largest signature, in characters. */
const HEADER_AND_SIGNATURE_LENGTH = 4096;

/** Longest payload in bytes: four characters of base64url for three bytes, and readers such as ours stop at 256 KiB. */
export const MAX_STATEMENT_BYTES = Math.floor(((MAX_JWT_LENGTH - HEADER_AND_SIGNATURE_LENGTH) * 3) / 4);

/**
 * Lints an Entity Configuration or Subordinate Statement of ours.
 * @throws FederationError any reason of §3.2, lint_failed
 * @see OIDFED §3.1, §3.2
 */
export function lintEntityStatement(claims: JsonObject, rules: HouseRules): LintedStatement {
  return passed(TYP.entityStatement, claims, [
    () => checkStatementClaims(claims, rules),
    () => lintLifetime(claims, rules),
    () => lintKeys(claims['jwks'], '/jwks'),
    () => lintKeyExpiry(claims, claims['jwks'], '/jwks'),
    () => lintEmptyMembers(claims),
    () => lintEmptyPolicies(claims['metadata_policy'], '/metadata_policy'),
    () => lintTrustMarks(claims['trust_marks']),
    (payload) => lintReadable(payload, MAX_STATEMENT_BYTES),
  ]);
}

/** Keys that no algorithm of ours could verify with would make a statement useless. @see OIDFED §3.1.1 */
function lintKeys(jwks: unknown, at: string): void {
  (jwks as JwkSet).keys.forEach((key, index) => {
    const complaint = publishedKeyComplaint(key);
    if (complaint !== undefined) throw new FederationError('lint_failed', complaint, `${at}${pointer('keys', index)}`);
  });
}

/**
 * What a superior says about keys must not outlive them; a key that has expired already has no place in it at all.
 * @see OIDFED §3.1.1
 */
function lintKeyExpiry(claims: JsonObject, jwks: unknown, at: string): void {
  if (isEntityConfiguration(claims)) return;
  (jwks as JwkSet).keys.forEach((key, index) => {
    if (key.exp === undefined || key.exp >= Number(claims['exp'])) return;
    const message = `the statement would outlive the key ${key.kid}`;
    throw new FederationError('lint_failed', message, `${at}${pointer('keys', index, 'exp')}`);
  });
}

/** `[]` and `{}` say nothing; readers refuse some of them, so none is emitted. @see OIDFED §3.1.1, §3.1.2, §3.1.3 */
function lintEmptyMembers(claims: JsonObject): void {
  for (const claim of ['metadata_policy', 'metadata_policy_crit', 'constraints', 'crit', 'authority_hints']) {
    const value = claims[claim];
    const isEmpty = Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.keys(value).length === 0;
    if (isEmpty) throw empty(pointer(claim));
  }
}

/** An Entity Type or parameter without operators is left out as well. @see OIDFED §6.1.2 */
function lintEmptyPolicies(policy: unknown, at: string): void {
  for (const [entityType, parameters] of Object.entries((policy ?? {}) as MetadataPolicy)) {
    if (Object.keys(parameters).length === 0) throw empty(at + pointer(entityType));
    for (const [parameter, operators] of Object.entries(parameters)) {
      if (Object.keys(operators).length === 0) throw empty(at + pointer(entityType, parameter));
    }
  }
}

/** Readers leave out a mark that they cannot read; we do not show one in the first place. @see OIDFED §7.3 */
function lintTrustMarks(marks: unknown): void {
  ((marks ?? []) as TrustMarkEntry[]).forEach(({ trust_mark: mark }, index) => {
    const at = pointer('trust_marks', index, 'trust_mark');
    if (typeof decodedAt(mark, at).claims['trust_mark_type'] === 'string') return;
    throw new FederationError('claim_missing', 'the Trust Mark has no type', `${at} /trust_mark_type`);
  });
}

function decodedAt(jwt: string, at: string): ReturnType<typeof decodeJwt> {
  try {
    return decodeJwt(jwt);
  } catch (error) {
    throw error instanceof FederationError ? error.within(at) : error;
  }
}

function empty(at: string): FederationError {
  return new FederationError('lint_failed', 'is left out instead of being empty', at);
}
