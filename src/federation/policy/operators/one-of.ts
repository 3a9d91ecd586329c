/** `one_of`: the parameter, if present, is one of these values. @see OIDFED §6.1.3.1.4 */
import { isJsonObject } from '../../json.ts';
import { contains, intersection } from '../json-set.ts';
import { type PolicyOperator, Refusal } from '../operator.ts';
import { checkSetValue, forbidden, mergeSets, unsupportedParameter } from './set-operator.ts';

export const oneOfOperator: PolicyOperator = {
  name: 'one_of',
  order: 4,

  checkValue: checkSetValue,

  merge: (superior, subordinate) => {
    const common = mergeSets(superior, subordinate, intersection);
    return Array.isArray(common) && common.length === 0
      ? new Refusal('policy_conflict', 'has no value in common with that of a superior')
      : common;
  },

  combinations: {
    subset_of: forbidden('one_of', 'subset_of'),
    superset_of: forbidden('one_of', 'superset_of'),
  },

  apply: (parameter, value) => {
    if (parameter === undefined) return undefined;
    if (typeof parameter !== 'string' && typeof parameter !== 'number' && !isJsonObject(parameter)) {
      return unsupportedParameter('one_of');
    }
    return Array.isArray(value) && contains(value, parameter)
      ? parameter
      : new Refusal('policy_value_not_allowed', 'is not among the values of one_of');
  },
};
