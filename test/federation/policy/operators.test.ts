/** Each standard operator by itself: its values, its merge, its action. @see OIDFED §6.1.3.1 */
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../src/federation/json.ts';
import type { ParameterPolicy } from '../../../src/federation/policy/operator.ts';
import { applyOperators, METADATA_AT, mergeOperators, POLICY_AT, policyOf } from '../../support/policies.ts';
import { refusal } from '../../support/refusal.ts';

const SCALARS: JsonValue[] = ['a', '', 0, 1.5, true, false];
const SETS: JsonValue[] = [[], ['a'], ['a', 'b', 'a'], [1, 2], [{ a: 1 }, {}]];
const MIXED: JsonValue[] = [['a', 1], [null], [['a']], [true], ['a', null], [{}, 'a']];
const OBJECT: JsonValue = { a: [1, { b: null }] };

const VALUES: Record<string, { accepted: JsonValue[]; refused: JsonValue[] }> = {
  value: { accepted: [...SCALARS, ...SETS, ...MIXED, OBJECT, null], refused: [] },
  default: { accepted: [...SCALARS, ...SETS, ...MIXED, OBJECT], refused: [null] },
  add: { accepted: SETS, refused: [...SCALARS, ...MIXED, OBJECT, null] },
  one_of: { accepted: SETS, refused: [...SCALARS, ...MIXED, OBJECT, null] },
  subset_of: { accepted: SETS, refused: [...SCALARS, ...MIXED, OBJECT, null] },
  superset_of: { accepted: SETS, refused: [...SCALARS, ...MIXED, OBJECT, null] },
  essential: { accepted: [true, false], refused: ['true', '', 0, 1, null, [], [true], OBJECT] },
};

describe('values of operators', () => {
  const rows = (kind: 'accepted' | 'refused') =>
    Object.entries(VALUES).flatMap(([name, values]) => values[kind].map((value) => ({ operators: { [name]: value } })));

  it.each(rows('accepted'))('[OIDFED-6.1.3-1] accepts $operators', ({ operators }) => {
    expect(refusal(() => policyOf(operators))).toBe('accepted');
  });

  it.each(rows('refused'))('[OIDFED-6.1.3-1] refuses $operators', ({ operators }) => {
    const at = `${POLICY_AT}/${Object.keys(operators)[0]}`;
    expect(refusal(() => policyOf(operators))).toBe(`policy_operator_value_invalid at ${at}`);
  });

  it('[OIDFED-6.1.3.1-6] refuses default null', () => {
    const refused = `policy_operator_value_invalid at ${POLICY_AT}/default`;
    expect(refusal(() => policyOf({ default: null }))).toBe(refused);
    expect(refusal(() => policyOf({ default: false }))).toBe('accepted');
  });
});

interface MergeRow {
  requirement: string;
  operator: string;
  superior: JsonValue;
  subordinate: JsonValue;
  merged: JsonValue;
}

const merges = (requirement: string, operator: string, values: [JsonValue, JsonValue, JsonValue][]): MergeRow[] =>
  values.map(([superior, subordinate, merged]) => ({ requirement, operator, superior, subordinate, merged }));

describe('merges of two operators', () => {
  it.each([
    ...['value', 'default'].flatMap((operator) =>
      merges('OIDFED-6.1.3.1-2', operator, [
        ['a', 'a', 'a'],
        [false, false, false],
        [0, 0, 0],
        [
          ['a', 'b'],
          ['b', 'a'],
          ['a', 'b'],
        ],
        [['a'], ['a', 'a'], ['a']],
        [[{ a: 1, b: 2 }], [{ b: 2, a: 1 }], [{ a: 1, b: 2 }]],
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
          { a: 1, b: 2 },
        ],
      ]),
    ),
    ...merges('OIDFED-6.1.3.1-2', 'value', [[null, null, null]]),
    ...['add', 'superset_of'].flatMap((operator) =>
      merges('OIDFED-6.1.3.1-4', operator, [
        [['a'], ['b'], ['a', 'b']],
        [
          ['a', 'b'],
          ['b', 'c'],
          ['a', 'b', 'c'],
        ],
        [[], ['a'], ['a']],
        [['a'], [], ['a']],
        [[], [], []],
        [[1], [2], [1, 2]],
        [[{ a: 1, b: 2 }], [{ b: 2, a: 1 }, { c: 3 }], [{ a: 1, b: 2 }, { c: 3 }]],
      ]),
    ),
    ...['one_of', 'subset_of'].flatMap((operator) =>
      merges('OIDFED-6.1.3.1-8', operator, [
        [['a', 'b'], ['b', 'c'], ['b']],
        [
          ['a', 'b'],
          ['b', 'a'],
          ['a', 'b'],
        ],
        [[1, 2], [2], [2]],
        [[{ a: 1, b: 2 }], [{ b: 2, a: 1 }], [{ a: 1, b: 2 }]],
      ]),
    ),
    ...merges('OIDFED-6.1.3.1-8', 'subset_of', [
      [['a'], ['b'], []],
      [[], ['b'], []],
    ]),
    ...merges('OIDFED-6.1.3.1-12', 'essential', [
      [true, true, true],
      [true, false, true],
      [false, true, true],
      [false, false, false],
    ]),
  ])('[$requirement] merges $operator $superior with $subordinate', ({ operator, superior, subordinate, merged }) => {
    expect(mergeOperators([{ [operator]: superior }, { [operator]: subordinate }])).toEqual({ [operator]: merged });
  });

  it('[OIDFED-6.1.3.1-12] takes an omitted essential for false', () => {
    expect(mergeOperators([{ default: 'a' }, { essential: true }])).toEqual({ default: 'a', essential: true });
    expect(mergeOperators([{ essential: true }, { default: 'a' }])).toEqual({ default: 'a', essential: true });
  });

  const conflicts: [string, string, JsonValue, JsonValue][] = [
    ...['value', 'default'].flatMap((operator): [string, string, JsonValue, JsonValue][] => [
      ['OIDFED-6.1.3.1-2', operator, 'a', 'b'],
      ['OIDFED-6.1.3.1-2', operator, 'a', ['a']],
      ['OIDFED-6.1.3.1-2', operator, 1, '1'],
      ['OIDFED-6.1.3.1-2', operator, false, 0],
      ['OIDFED-6.1.3.1-2', operator, ['a'], ['a', 'b']],
      ['OIDFED-6.1.3.1-2', operator, ['a', 'b'], ['a']],
      ['OIDFED-6.1.3.1-2', operator, { a: 1 }, { a: 1, b: 2 }],
    ]),
    ['OIDFED-6.1.3.1-2', 'value', null, 'a'],
    ['OIDFED-6.1.3.1-2', 'value', 'a', null],
    ['OIDFED-6.1.3.1-2', 'value', null, []],
    ['OIDFED-6.1.3.1-8', 'one_of', ['a'], ['b']],
    ['OIDFED-6.1.3.1-8', 'one_of', [1], ['1']],
    ['OIDFED-6.1.3-1', 'add', ['a'], [1]],
    ['OIDFED-6.1.3-1', 'superset_of', [{ a: 1 }], ['a']],
  ];
  it.each(conflicts)('[%s] refuses to merge %s %j with %j', (_requirement, operator, superior, subordinate) => {
    const outcome = refusal(() => mergeOperators([{ [operator]: superior }, { [operator]: subordinate }]));
    expect(outcome).toBe(`policy_conflict at ES[1] ${POLICY_AT}/${operator}`);
  });
});

const ABSENT = undefined;
type Action = [
  requirement: string,
  operators: ParameterPolicy,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
];

const ACTIONS: Action[] = [
  ['OIDFED-6.1.3.1-1', { value: 'b' }, 'a', 'b'],
  ['OIDFED-6.1.3.1-1', { value: 'b' }, ABSENT, 'b'],
  ['OIDFED-6.1.3.1-1', { value: ['b'] }, 'a', ['b']],
  ['OIDFED-6.1.3.1-1', { value: false }, true, false],
  ['OIDFED-6.1.3.1-1', { value: [] }, ['a'], []],
  ['OIDFED-6.1.3.1-1', { value: { a: 1 } }, ['a'], { a: 1 }],
  ['OIDFED-6.1.3.1-1', { value: null }, 'a', ABSENT],
  ['OIDFED-6.1.3.1-1', { value: null }, ABSENT, ABSENT],
  ['OIDFED-6.1.3.1-15', { value: null, essential: false }, ['a'], ABSENT],
  ['OIDFED-6.1.3.1-3', { add: ['b', 'c'] }, ['a', 'b'], ['a', 'b', 'c']],
  ['OIDFED-6.1.3.1-3', { add: ['a'] }, ['a', 'b'], ['a', 'b']],
  ['OIDFED-6.1.3.1-3', { add: ['a'] }, [], ['a']],
  ['OIDFED-6.1.3.1-3', { add: ['a'] }, ABSENT, ['a']],
  ['OIDFED-6.1.3.1-3', { add: [] }, ABSENT, []],
  ['OIDFED-6.1.3.1-3', { add: [] }, ['a'], ['a']],
  ['OIDFED-6.1.3.1-23', { add: [2] }, [1], [1, 2]],
  ['OIDFED-6.1.3.1-23', { add: [{ b: 1, a: 2 }, { c: 3 }] }, [{ a: 2, b: 1 }], [{ a: 2, b: 1 }, { c: 3 }]],
  ['OIDFED-6.1.3.1-5', { default: 'b' }, ABSENT, 'b'],
  ['OIDFED-6.1.3.1-5', { default: 'b' }, 'a', 'a'],
  ['OIDFED-6.1.3.1-5', { default: true }, false, false],
  ['OIDFED-6.1.3.1-5', { default: ['b'] }, [], []],
  ['OIDFED-6.1.3.1-5', { default: 'b' }, '', ''],
  ['OIDFED-6.1.3.1-5', { default: 1 }, 0, 0],
  ['OIDFED-6.1.3.1-5', { default: ['b'], add: ['a'] }, ABSENT, ['a']],
  ['OIDFED-6.1.3.1-5', { default: ['b'], add: [] }, ABSENT, []],
  ['OIDFED-6.1.3.1-7', { one_of: ['a', 'b'] }, 'b', 'b'],
  ['OIDFED-6.1.3.1-7', { one_of: ['a', 'b'] }, ABSENT, ABSENT],
  ['OIDFED-6.1.3.1-23', { one_of: [1, 2] }, 2, 2],
  ['OIDFED-6.1.3.1-23', { one_of: [{ a: 1, b: 2 }] }, { b: 2, a: 1 }, { b: 2, a: 1 }],
  ['OIDFED-6.1.3.1-9', { subset_of: ['a', 'b'] }, ['c', 'b', 'a'], ['b', 'a']],
  ['OIDFED-6.1.3.1-9', { subset_of: ['a'] }, ['c'], []],
  ['OIDFED-6.1.3.1-9', { subset_of: [] }, ['c'], []],
  ['OIDFED-6.1.3.1-9', { subset_of: ['a'] }, ABSENT, ABSENT],
  ['OIDFED-6.1.3.1-9', { subset_of: ['a'], essential: true }, ['c'], []],
  ['OIDFED-6.1.3.1-23', { subset_of: [{ a: 1 }] }, [{ a: 1 }, { b: 1 }], [{ a: 1 }]],
  ['OIDFED-6.1.3.1-23', { subset_of: [1, 2] }, [2, 3], [2]],
  ['OIDFED-6.1.3.1-11', { superset_of: ['a'] }, ['b', 'a'], ['b', 'a']],
  ['OIDFED-6.1.3.1-11', { superset_of: ['a', 'a'] }, ['a'], ['a']],
  ['OIDFED-6.1.3.1-11', { superset_of: [] }, [], []],
  ['OIDFED-6.1.3.1-11', { superset_of: ['a'] }, ABSENT, ABSENT],
  ['OIDFED-6.1.3.1-11', { subset_of: ['a', 'b'], superset_of: ['a'] }, ['c', 'a'], ['a']],
  ['OIDFED-6.1.3.1-12', { essential: true }, 'a', 'a'],
  ['OIDFED-6.1.3.1-12', { essential: true }, '', ''],
  ['OIDFED-6.1.3.1-12', { essential: true }, false, false],
  ['OIDFED-6.1.3.1-12', { essential: true }, {}, {}],
  ['OIDFED-6.1.3.1-12', { essential: false }, ABSENT, ABSENT],
  ['OIDFED-6.1.3.1-12', { essential: true, default: 'a' }, ABSENT, 'a'],
  [
    'OIDFED-6.1.3-3',
    { value: ['a'], add: ['a'], subset_of: ['a', 'b'], superset_of: ['a'], essential: true },
    'x',
    ['a'],
  ],
  ['OIDFED-6.1.3-3', { add: ['b'], subset_of: ['a', 'b'] }, ['c', 'a'], ['a', 'b']],
  ['OIDFED-6.1.3-3', { add: ['b'], superset_of: ['b'], essential: true }, ABSENT, ['b']],
  ['OIDFED-6.1.3-3', { default: ['a', 'c'], subset_of: ['a', 'b'], superset_of: ['a'] }, ABSENT, ['a']],
];

type Failure = [requirement: string, operators: ParameterPolicy, before: JsonValue | undefined, reason: string];

const FAILURES: Failure[] = [
  ['OIDFED-6.1.3-1', { add: ['a'] }, 'a', 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3-1', { add: ['a'] }, { a: 1 }, 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3-1', { add: ['a'] }, [1], 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3-1', { add: ['a'] }, ['a', 1], 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3.1-7', { one_of: ['a', 'b'] }, 'c', 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-7', { one_of: ['a', 'b'] }, '', 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-7', { one_of: [] }, 'a', 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-7', { one_of: ['1'] }, 1, 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-7', { one_of: [{ a: 1 }] }, { a: 2 }, 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-10', { one_of: ['a'] }, ['a'], 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3.1-10', { one_of: ['a'] }, [], 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3-1', { one_of: ['true'] }, true, 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3.1-10', { subset_of: ['a'] }, 'a', 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3-1', { subset_of: ['a'] }, { a: 1 }, 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3-1', { subset_of: ['a'] }, [true], 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3-1', { superset_of: ['a'] }, 'a', 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3-1', { superset_of: [] }, 1, 'policy_parameter_type_unsupported'],
  ['OIDFED-6.1.3.1-11', { superset_of: ['a', 'b'] }, ['a', 'c'], 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-11', { superset_of: ['a'] }, [], 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-11', { subset_of: ['a', 'b'], superset_of: ['a'] }, ['b', 'c'], 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-11', { subset_of: ['a'], superset_of: ['a'] }, ['b'], 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-12', { essential: true }, ABSENT, 'policy_essential_missing'],
  ['OIDFED-6.1.3.1-12', { essential: true, one_of: ['a'] }, ABSENT, 'policy_essential_missing'],
  ['OIDFED-6.1.3.1-9', { essential: true, subset_of: ['a'] }, ABSENT, 'policy_essential_missing'],
  ['OIDFED-6.1.3.1-19', { default: 'c', one_of: ['a'] }, ABSENT, 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-19', { default: ['c'], superset_of: ['a'] }, ABSENT, 'policy_value_not_allowed'],
  ['OIDFED-6.1.3.1-19', { default: ['c', 'a'], one_of: ['a'] }, ABSENT, 'policy_parameter_type_unsupported'],
];

describe('actions of operators', () => {
  it.each(ACTIONS)('[%s] %j makes of %j %j', (_requirement, operators, before, after) => {
    expect(applyOperators(operators, before)).toEqual(after);
  });

  it.each(FAILURES)('[%s] %j refuses %j: %s', (_requirement, operators, before, reason) => {
    expect(refusal(() => applyOperators(operators, before))).toBe(`${reason} at ${METADATA_AT}`);
  });

  it('[OIDFED-6.1.3-2] leaves no member behind where value null removes the parameter', () => {
    for (const before of ['a', ['a'], undefined]) expect(applyOperators({ value: null }, before)).toBeUndefined();
  });

  it('[OIDFED-6.1.3-4] finds members of long arrays as it does in short ones', () => {
    const many = Array.from({ length: 500 }, (_, index) => `value ${index}`);
    const objects = many.map((name, index) => ({ name, index }));
    const turned = objects.map(({ name, index }) => ({ index, name })).toReversed();
    expect(applyOperators({ subset_of: many }, ['x', ...many.toReversed()])).toEqual(many.toReversed());
    expect(applyOperators({ add: [...many, 'new'] }, many)).toEqual([...many, 'new']);
    expect(applyOperators({ superset_of: objects }, turned)).toEqual(turned);
    expect(applyOperators({ superset_of: turned }, objects)).toEqual(objects);
    const text = [...many, '{"index":0,"name":"value 0"}'];
    expect(applyOperators({ subset_of: text }, [{ name: 'value 0', index: 0 }])).toEqual([]);
  });
});
