/** What must hold before a historical keys document of ours is signed. @see OIDFED §8.7.2 */
import { FederationError, pointer } from '../errors.ts';
import { parseEntityIdentifier } from '../identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { checkJwkSet } from '../jwk-set.ts';
import { TYP } from '../media-types.ts';
import { isNumericDate } from '../time.ts';
import { type HouseRules, lintReadable } from './house-rules.ts';
import { MAX_STATEMENT_BYTES } from './lint-entity-statement.ts';
import { type LintedStatement, passed } from './linted-statement.ts';

/**
 * Lints a historical keys document.
 * @throws FederationError entity_identifier_invalid, claim_missing, jwks_invalid, jwk_private, lint_failed
 * @see OIDFED §8.7.2
 */
export function lintHistoricalKeys(claims: JsonObject, rules: HouseRules): LintedStatement {
  return passed(TYP.jwkSet, claims, [
    () => parseEntityIdentifier(claims['iss'], rules, '/iss'),
    () => {
      if (!isNumericDate(claims['iat'])) throw new FederationError('claim_missing', 'is required', '/iat');
      if (!Array.isArray(claims['keys'])) throw new FederationError('claim_missing', 'is required', '/keys');
      if (claims['keys'].length > 0) checkJwkSet({ keys: claims['keys'] }, '');
      claims['keys'].forEach((key, index) => {
        lintHistoricalKey(key, pointer('keys', index));
      });
    },
    (payload) => lintReadable(payload, MAX_STATEMENT_BYTES),
  ]);
}

/** Each key has ended, and a revoked one says when. @see OIDFED §8.7.2 */
function lintHistoricalKey(key: JsonValue, at: string): void {
  if (!isJsonObject(key) || !isNumericDate(key['exp'])) {
    throw new FederationError('claim_missing', 'a historical key needs `exp`', `${at}/exp`);
  }
  const revoked = key['revoked'];
  if (revoked !== undefined && !(isJsonObject(revoked) && isNumericDate(revoked['revoked_at']))) {
    throw new FederationError('claim_missing', 'a revoked key needs `revoked_at`', `${at}/revoked/revoked_at`);
  }
}
