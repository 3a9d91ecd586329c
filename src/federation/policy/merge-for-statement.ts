/** Several policies of one superior as the one `metadata_policy` that its statement carries. @see OIDFED §6.1 */
import type { MetadataPolicy } from './parse-policy.ts';
import { type PolicySource, resolveMetadataPolicy } from './resolve-policy.ts';
import { joinScopePolicy } from './scope.ts';

/**
 * Merges policies by the rules of §6.1.4.1, and writes the result as it goes over the wire: no empty members, and a
 * client `scope` that is set stays one string.
 * @throws FederationError policy_conflict, policy_combination_forbidden
 */
export function mergeForStatement(sources: readonly PolicySource[]): MetadataPolicy {
  const wire: MetadataPolicy = {};
  for (const [entityType, parameters] of Object.entries(resolveMetadataPolicy(sources))) {
    const policies = Object.entries(parameters)
      .filter(([, policy]) => Object.keys(policy).length > 0)
      .map(([parameter, policy]) => [parameter, joinScopePolicy(entityType, parameter, policy)] as const);
    if (policies.length > 0) wire[entityType] = Object.fromEntries(policies);
  }
  return wire;
}
