/** `add`: the parameter has these values too. @see OIDFED §6.1.3.1.2 */
import { isSet, isSubset, union } from '../json-set.ts';
import type { PolicyOperator } from '../operator.ts';
import { checkSetValue, forbidden, mergeSets, unsupportedParameter } from './set-operator.ts';

export const addOperator: PolicyOperator = {
  name: 'add',
  order: 2,

  checkValue: checkSetValue,

  merge: (superior, subordinate) => mergeSets(superior, subordinate, union),

  combinations: {
    one_of: forbidden('add', 'one_of'),
    subset_of: (add, subsetOf) =>
      Array.isArray(add) && Array.isArray(subsetOf) && isSubset(add, subsetOf)
        ? undefined
        : 'subset_of must hold all of add',
  },

  apply: (parameter, value) => {
    if (parameter === undefined) return value;
    const extended = isSet(parameter) && isSet(value) ? union(parameter, value) : undefined;
    return isSet(extended) ? extended : unsupportedParameter('add');
  },
};
