/** What must hold before a Trust Mark of ours is signed. @see OIDFED §7.1, §7.3 */
import { FederationError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { TYP } from '../media-types.ts';
import { checkDelegated, parseTrustMarkDelegation } from '../trust-mark/delegation.ts';
import { checkTrustMarkClaims, type TrustMarkClaims } from '../trust-mark/trust-mark.ts';
import { trustMarkTypeComplaint } from '../trust-mark/trust-mark-type.ts';
import { type HouseRules, lintReadable } from './house-rules.ts';
import { type LintedStatement, passed } from './linted-statement.ts';

/** Longest life of a mark or delegation that has an end, in seconds: five years. Without `exp` they never expire. */
export const MAX_TRUST_MARK_SECONDS = 5 * 366 * 86_400;

/** Longest payload of a mark in bytes: signed by any algorithm, it is still taken at a status endpoint of 16 KB. */
export const MAX_TRUST_MARK_BYTES = 11_000;

/**
 * Lints a Trust Mark: what a reader checks without the issuer's keys, and that it does not outlive its delegation.
 * Whether the owner signed that delegation is found out when it is recorded.
 * @throws FederationError claim_missing, claim_invalid, entity_identifier_invalid, lint_failed, json_too_deep,
 *   json_member_forbidden; with a place such as `/delegation /sub` the reasons of parseTrustMarkDelegation,
 *   subject_mismatch, trust_mark_type_mismatch
 * @see OIDFED §7.1, §7.3
 */
export function lintTrustMark(claims: JsonObject, rules: HouseRules): LintedStatement {
  return passed(TYP.trustMark, claims, [
    () => checkTrustMarkClaims(claims, rules),
    () => lintTrustMarkType(claims['trust_mark_type']),
    () => lintTrustMarkLife(claims),
    () => lintDelegation(claims as TrustMarkClaims, rules),
    (payload) => lintReadable(payload, MAX_TRUST_MARK_BYTES),
  ]);
}

/** The name of a type. @throws FederationError lint_failed @see OIDFED §7.1, §7.2.1 */
export function lintTrustMarkType(type: unknown): void {
  const complaint = trustMarkTypeComplaint(type);
  if (complaint !== undefined) throw new FederationError('lint_failed', complaint, '/trust_mark_type');
}

/** An end comes after the beginning, and not in a life time. @throws FederationError lint_failed @see OIDFED §7.1 */
export function lintTrustMarkLife(claims: JsonObject): void {
  const [iat, exp] = [Number(claims['iat']), claims['exp']];
  if (exp === undefined) return;
  if (Number(exp) <= iat) throw new FederationError('lint_failed', 'would expire before it is issued', '/exp');
  if (Number(exp) - iat > MAX_TRUST_MARK_SECONDS) {
    throw new FederationError('lint_failed', `would live longer than ${MAX_TRUST_MARK_SECONDS} s`, '/exp');
  }
}

/** A mark is issued under a delegation for its issuer and type, and does not outlive it. @see OIDFED §7.2.2 */
function lintDelegation(mark: TrustMarkClaims, rules: HouseRules): void {
  if (mark.delegation === undefined) return;
  try {
    const { claims } = parseTrustMarkDelegation(mark.delegation, rules);
    checkDelegated(claims, mark);
    if (claims.iat > mark.iat) throw new FederationError('lint_failed', 'is not valid yet', '/iat');
    if (claims.exp !== undefined && (mark.exp === undefined || mark.exp > claims.exp)) {
      throw new FederationError('lint_failed', 'ends before the mark would', '/exp');
    }
  } catch (error) {
    throw error instanceof FederationError ? error.within('/delegation') : error;
  }
}
