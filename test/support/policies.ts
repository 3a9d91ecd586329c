/** Metadata policies for one parameter, so that a test says operators and values and nothing else. */
import type { JsonValue } from '../../src/federation/json.ts';
import { applyMetadataPolicy, type PolicyObserver } from '../../src/federation/policy/apply-policy.ts';
import type { OperatorRegistry, ParameterPolicy } from '../../src/federation/policy/operator.ts';
import { type MetadataPolicy, parseMetadataPolicy } from '../../src/federation/policy/parse-policy.ts';
import { type PolicySource, resolveMetadataPolicy } from '../../src/federation/policy/resolve-policy.ts';

/** Where the policies of these functions stand unless a test says otherwise. */
export const ENTITY_TYPE = 'openid_relying_party';
export const PARAMETER = 'parameter';
export const POLICY_AT = `/metadata_policy/${ENTITY_TYPE}/${PARAMETER}`;
export const METADATA_AT = `/metadata/${ENTITY_TYPE}/${PARAMETER}`;

export interface PolicySetting {
  entityType?: string;
  parameter?: string;
  operators?: OperatorRegistry;
  observer?: PolicyObserver;
}

/** Parses a policy with these operators for one parameter. */
export function policyOf(operators: ParameterPolicy, setting: PolicySetting = {}): MetadataPolicy {
  const { entityType = ENTITY_TYPE, parameter = PARAMETER } = setting;
  return parseMetadataPolicy({ [entityType]: { [parameter]: operators } }, setting.operators);
}

/** Names the statements of policies, most superior first: the last one is ES[1]. */
export function sourcesOf(policies: readonly (MetadataPolicy | undefined)[]): PolicySource[] {
  return policies.map((metadataPolicy, index) => ({ place: `ES[${policies.length - index}]`, metadataPolicy }));
}

/** Parses and resolves policies for one parameter, most superior first; gives the operators of the merged one. */
export function mergeOperators(policies: readonly ParameterPolicy[], setting: PolicySetting = {}): ParameterPolicy {
  const { entityType = ENTITY_TYPE, parameter = PARAMETER } = setting;
  const sources = sourcesOf(policies.map((operators) => policyOf(operators, setting)));
  return resolveMetadataPolicy(sources, setting.operators)[entityType]?.[parameter] ?? {};
}

/** Applies operators to one parameter; undefined stands for an absent one, on both sides. */
export function applyOperators(
  operators: ParameterPolicy,
  value: JsonValue | undefined,
  setting: PolicySetting = {},
): JsonValue | undefined {
  const { entityType = ENTITY_TYPE, parameter = PARAMETER } = setting;
  const policy = resolveMetadataPolicy(sourcesOf([policyOf(operators, setting)]), setting.operators);
  const metadata = { [entityType]: value === undefined ? {} : { [parameter]: value } };
  return applyMetadataPolicy(policy, metadata, setting)[entityType]?.[parameter];
}

/** The value with its arrays in one order and without duplicates, for comparison as sets. */
export function asSets(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    const texts = new Set(value.map((element) => JSON.stringify(element)));
    return [...texts].sort().map((text) => JSON.parse(text));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asSets(member)]));
}
