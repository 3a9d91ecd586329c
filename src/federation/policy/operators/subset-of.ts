/** `subset_of`: the parameter, if present, keeps only these values and may end up empty. @see OIDFED §6.1.3.1.5 */
import { intersection, isSet, isSubset } from '../json-set.ts';
import type { PolicyOperator } from '../operator.ts';
import { checkSetValue, mergeSets, unsupportedParameter } from './set-operator.ts';

export const subsetOfOperator: PolicyOperator = {
  name: 'subset_of',
  order: 5,

  checkValue: checkSetValue,

  merge: (superior, subordinate) => mergeSets(superior, subordinate, intersection),

  combinations: {
    superset_of: (subsetOf, supersetOf) =>
      Array.isArray(subsetOf) && Array.isArray(supersetOf) && isSubset(supersetOf, subsetOf)
        ? undefined
        : 'subset_of must hold all of superset_of',
  },

  apply: (parameter, value) => {
    if (parameter === undefined) return undefined;
    return isSet(parameter) && isSet(value) ? intersection(parameter, value) : unsupportedParameter('subset_of');
  },
};
