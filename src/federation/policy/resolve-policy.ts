/** Resolution: the metadata policies of a Trust Chain merged into one. @see OIDFED §6.1.4.1 */
import { FederationError, pointer } from '../errors.ts';
import type { JsonValue } from '../json.ts';
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

/** One operator of one statement's policy, as it joins what stands above it. A client `scope` is seen as an array. */
export interface PolicyContribution {
  /** Of the statement that has it, such as `ES[2]`. */
  place: string;
  entityType: string;
  parameter: string;
  operator: string;
  value: JsonValue;
  /** What the operator says from then on; absent if the policies do not go together. */
  merged?: JsonValue;
  refusal?: Refusal;
}

/** Called for each operator of each policy, the most superior first. */
export type ContributionObserver = (contribution: PolicyContribution) => void;

/**
 * Resolves the policies of a chain into the one to apply. Critical operators of the whole chain come first, whether
 * used or not. Then each policy is merged into what stands above it: what only one of them has is taken over, equal
 * operators are merged, and the combinations of each parameter are judged anew. Values of a client `scope` come
 * out as arrays. The sources are not changed, and the result may share parts with them.
 * @param sources most superior first
 * @throws FederationError policy_crit_unsupported, policy_conflict, policy_combination_forbidden at the statement that
 * does not go with those above it or with itself, such as `ES[1] /metadata_policy/openid_relying_party/contacts/value`
 */
export function resolveMetadataPolicy(
  sources: readonly PolicySource[],
  operators: OperatorRegistry = STANDARD_OPERATORS,
  observer?: ContributionObserver,
): MetadataPolicy {
  for (const { place, metadataPolicyCrit } of sources) {
    if (metadataPolicyCrit === undefined) continue;
    requireUnderstoodOperators(metadataPolicyCrit, operators, `${place} /metadata_policy_crit`);
  }
  let resolved: MetadataPolicy = {};
  for (const { place, metadataPolicy } of sources) {
    if (metadataPolicy === undefined) continue;
    resolved = mergePolicies(resolved, withSplitScope(metadataPolicy), { place, operators, observer });
  }
  return resolved;
}

/** One statement's policy while it is merged into those above it. */
interface Merging {
  place: string;
  operators: OperatorRegistry;
  observer: ContributionObserver | undefined;
}

/** The parameter that is merged. */
interface MergedParameter {
  entityType: string;
  parameter: string;
}

function mergePolicies(superior: MetadataPolicy, subordinate: MetadataPolicy, merging: Merging): MetadataPolicy {
  const merged = { ...superior };
  for (const [entityType, parameters] of Object.entries(subordinate)) {
    merged[entityType] = mergeEntityTypes(entityType, ownMember(superior, entityType) ?? {}, parameters, merging);
  }
  return merged;
}

function mergeEntityTypes(
  entityType: string,
  superior: EntityTypePolicy,
  subordinate: EntityTypePolicy,
  merging: Merging,
): EntityTypePolicy {
  const merged = { ...superior };
  for (const [parameter, policy] of Object.entries(subordinate)) {
    const above = ownMember(superior, parameter) ?? {};
    merged[parameter] = mergeParameterPolicies({ entityType, parameter }, above, policy, merging);
  }
  return merged;
}

function mergeParameterPolicies(
  parameter: MergedParameter,
  superior: ParameterPolicy,
  subordinate: ParameterPolicy,
  { place, operators, observer }: Merging,
): ParameterPolicy {
  const refuse = (operator: string, value: JsonValue, refusal: Refusal): never => {
    observer?.({ place, ...parameter, operator, value, refusal });
    const at = pointer('metadata_policy', parameter.entityType, parameter.parameter, operator);
    throw new FederationError(refusal.reason, refusal.message, `${place} ${at}`);
  };
  const merged = { ...superior };
  for (const [name, value] of Object.entries(subordinate)) {
    const above = ownMember(superior, name);
    // Nobody acts on an operator that we do not know; the superior's value stays.
    const result = above === undefined ? value : (operators.get(name)?.merge(above, value) ?? above);
    if (result instanceof Refusal) return refuse(name, value, result);
    merged[name] = result;
    observer?.({ place, ...parameter, operator: name, value, merged: result });
  }
  const complaint = combinationComplaint(merged, operators);
  if (complaint !== undefined) {
    const { operator, reason, message } = complaint;
    const isAlone = Object.keys(superior).length === 0;
    const after = isAlone ? '' : ' (after merging with the policies of superiors)';
    return refuse(operator, merged[operator] ?? null, new Refusal(reason, `${message}${after}`));
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
