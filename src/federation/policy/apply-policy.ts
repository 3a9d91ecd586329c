/** Application: a resolved metadata policy put to work on metadata. @see OIDFED §6.1.4.2 */
import { FederationError, pointer } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { Metadata } from '../metadata/metadata.ts';
import { type OperatorRegistry, type ParameterPolicy, Refusal } from './operator.ts';
import type { EntityTypePolicy, MetadataPolicy } from './parse-policy.ts';
import { isClientScope, joinScope, splitScope } from './scope.ts';
import { STANDARD_OPERATORS } from './standard-operators.ts';

/** One operator that acted on one parameter. A client `scope` is seen as an array; undefined is an absent parameter. */
export interface PolicyStep {
  entityType: string;
  parameter: string;
  operator: string;
  /** Value of the operator in the resolved policy. */
  value: JsonValue;
  before: JsonValue | undefined;
  /** Absent where the operator refuses. */
  after?: JsonValue | undefined;
  refusal?: Refusal;
}

/** Called after each operator, in order of application within a parameter; a refusal is the last. */
export type PolicyObserver = (step: PolicyStep) => void;

export interface ApplicationOptions {
  /** Operators known; the seven standard ones when absent. */
  operators?: OperatorRegistry;
  observer?: PolicyObserver;
}

/**
 * Applies a resolved policy to metadata. A policy for an Entity Type that the metadata does not declare has no effect.
 * Neither argument is changed, and the result may share parts with both.
 * @param policy from resolveMetadataPolicy
 * @throws FederationError policy_parameter_type_unsupported, policy_value_not_allowed, policy_essential_missing at the
 * parameter, such as `/metadata/openid_provider/contacts`
 */
export function applyMetadataPolicy(
  policy: MetadataPolicy,
  metadata: Metadata,
  { operators = STANDARD_OPERATORS, observer }: ApplicationOptions = {},
): Metadata {
  const resolved = { ...metadata };
  for (const [entityType, parameters] of Object.entries(policy)) {
    const declared = Object.hasOwn(metadata, entityType) ? metadata[entityType] : undefined;
    if (declared !== undefined) {
      resolved[entityType] = applyToEntityType(entityType, parameters, declared, operators, observer);
    }
  }
  return resolved;
}

function applyToEntityType(
  entityType: string,
  policies: EntityTypePolicy,
  declared: JsonObject,
  operators: OperatorRegistry,
  observer: PolicyObserver | undefined,
): JsonObject {
  const resolved = { ...declared };
  for (const [parameter, policy] of Object.entries(policies)) {
    const before = Object.hasOwn(declared, parameter) ? declared[parameter] : undefined;
    const isScope = isClientScope(entityType, parameter);
    const input = isScope && typeof before === 'string' ? splitScope(before) : before;
    const output = applyToParameter({ entityType, parameter }, policy, input, operators, observer);
    if (output === input) continue;
    const after = isScope ? joinScope(output) : output;
    if (after === undefined) delete resolved[parameter];
    else resolved[parameter] = after;
  }
  return resolved;
}

function applyToParameter(
  place: { entityType: string; parameter: string },
  policy: ParameterPolicy,
  input: JsonValue | undefined,
  operators: OperatorRegistry,
  observer: PolicyObserver | undefined,
): JsonValue | undefined {
  let current = input;
  for (const operator of operators.ordered) {
    if (!Object.hasOwn(policy, operator.name)) continue;
    const value = policy[operator.name] ?? null;
    const result = operator.apply(current, value);
    if (result instanceof Refusal || result === null) {
      const refusal = result ?? NULL_OUTPUT;
      const { reason, message } = refusal;
      observer?.({ ...place, operator: operator.name, value, before: current, refusal });
      const at = pointer('metadata', place.entityType, place.parameter);
      throw new FederationError(reason, `${message} (operator ${operator.name})`, at);
    }
    observer?.({ ...place, operator: operator.name, value, before: current, after: result });
    current = result;
  }
  return current;
}

/** Only an ill-defined custom operator gets here. */
const NULL_OUTPUT = new Refusal('policy_value_not_allowed', 'must not become null');
