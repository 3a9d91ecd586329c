/** Two operators that no standard defines, as an operator of Holdfast could register them: a check and a modifier. */
import type { JsonValue } from '../../src/federation/json.ts';
import { type PolicyOperator, Refusal } from '../../src/federation/policy/operator.ts';

/** A check: a string parameter, if present, matches all of these regular expressions. Forbidden next to `one_of`. */
export const REGEXP_OPERATOR: PolicyOperator = {
  name: 'regexp',
  order: 6.5,
  checkValue: (value) => (isStrings(value) ? undefined : 'must be an array of strings'),
  merge: (superior, subordinate) => [...strings(superior), ...strings(subordinate)],
  combinations: {
    value: (expressions, value) => (matchesAll(value, expressions) ? undefined : 'value must match'),
    one_of: () => 'regexp and one_of never stand together',
  },
  apply: (parameter, value) => {
    if (parameter === undefined) return undefined;
    if (typeof parameter !== 'string') return new Refusal('policy_parameter_type_unsupported', 'must be a string');
    return matchesAll(parameter, value) ? parameter : new Refusal('policy_value_not_allowed', 'does not match');
  },
};

/** A modifier: takes these values out of an array, before `add` brings its own. */
export const REMOVE_OPERATOR: PolicyOperator = {
  name: 'remove',
  order: 1.5,
  checkValue: (value) => (isStrings(value) ? undefined : 'must be an array of strings'),
  merge: (superior, subordinate) => [...strings(superior), ...strings(subordinate)],
  apply: (parameter, value) => {
    if (parameter === undefined) return undefined;
    if (!Array.isArray(parameter)) return new Refusal('policy_parameter_type_unsupported', 'must be an array');
    return parameter.filter((element) => !strings(value).includes(String(element)));
  },
};

function isStrings(value: JsonValue): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function strings(value: JsonValue): string[] {
  return isStrings(value) ? value : [];
}

function matchesAll(text: JsonValue, expressions: JsonValue): boolean {
  return typeof text === 'string' && strings(expressions).every((expression) => new RegExp(expression).test(text));
}
