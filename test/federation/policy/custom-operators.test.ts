/** Operators beyond the standard ones, known and unknown. @see OIDFED §6.1.3.2 */
import { describe, expect, it } from 'vitest';
import type { PolicyOperator } from '../../../src/federation/policy/operator.ts';
import { createOperatorRegistry, STANDARD_OPERATORS } from '../../../src/federation/policy/standard-operators.ts';
import { REGEXP_OPERATOR, REMOVE_OPERATOR } from '../../support/custom-operators.ts';
import { applyOperators, METADATA_AT, mergeOperators, POLICY_AT, policyOf } from '../../support/policies.ts';
import { refusal } from '../../support/refusal.ts';

const operators = createOperatorRegistry([REGEXP_OPERATOR, REMOVE_OPERATOR]);

describe('an operator that is registered', () => {
  it('[OIDFED-6.1.3.2-2] runs after value if it modifies, and before essential if it checks', () => {
    const order = operators.ordered.map((operator) => operator.name);
    expect(order).toEqual([
      ...['value', 'remove', 'add', 'default', 'one_of', 'subset_of', 'superset_of', 'regexp', 'essential'],
    ]);
    expect(applyOperators({ value: ['a', 'b'], remove: ['a'] }, ['c'], { operators })).toEqual(['b']);
    expect(applyOperators({ remove: ['a'], add: ['a'] }, ['a', 'b'], { operators })).toEqual(['b', 'a']);
    const expected = `policy_essential_missing at ${METADATA_AT}`;
    expect(refusal(() => applyOperators({ regexp: ['^x'], essential: true }, undefined, { operators }))).toBe(expected);
  });

  it.each([
    ['before value', { ...REMOVE_OPERATOR, order: 0.5 }],
    ['in the place of value', { ...REMOVE_OPERATOR, order: 1 }],
    ['in the place of essential', { ...REMOVE_OPERATOR, order: 7 }],
    ['after essential', { ...REMOVE_OPERATOR, order: 8 }],
    ['nowhere', { ...REMOVE_OPERATOR, order: Number.NaN }],
    ['under a standard name', { ...REMOVE_OPERATOR, name: 'add' }],
  ])('[OIDFED-6.1.3.2-2] cannot act %s', (_place, operator: PolicyOperator) => {
    expect(() => createOperatorRegistry([operator])).toThrow(TypeError);
  });

  it('cannot be registered twice', () => {
    expect(() => createOperatorRegistry([REGEXP_OPERATOR, REGEXP_OPERATOR])).toThrow(TypeError);
  });

  it('[OIDFED-6.1.3-1] has its own types of values and parameters', () => {
    expect(refusal(() => policyOf({ regexp: 'x' }, { operators }))).toBe(
      `policy_operator_value_invalid at ${POLICY_AT}/regexp`,
    );
    expect(refusal(() => applyOperators({ regexp: ['x'] }, ['x'], { operators }))).toBe(
      `policy_parameter_type_unsupported at ${METADATA_AT}`,
    );
    expect(refusal(() => applyOperators({ regexp: ['x'] }, 'y', { operators }))).toBe(
      `policy_value_not_allowed at ${METADATA_AT}`,
    );
    expect(applyOperators({ regexp: ['x'] }, 'xy', { operators })).toBe('xy');
  });

  it('[OIDFED-6.1.4-7] has its own merge and combinations, judged before and after merging', () => {
    expect(mergeOperators([{ regexp: ['a'] }, { regexp: ['b'] }], { operators })).toEqual({ regexp: ['a', 'b'] });
    expect(mergeOperators([{ regexp: ['a'] }, { value: 'a' }], { operators })).toEqual({ regexp: ['a'], value: 'a' });
    const atRegexp = `policy_combination_forbidden at ${POLICY_AT}/regexp`;
    expect(refusal(() => policyOf({ regexp: ['b'], value: 'a' }, { operators }))).toBe(atRegexp);
    expect(refusal(() => policyOf({ one_of: ['b'], regexp: ['b'] }, { operators }))).toBe(atRegexp);
    const merge = () => mergeOperators([{ value: 'a', regexp: ['a'] }, { regexp: ['b'] }], { operators });
    expect(refusal(merge)).toBe(`policy_combination_forbidden at ES[1] ${POLICY_AT}/regexp`);
  });

  it('[OIDFED-6.1.3-2] is refused if it makes null', () => {
    const broken: PolicyOperator = {
      name: 'broken',
      order: 2.5,
      checkValue: () => undefined,
      merge: (a) => a,
      apply: () => null,
    };
    const outcome = refusal(() => applyOperators({ broken: 1 }, 'a', { operators: createOperatorRegistry([broken]) }));
    expect(outcome).toBe(`policy_value_not_allowed at ${METADATA_AT}`);
  });

  it('is not standard, and the standard registry does not know it', () => {
    expect(operators.isStandard('regexp')).toBe(false);
    expect(operators.isStandard('value')).toBe(true);
    expect(STANDARD_OPERATORS.get('regexp')).toBeUndefined();
    expect(operators.get('regexp')).toBe(REGEXP_OPERATOR);
  });
});

describe('an operator that is not known', () => {
  it('[OIDFED-6.1.3.2-1] does nothing to metadata', () => {
    expect(applyOperators({ regexp: ['^x'], remove: ['a'] }, ['a', 'y'])).toEqual(['a', 'y']);
  });

  it('[OIDFED-6.1.3.2-1] is carried through merges with the value of the most superior statement', () => {
    expect(mergeOperators([{ regexp: 'x' }, { value: 'a' }, { regexp: 'z', remove: 1 }])).toEqual({
      regexp: 'x',
      value: 'a',
      remove: 1,
    });
  });
});
