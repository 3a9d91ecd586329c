/** Client `scope`: one string on the wire, a set of strings to policy operators. @see OIDFED §6.1.3.1, RFC 7591 §2 */
import type { JsonValue } from '../json.ts';
import type { ParameterPolicy } from './operator.ts';

/** Only here `scope` is client metadata; no other parameter and no other Entity Type is split. */
const CLIENT_ENTITY_TYPES: ReadonlySet<string> = new Set(['openid_relying_party', 'oauth_client']);

/** Operators whose value takes the parameter's place and so may be written as the parameter is. */
const ASSIGNING_OPERATORS = ['value', 'default'] as const;

export function isClientScope(entityType: string, parameter: string): boolean {
  return parameter === 'scope' && CLIENT_ENTITY_TYPES.has(entityType);
}

/** `""` is an empty set, which is not an absent one. */
export function splitScope(scope: string): string[] {
  return scope.split(' ').filter((token) => token !== '');
}

/** Joins an array of strings; anything else is no scope and stays what it is. */
export function joinScope(value: JsonValue | undefined): JsonValue | undefined {
  return Array.isArray(value) && value.every((token) => typeof token === 'string') ? value.join(' ') : value;
}

/** The policy with scope strings split; itself where there is nothing to split. */
export function splitScopePolicy(policy: ParameterPolicy): ParameterPolicy {
  let split = policy;
  for (const operator of ASSIGNING_OPERATORS) {
    const value = policy[operator];
    if (typeof value === 'string') split = { ...split, [operator]: splitScope(value) };
  }
  return split;
}

/** The opposite of splitScopePolicy, for a policy that goes over the wire. */
export function joinScopePolicy(entityType: string, parameter: string, policy: ParameterPolicy): ParameterPolicy {
  if (!isClientScope(entityType, parameter)) return policy;
  const joined = { ...policy };
  for (const operator of ASSIGNING_OPERATORS) {
    if (Array.isArray(policy[operator])) joined[operator] = joinScope(policy[operator]) ?? null;
  }
  return joined;
}
