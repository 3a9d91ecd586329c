/** The matrix of operator combinations: every pair, within one policy and merged from two, either way up. @see OIDFED §6.1.3.1 */
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/federation/json.ts';
import type { ParameterPolicy } from '../../../src/federation/policy/operator.ts';
import { STANDARD_OPERATORS } from '../../../src/federation/policy/standard-operators.ts';
import { asSets, mergeOperators, POLICY_AT, policyOf } from '../../support/policies.ts';
import { refusal } from '../../support/refusal.ts';

interface Pair {
  requirement: string;
  /** In order of application, so the second is the place of a refusal. */
  operators: [string, string];
  legal: [JsonValue, JsonValue][];
  illegal: [JsonValue, JsonValue][];
}

const MATRIX: Pair[] = [
  {
    requirement: 'OIDFED-6.1.3.1-13',
    operators: ['value', 'add'],
    legal: [
      [['a', 'b'], ['a']],
      [
        ['a', 'b'],
        ['b', 'a', 'a'],
      ],
      [['a'], []],
      [[], []],
      [[1, 2], [2]],
      [[{ a: 1, b: 2 }], [{ b: 2, a: 1 }]],
    ],
    illegal: [
      [['a'], ['a', 'b']],
      [[], ['a']],
      ['a', ['a']],
      [1, []],
      [{ a: 1 }, [{ a: 1 }]],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-20',
    operators: ['value', 'add'],
    legal: [],
    illegal: [
      [null, ['a']],
      [null, []],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-15',
    operators: ['value', 'default'],
    legal: [
      ['a', 'b'],
      [['a'], 1],
      [false, true],
      [[], ['a']],
    ],
    illegal: [
      [null, 'a'],
      [null, []],
      [null, false],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-14',
    operators: ['value', 'one_of'],
    legal: [
      ['a', ['a', 'b']],
      [2, [1, 2]],
      [{ a: 1, b: [2] }, [{ b: [2], a: 1 }]],
    ],
    illegal: [
      ['c', ['a', 'b']],
      ['a', []],
      [null, ['a']],
      [['a'], ['a']],
      [1, ['1']],
      [true, ['true']],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-13',
    operators: ['value', 'subset_of'],
    legal: [
      [['a'], ['b', 'a']],
      [['a', 'a'], ['a']],
      [[], ['a']],
      [[], []],
    ],
    illegal: [
      [
        ['a', 'c'],
        ['a', 'b'],
      ],
      [['a'], []],
      ['a', ['a']],
      [false, []],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-20',
    operators: ['value', 'subset_of'],
    legal: [],
    illegal: [
      [null, ['a']],
      [null, []],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-13',
    operators: ['value', 'superset_of'],
    legal: [
      [['a', 'b'], ['b']],
      [['a'], ['a', 'a']],
      [['a'], []],
      [[], []],
    ],
    illegal: [
      [['a'], ['a', 'b']],
      [[], ['a']],
      ['a', ['a']],
      ['a', []],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-20',
    operators: ['value', 'superset_of'],
    legal: [],
    illegal: [
      [null, ['a']],
      [null, []],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-15',
    operators: ['value', 'essential'],
    legal: [
      ['a', true],
      ['a', false],
      [[], true],
      [false, true],
      [null, false],
    ],
    illegal: [[null, true]],
  },
  {
    requirement: 'OIDFED-6.1.3.1-19',
    operators: ['add', 'default'],
    legal: [
      [['a'], ['b']],
      [['a'], 'b'],
    ],
    illegal: [],
  },
  {
    requirement: 'OIDFED-6.1.3.1-16',
    operators: ['add', 'one_of'],
    legal: [],
    illegal: [
      [['a'], ['a', 'b']],
      [[], ['a']],
      [[], []],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-17',
    operators: ['add', 'subset_of'],
    legal: [
      [['a'], ['b', 'a']],
      [[], []],
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
    ],
    illegal: [
      [
        ['a', 'c'],
        ['a', 'b'],
      ],
      [['a'], []],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-19',
    operators: ['add', 'superset_of'],
    legal: [
      [['a'], ['b']],
      [[], ['b']],
    ],
    illegal: [],
  },
  {
    requirement: 'OIDFED-6.1.3.1-19',
    operators: ['add', 'essential'],
    legal: [
      [['a'], true],
      [[], false],
    ],
    illegal: [],
  },
  {
    requirement: 'OIDFED-6.1.3.1-19',
    operators: ['default', 'one_of'],
    legal: [
      ['a', ['a']],
      ['c', ['a', 'b']],
      [['a'], ['a']],
    ],
    illegal: [],
  },
  {
    requirement: 'OIDFED-6.1.3.1-19',
    operators: ['default', 'subset_of'],
    legal: [
      [['a'], ['a']],
      [['c'], ['a']],
      ['a', ['a']],
    ],
    illegal: [],
  },
  {
    requirement: 'OIDFED-6.1.3.1-19',
    operators: ['default', 'superset_of'],
    legal: [
      [['a'], ['a']],
      [['c'], ['a']],
      ['a', ['a']],
    ],
    illegal: [],
  },
  {
    requirement: 'OIDFED-6.1.3.1-19',
    operators: ['default', 'essential'],
    legal: [
      ['a', true],
      ['a', false],
    ],
    illegal: [],
  },
  {
    requirement: 'OIDFED-6.1.3.1-16',
    operators: ['one_of', 'subset_of'],
    legal: [],
    illegal: [
      [['a'], ['a']],
      [['a'], []],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-16',
    operators: ['one_of', 'superset_of'],
    legal: [],
    illegal: [
      [['a'], ['a']],
      [['a'], []],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-19',
    operators: ['one_of', 'essential'],
    legal: [
      [['a'], true],
      [['a'], false],
    ],
    illegal: [],
  },
  {
    requirement: 'OIDFED-6.1.3.1-18',
    operators: ['subset_of', 'superset_of'],
    legal: [
      [['a', 'b'], ['a']],
      [
        ['a', 'b'],
        ['b', 'a'],
      ],
      [['a'], []],
      [[], []],
    ],
    illegal: [
      [['a'], ['a', 'b']],
      [[], ['a']],
    ],
  },
  {
    requirement: 'OIDFED-6.1.3.1-19',
    operators: ['subset_of', 'essential'],
    legal: [
      [[], true],
      [['a'], false],
    ],
    illegal: [],
  },
  {
    requirement: 'OIDFED-6.1.3.1-19',
    operators: ['superset_of', 'essential'],
    legal: [
      [[], true],
      [['a'], false],
    ],
    illegal: [],
  },
];

/** The examples of the matrix, one a row of a table test. */
function rows(kind: 'legal' | 'illegal'): { requirement: string; first: ParameterPolicy; second: ParameterPolicy }[] {
  return MATRIX.flatMap(({ requirement, operators: [one, other], [kind]: examples }) =>
    examples.map(([a, b]) => ({ requirement, first: { [one]: a }, second: { [other]: b } })),
  );
}

describe('combinations of operators', () => {
  it('[OIDFED-6.1.3.1-19] tests every pair of the seven operators', () => {
    const names = STANDARD_OPERATORS.ordered.map((operator) => operator.name);
    const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => `${one} ${other}`));
    expect(pairs).toHaveLength(21);
    expect(new Set(MATRIX.map(({ operators }) => operators.join(' ')))).toEqual(new Set(pairs));
  });

  it.each(rows('legal'))('[$requirement] accepts $first with $second', ({ first, second }) => {
    const both = { ...first, ...second };
    expect(policyOf({ ...second, ...first })).toBeDefined();
    expect(asSets(mergeOperators([both]))).toEqual(asSets(both));
    expect(asSets(mergeOperators([first, second]))).toEqual(asSets(both));
    expect(asSets(mergeOperators([second, first]))).toEqual(asSets(both));
  });

  it.each(rows('illegal'))('[$requirement] refuses $first with $second', ({ first, second }) => {
    const at = `${POLICY_AT}/${Object.keys(second)[0]}`;
    expect(refusal(() => policyOf({ ...first, ...second }))).toBe(`policy_combination_forbidden at ${at}`);
    expect(refusal(() => policyOf({ ...second, ...first }))).toBe(`policy_combination_forbidden at ${at}`);
    expect(refusal(() => mergeOperators([first, second]))).toBe(`policy_combination_forbidden at ES[1] ${at}`);
    expect(refusal(() => mergeOperators([second, first]))).toBe(`policy_combination_forbidden at ES[1] ${at}`);
  });

  it('[OIDFED-6.1.4-7] judges what a merge made of operators that were legal in each policy', () => {
    const upper = { subset_of: ['a', 'b'], superset_of: ['a'] };
    const lower = { subset_of: ['b', 'c'] };
    const refused = `policy_combination_forbidden at ES[1] ${POLICY_AT}/superset_of`;
    expect(refusal(() => policyOf(upper))).toBe('accepted');
    expect(refusal(() => policyOf(lower))).toBe('accepted');
    expect(refusal(() => mergeOperators([upper, lower]))).toBe(refused);
  });

  it('[OIDFED-6.1.3.1-15] refuses value null of one statement with essential from a merge of two others', () => {
    const policies: ParameterPolicy[] = [{ value: null }, { essential: false }, { essential: true }];
    const refused = `policy_combination_forbidden at ES[1] ${POLICY_AT}/essential`;
    expect(refusal(() => mergeOperators(policies))).toBe(refused);
    expect(mergeOperators(policies.slice(0, 2))).toEqual({ value: null, essential: false });
  });
});
