/** `value`: the parameter has exactly this value; null removes it. @see OIDFED §6.1.3.1.1 */
import { contains, equalAsSets, isSubset } from '../json-set.ts';
import { type PolicyOperator, Refusal } from '../operator.ts';

export const valueOperator: PolicyOperator = {
  name: 'value',
  order: 1,

  checkValue: () => undefined,

  merge: (superior, subordinate) =>
    equalAsSets(superior, subordinate) ? superior : new Refusal('policy_conflict', 'differs from that of a superior'),

  combinations: {
    add: (value, add) =>
      Array.isArray(value) && Array.isArray(add) && isSubset(add, value) ? undefined : 'value must hold all of add',
    default: (value) => (value === null ? 'value null removes what default sets' : undefined),
    one_of: (value, oneOf) =>
      Array.isArray(oneOf) && contains(oneOf, value) ? undefined : 'value must be a member of one_of',
    subset_of: (value, subsetOf) =>
      Array.isArray(value) && Array.isArray(subsetOf) && isSubset(value, subsetOf)
        ? undefined
        : 'value must be a subset of subset_of',
    superset_of: (value, supersetOf) =>
      Array.isArray(value) && Array.isArray(supersetOf) && isSubset(supersetOf, value)
        ? undefined
        : 'value must be a superset of superset_of',
    essential: (value, essential) =>
      value === null && essential === true ? 'value null removes what essential demands' : undefined,
  },

  apply: (_parameter, value) => (value === null ? undefined : value),
};
