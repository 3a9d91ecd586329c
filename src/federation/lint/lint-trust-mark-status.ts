/** What must hold before an answer about the status of a Trust Mark is signed. @see OIDFED §8.4.2 */
import { FederationError, pointer } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { TYP } from '../media-types.ts';
import { checkStatusClaims } from '../trust-mark/status-response.ts';
import type { HouseRules } from './house-rules.ts';
import { type LintedStatement, passed } from './linted-statement.ts';

/** What we say about a mark; federations may add values, we do not. @see OIDFED §8.4.2 */
export const TRUST_MARK_STATUSES = ['active', 'expired', 'revoked', 'invalid'] as const;

export type TrustMarkStatus = (typeof TRUST_MARK_STATUSES)[number];

const CLAIMS: ReadonlySet<string> = new Set(['iss', 'iat', 'trust_mark', 'status']);

/**
 * Lints a status answer: its four claims and no other.
 * @throws FederationError claim_missing, claim_invalid, entity_identifier_invalid, lint_failed
 * @see OIDFED §8.4.2
 */
export function lintTrustMarkStatus(claims: JsonObject, rules: HouseRules): LintedStatement {
  return passed(TYP.trustMarkStatusResponse, claims, [
    () => checkStatusClaims(claims, rules),
    () => {
      const statuses: readonly unknown[] = TRUST_MARK_STATUSES;
      if (!statuses.includes(claims['status'])) {
        throw new FederationError('lint_failed', `must be one of ${TRUST_MARK_STATUSES.join(', ')}`, '/status');
      }
      const other = Object.keys(claims).find((claim) => !CLAIMS.has(claim));
      if (other !== undefined) throw new FederationError('lint_failed', 'has no place in a status', pointer(other));
    },
  ]);
}
