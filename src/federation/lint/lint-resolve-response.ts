/** What must hold before a resolve response of ours is signed. @see OIDFED §8.3.2 */
import { FederationError } from '../errors.ts';
import { parseEntityIdentifier } from '../identifiers.ts';
import { isJsonObject, type JsonObject, parseJson } from '../json.ts';
import { TYP } from '../media-types.ts';
import { decodeJwt } from '../signature.ts';
import { exceeds, type HouseRules, lintLifetime } from './house-rules.ts';
import { MAX_STATEMENT_BYTES } from './lint-entity-statement.ts';
import { type LintedStatement, passed, type StatementHeader } from './linted-statement.ts';

/**
 * Lints a resolve response.
 * @see OIDFED §8.3.2
 * @param header with the issuer's own chain to the Trust Anchor that `trust_chain` of the claims ends at
 * @throws FederationError entity_identifier_invalid, claim_missing, claim_invalid, lint_failed, answer_too_large
 */
export function lintResolveResponse(
  claims: JsonObject,
  rules: HouseRules,
  header: StatementHeader = {},
): LintedStatement {
  const lints: ((payload: string) => void)[] = [
    () => parseEntityIdentifier(claims['iss'], rules, '/iss'),
    () => parseEntityIdentifier(claims['sub'], rules, '/sub'),
    () => claims['aud'] === undefined || parseEntityIdentifier(claims['aud'], rules, '/aud'),
    () => lintLifetime(claims, rules),
    () => {
      if (!isJsonObject(claims['metadata'])) {
        throw new FederationError('claim_invalid', 'must be an object', '/metadata');
      }
      lintChain(claims['trust_chain'], '/trust_chain');
    },
    () => lintOwnChain(header, claims),
    (payload) => lintRoom(payload, MAX_STATEMENT_BYTES - JSON.stringify(header).length),
    (payload) => parseJson(payload),
  ];
  return passed(TYP.resolveResponse, claims, lints, header);
}

/** What was resolved is others' and may be more than fits: that is no fault of ours, and fewer types may fit. */
function lintRoom(payload: string, maxBytes: number): void {
  if (!exceeds(payload, maxBytes)) return;
  const message =
    `the answer would have more than the ${maxBytes} bytes that readers take: ask for fewer Entity Types with ` +
    'entity_type, or resolve the entity yourself from what it and its superiors publish';
  throw new FederationError('answer_too_large', message);
}

/** A chain is a list of compact JWTs. @see OIDFED §4 */
function lintChain(chain: unknown, at: string): asserts chain is string[] {
  if (!Array.isArray(chain) || chain.length === 0 || !chain.every((jwt) => typeof jwt === 'string')) {
    throw new FederationError('claim_invalid', 'must be a non-empty array of JWTs', at);
  }
}

/** The header's chain is the issuer's, and ends where the subject's does. @see OIDFED §4.3, §8.3.2 */
function lintOwnChain({ trust_chain: chain }: StatementHeader, { iss, trust_chain: subjectChain }: JsonObject): void {
  if (chain === undefined) return;
  lintChain(chain, 'header/trust_chain');
  lintChain(subjectChain, '/trust_chain');
  if (decodeJwt(chain[0]).claims['sub'] !== iss) {
    throw new FederationError('lint_failed', "is not the issuer's own", 'header/trust_chain');
  }
  if (decodeJwt(chain.at(-1)).claims['iss'] !== decodeJwt(subjectChain.at(-1)).claims['iss']) {
    throw new FederationError('lint_failed', 'ends at another Trust Anchor', 'header/trust_chain');
  }
}
