/** Resolution: the metadata policies of a Trust Chain merged into one. @see OIDFED §6.1.4.1 */
import { FederationError, pointer } from '../errors.ts';
import { type OperatorRegistry, type ParameterPolicy, Refusal } from './operator.ts';
import {
  combinationComplaint,
  type EntityTypePolicy,
  type MetadataPolicy,
  requireUnderstoodOperators,
} from './parse-policy.ts';
import { isClientScope, splitScopePolicy } from './scope.ts';
import { STANDARD_OPERATORS } from './standard-operators.ts';

/** The policy claims of one Subordinate Statement, checked already by parseMetadataPolicy and checkMetadataPolicyCrit. */
export interface PolicySource {
  /** The statement's position in its chain, such as `ES[2]`: where a refusal is reported. */
  place: string;
  metadataPolicy?: MetadataPolicy;
  metadataPolicyCrit?: readonly string[];
}

/**
 * Resolves the policies of a chain into the one to apply. Critical operators of the whole chain come first, whether
 * used or not. Then each policy is merged into what stands above it: what only one of them has is taken over, equal
 * operators are merged, and the combinations of a merged parameter are judged anew. Values of a client `scope` come
 * out as arrays. The sources are not changed, and the result may share parts with them.
 * @param sources most superior first
 * @throws FederationError policy_crit_unsupported, policy_conflict, policy_combination_forbidden at the statement that
 * does not go with those above it, such as `ES[1] /metadata_policy/openid_relying_party/contacts/value`
 */
export function resolveMetadataPolicy(
  sources: readonly PolicySource[],
  operators: OperatorRegistry = STANDARD_OPERATORS,
): MetadataPolicy {
  for (const { place, metadataPolicyCrit } of sources) {
    if (metadataPolicyCrit === undefined) continue;
    requireUnderstoodOperators(metadataPolicyCrit, operators, `${place} /metadata_policy_crit`);
  }
  let resolved: MetadataPolicy = {};
  for (const { place, metadataPolicy } of sources) {
    if (metadataPolicy !== undefined)
      resolved = mergePolicies(resolved, withSplitScope(metadataPolicy), operators, place);
  }
  return resolved;
}

function mergePolicies(
  superior: MetadataPolicy,
  subordinate: MetadataPolicy,
  operators: OperatorRegistry,
  place: string,
): MetadataPolicy {
  const merged = { ...superior };
  for (const [entityType, parameters] of Object.entries(subordinate)) {
    const above = ownMember(superior, entityType);
    merged[entityType] =
      above === undefined
        ? parameters
        : mergeEntityTypes(above, parameters, operators, `${place} /metadata_policy${pointer(entityType)}`);
  }
  return merged;
}

function mergeEntityTypes(
  superior: EntityTypePolicy,
  subordinate: EntityTypePolicy,
  operators: OperatorRegistry,
  at: string,
): EntityTypePolicy {
  const merged = { ...superior };
  for (const [parameter, policy] of Object.entries(subordinate)) {
    const above = ownMember(superior, parameter);
    merged[parameter] =
      above === undefined ? policy : mergeParameterPolicies(above, policy, operators, at + pointer(parameter));
  }
  return merged;
}

function mergeParameterPolicies(
  superior: ParameterPolicy,
  subordinate: ParameterPolicy,
  operators: OperatorRegistry,
  at: string,
): ParameterPolicy {
  const merged = { ...superior };
  for (const [name, value] of Object.entries(subordinate)) {
    const above = ownMember(superior, name);
    if (above === undefined) {
      merged[name] = value;
      continue;
    }
    // Nobody acts on an operator that we do not know; the superior's value stays.
    const result = operators.get(name)?.merge(above, value) ?? above;
    if (result instanceof Refusal) throw new FederationError(result.reason, result.message, at + pointer(name));
    merged[name] = result;
  }
  const complaint = combinationComplaint(merged, operators);
  if (complaint !== undefined) {
    const message = `${complaint.message} (after merging with the policies of superiors)`;
    throw new FederationError(complaint.reason, message, at + pointer(complaint.operator));
  }
  return merged;
}

function ownMember<T>(object: { [name: string]: T }, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function withSplitScope(policy: MetadataPolicy): MetadataPolicy {
  let split = policy;
  for (const [entityType, parameters] of Object.entries(policy)) {
    const scope = isClientScope(entityType, 'scope') ? ownMember(parameters, 'scope') : undefined;
    const splitScope = scope === undefined ? undefined : splitScopePolicy(scope);
    if (splitScope !== scope) split = { ...split, [entityType]: { ...parameters, scope: splitScope ?? {} } };
  }
  return split;
}
