/** What must hold before a checkpoint of the audit is signed, a document of ours. */
import { checkAuditCheckpointClaims } from '../audit-checkpoint.ts';
import { FederationError, pointer } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { TYP } from '../media-types.ts';
import type { HouseRules } from './house-rules.ts';
import { type LintedStatement, passed } from './linted-statement.ts';

const CLAIMS: ReadonlySet<string> = new Set(['iss', 'iat', 'seq', 'hash', 'rows']);

/**
 * Lints a checkpoint: its five claims and no other. It never expires.
 * @throws FederationError entity_identifier_invalid, claim_missing, claim_invalid, lint_failed
 */
export function lintAuditCheckpoint(claims: JsonObject, rules: HouseRules): LintedStatement {
  return passed(TYP.auditCheckpoint, claims, [
    () => checkAuditCheckpointClaims(claims, rules),
    () => {
      const other = Object.keys(claims).find((claim) => !CLAIMS.has(claim));
      if (other !== undefined) throw new FederationError('lint_failed', 'has no place in a checkpoint', pointer(other));
    },
  ]);
}
