/** `default`: the value of a parameter that is absent. @see OIDFED §6.1.3.1.3 */
import { equalAsSets } from '../json-set.ts';
import { type PolicyOperator, Refusal } from '../operator.ts';

export const defaultOperator: PolicyOperator = {
  name: 'default',
  order: 3,

  checkValue: (value) => (value === null ? 'must not be null' : undefined),

  merge: (superior, subordinate) =>
    equalAsSets(superior, subordinate) ? superior : new Refusal('policy_conflict', 'differs from that of a superior'),

  apply: (parameter, value) => (parameter === undefined ? value : parameter),
};
