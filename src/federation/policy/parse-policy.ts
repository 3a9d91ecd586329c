/** Syntax of `metadata_policy` and `metadata_policy_crit` in a single statement. @see OIDFED §6.1.2, §6.1.3 */
import { FederationError, pointer, type Reason } from '../errors.ts';
import { isJsonObject, type JsonValue } from '../json.ts';
import type { OperatorRegistry, ParameterPolicy } from './operator.ts';
import { isClientScope, splitScopePolicy } from './scope.ts';
import { STANDARD_OPERATORS } from './standard-operators.ts';

/** Policies by Entity Type and parameter, as a statement has them. Unknown operators are carried along. */
export type MetadataPolicy = { [entityType: string]: EntityTypePolicy };
export type EntityTypePolicy = { [parameter: string]: ParameterPolicy };

/**
 * Parses a `metadata_policy`: three levels of objects (an empty one says nothing), a value that each known operator
 * takes, and no forbidden combination. The result is the very object that was passed in.
 * @param operators operators known; others are ignored, unless critical
 * @param at place of the claim, a JSON Pointer
 * @throws FederationError policy_malformed, policy_operator_value_invalid, policy_combination_forbidden
 */
export function parseMetadataPolicy(
  value: unknown,
  operators: OperatorRegistry = STANDARD_OPERATORS,
  at = '/metadata_policy',
): MetadataPolicy {
  if (!isJsonObject(value)) throw malformed('an object of Entity Types', at);
  for (const entityType of Object.keys(value)) {
    const parameters = value[entityType];
    if (!isJsonObject(parameters)) throw malformed('an object of parameters', at + pointer(entityType));
    for (const parameter of Object.keys(parameters)) {
      const policy = parameters[parameter];
      if (!isJsonObject(policy)) throw malformed('an object of operators', at + pointer(entityType, parameter));
      const complaint = parameterComplaint(
        isClientScope(entityType, parameter) ? splitScopePolicy(policy) : policy,
        operators,
      );
      if (complaint !== undefined) {
        const place = at + pointer(entityType, parameter, complaint.operator);
        throw new FederationError(complaint.reason, complaint.message, place);
      }
    }
  }
  return value as MetadataPolicy;
}

function malformed(expected: string, at: string): FederationError {
  return new FederationError('policy_malformed', `must be ${expected}`, at);
}

/** What is wrong with the policy of one parameter, and at which operator. */
export interface ParameterComplaint {
  reason: Reason;
  message: string;
  operator: string;
}

function parameterComplaint(policy: ParameterPolicy, operators: OperatorRegistry): ParameterComplaint | undefined {
  for (const name of Object.keys(policy)) {
    const message = operators.get(name)?.checkValue(policy[name] ?? null);
    if (message !== undefined) return { reason: 'policy_operator_value_invalid', message, operator: name };
  }
  return combinationComplaint(policy, operators);
}

/** The first pair of operators in a parameter's policy that must not stand together. @see OIDFED §6.1.3.1 */
export function combinationComplaint(
  policy: ParameterPolicy,
  operators: OperatorRegistry,
): ParameterComplaint | undefined {
  for (const { own, other, rule, later } of operators.combinations) {
    if (!Object.hasOwn(policy, own) || !Object.hasOwn(policy, other)) continue;
    const message = rule(policy[own] ?? null, policy[other] ?? null);
    if (message !== undefined) return { reason: 'policy_combination_forbidden', message, operator: later };
  }
  return undefined;
}

/**
 * Checks a `metadata_policy_crit`: a non-empty array of names of operators that the standard does not define and that
 * are understood here.
 * @param at place of the claim, a JSON Pointer
 * @throws FederationError policy_crit_invalid, policy_crit_unsupported
 * @see OIDFED §6.1.3.2
 */
export function checkMetadataPolicyCrit(
  value: unknown,
  operators: OperatorRegistry = STANDARD_OPERATORS,
  at = '/metadata_policy_crit',
): string[] {
  if (!isStringArray(value) || value.length === 0) {
    const message = 'must be a non-empty array of operator names; leave it out instead of []';
    throw new FederationError('policy_crit_invalid', message, at);
  }
  value.forEach((name, index) => {
    if (operators.isStandard(name)) {
      throw new FederationError('policy_crit_invalid', `${name} is defined by the standard`, `${at}/${index}`);
    }
  });
  requireUnderstoodOperators(value, operators, at);
  return value;
}

/** @throws FederationError policy_crit_unsupported for the first name that is not known */
export function requireUnderstoodOperators(names: readonly string[], operators: OperatorRegistry, at: string): void {
  names.forEach((name, index) => {
    if (operators.get(name) === undefined) {
      const message = `the critical operator ${JSON.stringify(name)} is not understood`;
      throw new FederationError('policy_crit_unsupported', message, `${at}/${index}`);
    }
  });
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item: JsonValue) => typeof item === 'string');
}
