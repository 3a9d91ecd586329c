/** Constraints: their syntax, path lengths, names and Entity Types. @see OIDFED §6.2 */
import { describe, expect, it } from 'vitest';
import {
  type Constraints,
  checkConstraints,
  enforceConstraints,
  filterEntityTypes,
} from '../../src/federation/constraints.ts';
import { parseEntityIdentifier } from '../../src/federation/identifiers.ts';
import { refusal } from '../support/refusal.ts';

/** Judges a statement at ES[j], where `subjects` are ES[0] … ES[j]. */
function enforce(constraints: unknown, subjects: string[]): string {
  const checked = checkConstraints(constraints);
  const path = {
    statementIndex: subjects.length - 1,
    subjects: subjects.map((subject) => parseEntityIdentifier(subject, { allowHttp: true })),
  };
  return refusal(() => enforceConstraints(checked, path));
}

/** Judges one name under naming constraints: that of a direct subordinate. */
function judge(naming: object, identifier: string): string {
  return enforce({ naming_constraints: naming }, [identifier, identifier]);
}

const NAMING_AT = '/constraints/naming_constraints';
const NOT_PERMITTED = `naming_constraint_violated at ${NAMING_AT}/permitted`;
const EXCLUDED = `naming_constraint_violated at ${NAMING_AT}/excluded/0`;
const NO_DOMAIN_NAME = `naming_constraint_violated at ${NAMING_AT}`;

describe('checkConstraints', () => {
  it.each([
    {},
    { max_path_length: 0 },
    { max_path_length: 7, naming_constraints: {}, allowed_entity_types: [] },
    { naming_constraints: { permitted: [] } },
    {
      naming_constraints: {
        permitted: ['.example.com', 'example.com', 'a-b.example.com'],
        excluded: ['.x.example.com'],
      },
    },
    { naming_constraints: { excluded: ['xn--mnchen-3ya.example', '.com', 'Example.COM', 'example.com.'] } },
    { allowed_entity_types: ['openid_provider', 'a_type_of_tomorrow'] },
  ])('[OIDFED-6.2.1-1] accepts %j', (constraints) => {
    expect(checkConstraints(constraints)).toBe(constraints);
  });

  it.each([
    { a_constraint_of_tomorrow: { max: null } },
    { naming_constraints: { unknown: 7 } },
    { max_path_length: 1, x: [] },
  ])('[OIDFED-6.2-2] ignores unknown names in %j', (constraints) => {
    expect(checkConstraints(constraints)).toBe(constraints);
    expect(enforce({ x: 'anything' }, ['https://192.0.2.1', 'https://192.0.2.1'])).toBe('accepted');
  });

  it.each([
    [null, ''],
    ['{}', ''],
    [[], ''],
    [undefined, ''],
    [{ max_path_length: -1 }, '/max_path_length'],
    [{ max_path_length: 1.5 }, '/max_path_length'],
    [{ max_path_length: '1' }, '/max_path_length'],
    [{ max_path_length: null }, '/max_path_length'],
    [{ max_path_length: 2 ** 53 }, '/max_path_length'],
    [{ max_path_length: [1] }, '/max_path_length'],
  ])('[OIDFED-6.2.1-1] refuses %j', (constraints, at) => {
    expect(refusal(() => checkConstraints(constraints))).toBe(`constraints_malformed at /constraints${at}`);
  });

  it.each([
    [null, ''],
    [['.example.com'], ''],
    [{ permitted: '.example.com' }, '/permitted'],
    [{ excluded: null }, '/excluded'],
    [{ permitted: [1] }, '/permitted/0'],
    [{ permitted: ['example.com', ''] }, '/permitted/1'],
    [{ permitted: ['.'] }, '/permitted/0'],
    [{ excluded: ['https://.example.com'] }, '/excluded/0'],
    [{ excluded: ['https://example.com'] }, '/excluded/0'],
    [{ excluded: ['example.com:8443'] }, '/excluded/0'],
    [{ excluded: ['example.com/path'] }, '/excluded/0'],
    [{ excluded: ['*.example.com'] }, '/excluded/0'],
    [{ excluded: ['..example.com'] }, '/excluded/0'],
    [{ excluded: ['a..example.com'] }, '/excluded/0'],
    [{ excluded: ['münchen.example'] }, '/excluded/0'],
    [{ excluded: ['192.0.2.1'] }, '/excluded/0'],
    [{ excluded: ['[2001:db8::1]'] }, '/excluded/0'],
    [{ excluded: [' example.com'] }, '/excluded/0'],
  ])('refuses naming constraints %j, which could never match', (naming, at) => {
    const outcome = refusal(() => checkConstraints({ naming_constraints: naming }));
    expect(outcome).toBe(`constraints_malformed at ${NAMING_AT}${at}`);
  });

  it.each([
    [null, ''],
    ['openid_provider', ''],
    [{}, ''],
    [['openid_provider', 1], '/1'],
  ])('refuses allowed_entity_types %j', (types, at) => {
    const outcome = refusal(() => checkConstraints({ allowed_entity_types: types }));
    expect(outcome).toBe(`constraints_malformed at /constraints/allowed_entity_types${at}`);
  });

  it('[OIDFED-6.2.3-3] refuses federation_entity among the allowed types', () => {
    const outcome = refusal(() => checkConstraints({ allowed_entity_types: ['openid_provider', 'federation_entity'] }));
    expect(outcome).toBe('constraints_malformed at /constraints/allowed_entity_types/1');
  });
});

describe('max_path_length', () => {
  const leaf = 'https://leaf.example';
  const path = (intermediates: number) => [
    leaf,
    leaf,
    ...Array.from({ length: intermediates }, (_, index) => `https://int${index}.example`),
  ];

  it('[OIDFED-6.2.1-3] zero permits a direct subordinate and nothing below it', () => {
    // The subject of ES[1] is that of ES[0]; each further statement is about one more Intermediate.
    expect(enforce({ max_path_length: 0 }, path(0))).toBe('accepted');
    expect(enforce({ max_path_length: 0 }, path(1))).toBe('max_path_length_exceeded at /constraints/max_path_length');
  });

  it.each([
    [1, 1, true],
    [1, 2, false],
    [2, 1, true],
    [2, 2, true],
    [2, 3, false],
    [10, 11, false],
  ])('[OIDFED-6.2.1-2] %i with %i Intermediates: %s', (maxPathLength, intermediates, isLegal) => {
    const outcome = isLegal ? 'accepted' : 'max_path_length_exceeded at /constraints/max_path_length';
    expect(enforce({ max_path_length: maxPathLength }, path(intermediates))).toBe(outcome);
  });

  it('[OIDFED-6.2.1-2] sets no limit where it is absent', () => {
    expect(enforce({}, path(30))).toBe('accepted');
  });

  it('[OIDFED-6.2-1] binds by the statement that it stands in, not by others', () => {
    const upper = checkConstraints({ max_path_length: 2 });
    const lower = checkConstraints({ max_path_length: 0 });
    const subjects = path(1).map((subject) => parseEntityIdentifier(subject));
    const judgeAt = (constraints: Constraints, statementIndex: number) =>
      refusal(() =>
        enforceConstraints(constraints, { statementIndex, subjects: subjects.slice(0, statementIndex + 1) }),
      );
    expect(judgeAt(upper, 2)).toBe('accepted');
    expect(judgeAt(lower, 1)).toBe('accepted');
    expect(judgeAt(lower, 2)).toBe('max_path_length_exceeded at /constraints/max_path_length');
  });
});

describe('naming_constraints', () => {
  it.each([
    ['.example.com', 'https://a.example.com', true],
    ['.example.com', 'https://a.b.example.com', true],
    ['.example.com', 'https://example.com', false],
    ['.example.com', 'https://badexample.com', false],
    ['.example.com', 'https://example.com.evil.test', false],
    ['.example.com', 'https://a.example.org', false],
    ['example.com', 'https://example.com', true],
    ['example.com', 'https://a.example.com', false],
    ['example.com', 'https://myexample.com', false],
    ['a.example.com', 'https://example.com', false],
    ['.com', 'https://example.com', true],
  ])('[OIDFED-6.2.2-2] name %s with %s: %s', (name, identifier, matches) => {
    expect(judge({ permitted: [name] }, identifier)).toBe(matches ? 'accepted' : NOT_PERMITTED);
    expect(judge({ excluded: [name] }, identifier)).toBe(matches ? EXCLUDED : 'accepted');
  });

  it.each([
    'https://a.example.com:8443',
    'https://a.example.com/path/x.evil.test',
    'https://a.example.com:443/',
    'http://a.example.com',
  ])('[OIDFED-6.2.2-1] looks at the host of %s only', (identifier) => {
    expect(judge({ permitted: ['.example.com'] }, identifier)).toBe('accepted');
    expect(judge({ permitted: ['.evil.test'] }, identifier)).toBe(NOT_PERMITTED);
    expect(judge({ excluded: ['.example.com'] }, identifier)).toBe(EXCLUDED);
  });

  it('[OIDFED-6.2.2-3] wants a match in permitted, and none in excluded even so', () => {
    const naming = { permitted: ['.example.com', 'other.test'], excluded: ['.east.example.com', 'west.example.com'] };
    expect(judge(naming, 'https://a.example.com')).toBe('accepted');
    expect(judge(naming, 'https://other.test')).toBe('accepted');
    expect(judge(naming, 'https://third.test')).toBe(NOT_PERMITTED);
    expect(judge(naming, 'https://a.east.example.com')).toBe(EXCLUDED);
    expect(judge(naming, 'https://east.example.com')).toBe('accepted');
    expect(judge(naming, 'https://west.example.com')).toBe(`naming_constraint_violated at ${NAMING_AT}/excluded/1`);
    expect(judge({ permitted: ['a.test'], excluded: ['a.test'] }, 'https://a.test')).toBe(EXCLUDED);
  });

  it('[OIDFED-6.2.2-4] binds every entity below the setter', () => {
    const constraints = { naming_constraints: { permitted: ['.example.com'] } };
    const inside = ['https://a.example.com', 'https://b.example.com', 'https://c.example.com'] as const;
    const outside = 'https://outside.test';
    expect(enforce(constraints, [...inside])).toBe('accepted');
    expect(enforce(constraints, [outside, outside, inside[2]])).toBe(NOT_PERMITTED);
    expect(enforce(constraints, [inside[0], inside[0], outside])).toBe(NOT_PERMITTED);
    expect(enforce(constraints, [inside[0], inside[0], outside, inside[2]])).toBe(NOT_PERMITTED);
  });

  it.each([
    'https://192.0.2.1',
    'https://192.0.2.1:8443/a.example.com',
    'https://[2001:db8::1]',
    'https://0x7f.1',
    'https://2130706433',
    'https://localhost',
    'https://intranet',
    'https://a..example.com',
    'https://com.',
  ])('[OIDFED-6.2.2-5] refuses %s, whose host is no full domain name', (identifier) => {
    expect(judge({ excluded: ['.evil.test'] }, identifier)).toBe(NO_DOMAIN_NAME);
    expect(judge({ permitted: ['.example.com', 'localhost', '.com'] }, identifier)).toBe(NO_DOMAIN_NAME);
    expect(judge({}, identifier)).toBe('accepted');
    expect(judge({ excluded: [] }, identifier)).toBe('accepted');
  });

  it('[OIDFED-6.2.2-6] compares without regard to case', () => {
    expect(judge({ permitted: ['.Example.COM'] }, 'https://A.exAmple.com')).toBe('accepted');
    expect(judge({ excluded: ['eVil.test'] }, 'https://EVIL.test/')).toBe(EXCLUDED);
  });

  it('takes an absolute name for the same as one without its final dot', () => {
    expect(judge({ excluded: ['evil.test'] }, 'https://evil.test./')).toBe(EXCLUDED);
    expect(judge({ excluded: ['.evil.test.'] }, 'https://a.evil.test')).toBe(EXCLUDED);
    expect(judge({ permitted: ['.example.com'] }, 'https://a.example.com.')).toBe('accepted');
    expect(judge({ permitted: ['.example.com'] }, 'https://example.com.')).toBe(NOT_PERMITTED);
  });

  it('[OIDFED-6.2.2-7] permits nothing where permitted is empty', () => {
    expect(judge({ permitted: [] }, 'https://a.example.com')).toBe(NOT_PERMITTED);
    expect(judge({ permitted: [], excluded: ['x.test'] }, 'https://a.example.com')).toBe(NOT_PERMITTED);
  });
});

describe('allowed_entity_types', () => {
  const metadata = { federation_entity: { a: 1 }, openid_provider: { b: 1 }, openid_relying_party: {}, x: {} };
  const filter = (...lists: (string[] | undefined)[]) =>
    Object.keys(
      filterEntityTypes(
        metadata,
        lists.map((list) => (list === undefined ? undefined : checkConstraints({ allowed_entity_types: list }))),
      ),
    );

  it('[OIDFED-6.2.3-1] removes types that are not allowed, and refuses nothing', () => {
    expect(filter(['openid_provider', 'oauth_client'])).toEqual(['federation_entity', 'openid_provider']);
    expect(enforce({ allowed_entity_types: [] }, ['https://a.example', 'https://a.example'])).toBe('accepted');
    expect(Object.keys(metadata)).toHaveLength(4);
  });

  it('[OIDFED-6.2.3-3] keeps federation_entity in any case, and does not create it', () => {
    expect(filter(['x'])).toEqual(['federation_entity', 'x']);
    expect(filterEntityTypes({ x: {} }, [checkConstraints({ allowed_entity_types: [] })])).toEqual({});
  });

  it('[OIDFED-6.2.3-4] leaves federation_entity alone where the list is empty, and everything where there is none', () => {
    expect(filter([])).toEqual(['federation_entity']);
    expect(filter(undefined)).toEqual(Object.keys(metadata));
    expect(filter()).toEqual(Object.keys(metadata));
    expect(filterEntityTypes(metadata, [checkConstraints({ max_path_length: 1 })])).toEqual(metadata);
  });

  it('[OIDFED-6.2.3-5] keeps what every statement allows', () => {
    expect(filter(['openid_provider', 'x'], undefined, ['x', 'openid_relying_party'])).toEqual([
      'federation_entity',
      'x',
    ]);
    expect(filter(['openid_provider'], ['x'])).toEqual(['federation_entity']);
  });
});
