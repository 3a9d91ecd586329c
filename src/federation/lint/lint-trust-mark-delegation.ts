/** What must hold before a delegation of ours is signed. @see OIDFED §7.2.1 */
import type { JsonObject } from '../json.ts';
import { TYP } from '../media-types.ts';
import { checkDelegationClaims } from '../trust-mark/delegation.ts';
import { type HouseRules, lintReadable } from './house-rules.ts';
import { lintTrustMarkLife, lintTrustMarkType } from './lint-trust-mark.ts';
import { type LintedStatement, passed } from './linted-statement.ts';

/** Longest payload of a delegation in bytes: it has to fit into every mark issued under it. */
export const MAX_DELEGATION_BYTES = 4_000;

/**
 * Lints a delegation that we give as the owner of a type.
 * @throws FederationError claim_missing, claim_invalid, entity_identifier_invalid, lint_failed
 * @see OIDFED §7.2.1
 */
export function lintTrustMarkDelegation(claims: JsonObject, rules: HouseRules): LintedStatement {
  return passed(TYP.trustMarkDelegation, claims, [
    () => checkDelegationClaims(claims, rules),
    () => lintTrustMarkType(claims['trust_mark_type']),
    () => lintTrustMarkLife(claims),
    (payload) => lintReadable(payload, MAX_DELEGATION_BYTES),
  ]);
}
