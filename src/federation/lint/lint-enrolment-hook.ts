/** What must hold before a question to a hook is signed, a document of ours. */
import { FederationError, pointer } from '../errors.ts';
import { parseEntityIdentifier } from '../identifiers.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { TYP } from '../media-types.ts';
import { isNumericDate } from '../time.ts';
import type { HouseRules } from './house-rules.ts';
import { type LintedStatement, passed } from './linted-statement.ts';

const CLAIMS: ReadonlySet<string> = new Set(['iss', 'aud', 'iat', 'exp', 'jti', 'enrolment']);

/** Longest time for which a question may be believed, in seconds. */
export const HOOK_QUESTION_SECONDS = 60;

/**
 * Lints a question: its six claims and no other, for a minute.
 * @throws FederationError entity_identifier_invalid, claim_missing, claim_invalid, lint_failed
 */
export function lintEnrolmentHook(claims: JsonObject, rules: HouseRules): LintedStatement {
  const { iss, aud, iat, exp, jti, enrolment } = claims;
  return passed(TYP.enrolmentHook, claims, [
    () => parseEntityIdentifier(iss, rules, '/iss'),
    () => {
      for (const [claim, value] of Object.entries({ aud, jti })) {
        if (typeof value !== 'string' || value === '')
          throw new FederationError('claim_missing', 'is required', `/${claim}`);
      }
      if (!isJsonObject(enrolment)) throw new FederationError('claim_missing', 'is required', '/enrolment');
      if (!isNumericDate(iat)) throw new FederationError('claim_missing', 'is required', '/iat');
      if (!isNumericDate(exp)) throw new FederationError('claim_missing', 'is required', '/exp');
      if (exp <= iat || exp - iat > HOOK_QUESTION_SECONDS) {
        throw new FederationError('claim_invalid', `lies at most ${HOOK_QUESTION_SECONDS} s after iat`, '/exp');
      }
    },
    () => {
      const other = Object.keys(claims).find((claim) => !CLAIMS.has(claim));
      if (other !== undefined) throw new FederationError('lint_failed', 'has no place in a question', pointer(other));
    },
  ]);
}
