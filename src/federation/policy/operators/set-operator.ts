/** What the operators with sets for values (`add`, `one_of`, `subset_of`, `superset_of`) share. @see OIDFED §6.1.3.1 */
import type { JsonValue } from '../../json.ts';
import { isSet } from '../json-set.ts';
import { type CombinationRule, Refusal } from '../operator.ts';

const NO_SET = 'must be an array of strings, of numbers or of objects';

export function checkSetValue(value: JsonValue): string | undefined {
  return isSet(value) ? undefined : NO_SET;
}

/** Merges two values that `checkSetValue` accepted. */
export function mergeSets(
  superior: JsonValue,
  subordinate: JsonValue,
  merge: (first: JsonValue[], second: JsonValue[]) => JsonValue[],
): JsonValue[] | Refusal {
  if (!isSet(superior) || !isSet(subordinate)) return new Refusal('policy_operator_value_invalid', NO_SET);
  const merged = merge(superior, subordinate);
  return isSet(merged)
    ? merged
    : new Refusal('policy_conflict', 'has elements of another type than that of a superior');
}

export function forbidden(operator: string, other: string): CombinationRule {
  return () => `${operator} and ${other} never stand together`;
}

export function unsupportedParameter(operator: string): Refusal {
  return new Refusal('policy_parameter_type_unsupported', `is of a type that ${operator} does not take`);
}
