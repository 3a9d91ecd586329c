/** What must hold before the Entity Configuration of a hosted entity is signed with its key. @see OIDFED §3.1.2, §5.1.1 */
import { FederationError, pointer } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Metadata } from '../metadata/metadata.ts';
import { isEntityConfiguration } from '../statement/entity-statement.ts';
import type { HouseRules } from './house-rules.ts';
import { lintEntityStatement } from './lint-entity-statement.ts';
import type { LintedStatement } from './linted-statement.ts';

/** Claims that only superiors have, or only Trust Anchors. */
const NOT_OF_LEAVES = ['metadata_policy', 'constraints', 'source_endpoint', 'trust_mark_issuers', 'trust_mark_owners'];

/** Endpoints that make an entity somebody's superior, or an issuer of something. */
const ENDPOINT = /^federation_\w+_endpoint$/;

/**
 * Lints the configuration of an entity that has no server of its own: it has superiors, and is nobody's.
 * @throws FederationError any reason of §3.2, lint_failed
 * @see OIDFED §3.1.2, §5.1.1
 */
export function lintHostedConfiguration(claims: JsonObject, rules: HouseRules): LintedStatement {
  if (!isEntityConfiguration(claims)) {
    throw new FederationError(
      'lint_failed',
      'a hosted entity speaks of itself only: iss and sub must be equal',
      '/sub',
    );
  }
  for (const claim of NOT_OF_LEAVES) {
    if (claims[claim] === undefined) continue;
    throw new FederationError('lint_failed', 'has no place in the configuration of a hosted entity', pointer(claim));
  }
  const linted = lintEntityStatement(claims, rules);
  const parameters = Object.keys((claims['metadata'] as Metadata | undefined)?.['federation_entity'] ?? {});
  const endpoint = parameters.find((parameter) => ENDPOINT.test(parameter));
  if (endpoint !== undefined) {
    const at = pointer('metadata', 'federation_entity', endpoint);
    throw new FederationError('lint_failed', 'a hosted entity has no federation endpoints', at);
  }
  if (claims['authority_hints'] === undefined) {
    throw new FederationError('lint_failed', 'a hosted entity names its superior', '/authority_hints');
  }
  return linted;
}
