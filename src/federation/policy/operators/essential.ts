/** `essential`: whether the parameter must be present. @see OIDFED §6.1.3.1.7 */
import { type PolicyOperator, Refusal } from '../operator.ts';

export const essentialOperator: PolicyOperator = {
  name: 'essential',
  order: 7,

  checkValue: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),

  merge: (superior, subordinate) => superior === true || subordinate === true,

  apply: (parameter, value) =>
    value === true && parameter === undefined
      ? new Refusal('policy_essential_missing', 'is essential and must be present')
      : parameter,
};
