/** What must hold before a decision about admission is signed, a document of ours. */
import { FederationError } from '../errors.ts';
import { parseEntityIdentifier } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import { TYP } from '../media-types.ts';
import { isNumericDate } from '../time.ts';
import type { HouseRules } from './house-rules.ts';
import { lintReadable } from './house-rules.ts';
import { type LintedStatement, passed } from './linted-statement.ts';

/** It names the roles of one application. */
const MAX_BYTES = 256 * 1024;

/**
 * Lints a decision: for one enforcement point, about one certificate or name, and of no longer life than it says. What
 * denies has none.
 * @throws FederationError entity_identifier_invalid, claim_missing, claim_invalid, lint_failed
 */
export function lintAdmissionDecision(claims: JsonObject, rules: HouseRules): LintedStatement {
  return passed(TYP.admissionDecision, claims, [
    () => parseEntityIdentifier(claims['iss'], rules, '/iss'),
    () => lintTimes(claims, rules),
    () => lintOutcome(claims),
    (payload) => lintReadable(payload, MAX_BYTES),
  ]);
}

function lintTimes({ iat, exp, decision }: JsonObject, { maxLifetimeSeconds }: HouseRules): void {
  if (!isNumericDate(iat)) throw new FederationError('claim_missing', 'is required', '/iat');
  if (!isNumericDate(exp)) throw new FederationError('claim_missing', 'is required', '/exp');
  const isRight = decision === 'allow' ? exp >= iat && exp - iat <= maxLifetimeSeconds : exp === iat;
  if (!isRight) throw new FederationError('lint_failed', 'is not the end of such a decision', '/exp');
}

function lintOutcome({ aud, decision, reasons, participant }: JsonObject): void {
  if (typeof aud !== 'string' || aud === '') {
    throw new FederationError('claim_invalid', 'must be one enforcement point', '/aud');
  }
  if (!Array.isArray(reasons)) throw new FederationError('claim_missing', 'is required', '/reasons');
  const isAllow =
    decision === 'allow' && reasons.length === 0 && typeof participant === 'object' && participant !== null;
  const isDeny = decision === 'deny' && reasons.length > 0;
  if (!isAllow && !isDeny) {
    throw new FederationError('lint_failed', 'allows somebody, without reasons, or denies, with some', '/decision');
  }
}
