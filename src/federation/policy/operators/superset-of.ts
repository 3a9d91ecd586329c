/** `superset_of`: the parameter, if present, holds all of these values. @see OIDFED §6.1.3.1.6 */
import { isSet, isSubset, union } from '../json-set.ts';
import { type PolicyOperator, Refusal } from '../operator.ts';
import { checkSetValue, mergeSets, unsupportedParameter } from './set-operator.ts';

export const supersetOfOperator: PolicyOperator = {
  name: 'superset_of',
  order: 6,

  checkValue: checkSetValue,

  merge: (superior, subordinate) => mergeSets(superior, subordinate, union),

  apply: (parameter, value) => {
    if (parameter === undefined) return undefined;
    if (!isSet(parameter) || !isSet(value)) return unsupportedParameter('superset_of');
    return isSubset(value, parameter)
      ? parameter
      : new Refusal('policy_value_not_allowed', 'does not hold all values of superset_of');
  },
};
