/** Metadata policies that conflict, overreach or cannot be read, over real HTTP. @see OIDFED §6.1 */
import { describe, expect, it } from 'vitest';
import type { Claims, EntitySettings } from '../support/federation.ts';
import { expectOutcome } from '../support/hostile-federation.ts';

/** A chain op – lower – anchor whose superiors have policies for the Entity Type `openid_provider` of the subject. */
interface PolicyCase {
  title: string;
  /** Policy of the Trust Anchor's statement about the Intermediate. */
  anchor?: object;
  /** Policy of the Intermediate's statement about the subject. */
  lower?: object;
  /** The subject's own `contacts`. */
  contacts?: unknown;
  /** Verdict and line of the attempt after `op lower anchor: `. */
  refused: [verdict: string, attempt: string];
}

const LOWER = 'ES[1] /metadata_policy/openid_provider/contacts';
const METADATA = '/metadata/openid_provider/contacts';

const CONFLICTS: PolicyCase[] = [
  {
    title: '[OIDFED-6.1.4-8] two superiors that set different values',
    anchor: { value: ['a@anchor.example'] },
    lower: { value: ['b@lower.example'] },
    refused: ['invalid_metadata', `policy_conflict (§6.1.4.1) at ${LOWER}/value`],
  },
  {
    title: 'two superiors with different defaults',
    anchor: { default: ['a'] },
    lower: { default: ['b'] },
    refused: ['invalid_metadata', `policy_conflict (§6.1.4.1) at ${LOWER}/default`],
  },
  {
    title: 'two superiors whose one_of have nothing in common',
    anchor: { one_of: ['a', 'b'] },
    lower: { one_of: ['c'] },
    refused: ['invalid_metadata', `policy_conflict (§6.1.4.1) at ${LOWER}/one_of`],
  },
  {
    title: 'an Intermediate that sets a value which the Trust Anchor does not permit',
    anchor: { subset_of: ['a'] },
    lower: { value: ['a', 'b'] },
    refused: ['invalid_metadata', `policy_combination_forbidden (§6.1.3.1) at ${LOWER}/subset_of`],
  },
  {
    title: 'an Intermediate that adds what the Trust Anchor does not permit',
    anchor: { subset_of: ['a'] },
    lower: { add: ['b'] },
    refused: ['invalid_metadata', `policy_combination_forbidden (§6.1.3.1) at ${LOWER}/subset_of`],
  },
  {
    title: 'an Intermediate that removes what the Trust Anchor demands',
    anchor: { essential: true },
    lower: { value: null },
    refused: ['invalid_metadata', `policy_combination_forbidden (§6.1.3.1) at ${LOWER}/essential`],
  },
  {
    title: 'an Intermediate that sets what the Trust Anchor removes',
    anchor: { value: null },
    lower: { default: ['a'] },
    refused: ['invalid_metadata', `policy_combination_forbidden (§6.1.3.1) at ${LOWER}/default`],
  },
  {
    title: 'an Intermediate that would lift what the Trust Anchor demands',
    anchor: { essential: true },
    lower: { essential: false },
    contacts: undefined,
    refused: ['invalid_metadata', `policy_essential_missing (§6.1.3.1.7) at ${METADATA}`],
  },
  {
    title: 'an Intermediate that adds elements of another type than the Trust Anchor',
    anchor: { add: ['a'] },
    lower: { add: [1] },
    refused: ['invalid_metadata', `policy_conflict (§6.1.4.1) at ${LOWER}/add`],
  },
];

const REFUSALS: PolicyCase[] = [
  {
    title: 'a parameter that is essential and missing',
    anchor: { essential: true },
    contacts: undefined,
    refused: ['invalid_metadata', `policy_essential_missing (§6.1.3.1.7) at ${METADATA}`],
  },
  {
    title: 'a parameter that is not one of the values permitted',
    anchor: { one_of: ['a'] },
    contacts: 'b',
    refused: ['invalid_metadata', `policy_value_not_allowed (§6.1.4.2) at ${METADATA}`],
  },
  {
    title: 'a parameter that lacks a value demanded',
    anchor: { superset_of: ['a', 'b'] },
    contacts: ['a'],
    refused: ['invalid_metadata', `policy_value_not_allowed (§6.1.4.2) at ${METADATA}`],
  },
  {
    title: 'a parameter of a type that add does not take',
    lower: { add: ['a'] },
    contacts: { deep: true },
    refused: ['invalid_metadata', `policy_parameter_type_unsupported (§6.1.3.1) at ${METADATA}`],
  },
  {
    title: 'a parameter of a type that subset_of does not take',
    lower: { subset_of: ['true'] },
    contacts: true,
    refused: ['invalid_metadata', `policy_parameter_type_unsupported (§6.1.3.1) at ${METADATA}`],
  },
];

/** A `metadata_policy` or `metadata_policy_crit` of the Immediate Superior that is refused as soon as it is read. */
const MALFORMED: [title: string, claims: Claims, verdict: string, end: string][] = [
  ['default null', one({ default: null }), 'invalid_metadata', operator('default')],
  ['add without a list', one({ add: 'a' }), 'invalid_metadata', operator('add')],
  ['one_of with a list inside', one({ one_of: [['a']] }), 'invalid_metadata', operator('one_of')],
  ['subset_of null', one({ subset_of: null }), 'invalid_metadata', operator('subset_of')],
  ['essential "true"', one({ essential: 'true' }), 'invalid_metadata', operator('essential')],
  ['one_of beside subset_of', one({ one_of: ['a'], subset_of: ['a'] }), 'invalid_metadata', combination('subset_of')],
  [
    'subset_of without what superset_of demands',
    one({ subset_of: ['a'], superset_of: ['b'] }),
    'invalid_metadata',
    combination('superset_of'),
  ],
  [
    'value null of an essential parameter',
    one({ value: null, essential: true }),
    'invalid_metadata',
    combination('essential'),
  ],
  [
    'a policy that is a list',
    { metadata_policy: [] },
    'invalid_metadata',
    'policy_malformed (§6.1.2) at /metadata_policy',
  ],
  [
    'a policy that is null',
    { metadata_policy: null },
    'invalid_metadata',
    'policy_malformed (§6.1.2) at /metadata_policy',
  ],
  [
    'an Entity Type without parameters',
    { metadata_policy: { openid_provider: 'any' } },
    'invalid_metadata',
    'policy_malformed (§6.1.2) at /metadata_policy/openid_provider',
  ],
  [
    'a parameter without operators',
    { metadata_policy: { openid_provider: { contacts: ['a'] } } },
    'invalid_metadata',
    'policy_malformed (§6.1.2) at /metadata_policy/openid_provider/contacts',
  ],
  [
    '[OIDFED-6.1.3.2-1] a critical operator that nobody knows',
    { metadata_policy_crit: ['regexp'] },
    'invalid_trust_chain',
    'policy_crit_unsupported (§6.1.3.2) at /metadata_policy_crit/0',
  ],
  [
    'a critical operator that is named like a property of every object',
    { metadata_policy_crit: ['constructor'] },
    'invalid_trust_chain',
    'policy_crit_unsupported (§6.1.3.2) at /metadata_policy_crit/0',
  ],
  [
    'a critical operator of the standard',
    { metadata_policy_crit: ['value'] },
    'invalid_trust_chain',
    'policy_crit_invalid (§6.1.3.2) at /metadata_policy_crit/0',
  ],
  [
    'an empty list of critical operators',
    { metadata_policy_crit: [] },
    'invalid_trust_chain',
    'policy_crit_invalid (§6.1.3.2) at /metadata_policy_crit',
  ],
  [
    'metadata of a superior with a null inside',
    { metadata: { openid_provider: { contacts: null } } },
    'invalid_metadata',
    `metadata_null (§5) at ${METADATA}`,
  ],
];

describe.each([
  ['policies that conflict', CONFLICTS],
  ['policies that the subject does not comply with', REFUSALS],
] as const)('%s', (_, cases) => {
  it.each(cases)('$title: refused, and resolved over a superior without policy', async (hostile) => {
    const { title, refused } = hostile;
    const entities = entitiesOf(hostile);
    await expectOutcome({ title, entities, outcome: [refused[0], `op lower anchor: ${refused[1]}`] });
    await expectOutcome({ title, entities: withGood(entities), outcome: ['resolved over op good anchor'] });
  });
});

describe('policies that cannot be read', () => {
  it.each(MALFORMED)(
    '%s: refused, and resolved over a superior without policy',
    async (title, claims, verdict, end) => {
      const entities: Record<string, EntitySettings> = {
        anchor: {},
        lower: { superiors: ['anchor'] },
        op: { superiors: { lower: claims }, metadata: provider(['a']) },
      };
      const outcome = [verdict, `op lower: ${end.replace('at /', 'at Subordinate Statement /')}`];
      await expectOutcome({ title, entities, outcome });
      await expectOutcome({ title, entities: withGood(entities), outcome: ['resolved over op good anchor'] });
    },
  );
});

describe('policies that reach too far', () => {
  it.each<[string, Claims, string]>([
    [
      'sets another issuer',
      { metadata_policy: { openid_provider: { issuer: { value: 'https://evil.example' } } } },
      'metadata_invalid (§5) at /metadata/openid_provider/issuer',
    ],
    [
      'removes the issuer',
      { metadata_policy: { openid_provider: { issuer: { value: null } } } },
      'metadata_invalid (§5) at /metadata/openid_provider/issuer',
    ],
    [
      'leaves no way to register',
      { metadata_policy: { openid_provider: { client_registration_types_supported: { value: 'none' } } } },
      'metadata_invalid (§5) at /metadata/openid_provider/client_registration_types_supported',
    ],
    [
      'sets federation keys in metadata',
      { metadata_policy: { federation_entity: { jwks: { value: { keys: [] } } } } },
      'metadata_invalid (§5) at /metadata/federation_entity/jwks',
    ],
  ])('[OIDFED-6.1.4-10] is refused when a superior %s', async (title, claims, end) => {
    const entities: Record<string, EntitySettings> = {
      anchor: {},
      op: { superiors: { anchor: claims }, metadata: provider(['a']) },
    };
    await expectOutcome({ title, entities, outcome: ['invalid_metadata', `op anchor: ${end}`] });
  });
});

describe('policies that are odd and legal', () => {
  it.each<[string, Claims, Claims]>([
    ['value null removes the parameter', one({ value: null }), { contacts: undefined }],
    ['an operator that nobody knows is ignored', one({ regexp: '.*', constructor: 1, toString: [] }), {}],
    ['subset_of may leave nothing', one({ subset_of: [] }), { contacts: [] }],
    ['add repeats nothing', one({ add: ['a', 'a'] }), {}],
    ['an empty policy', { metadata_policy: { openid_provider: {}, nobody: { x: {} } } }, {}],
    [
      'a parameter named like a property of every object',
      { metadata_policy: { openid_provider: { constructor: { default: 'x' } } } },
      { constructor: 'x' },
    ],
    [
      '[OIDFED-6.1.4-9] a policy for an Entity Type that the subject has not',
      { metadata_policy: { openid_relying_party: { contacts: { essential: true } } } },
      {},
    ],
    [
      '[OIDFED-6.1.4-2] metadata of the Immediate Superior',
      { metadata: { openid_provider: { contacts: ['known to lower'] } } },
      { contacts: ['known to lower'] },
    ],
  ])('%s', async (title, claims, expected) => {
    await expectOutcome({
      title,
      entities: {
        anchor: {},
        lower: { superiors: ['anchor'] },
        op: { superiors: { lower: claims }, metadata: provider(['a']) },
      },
      outcome: ['resolved over op lower anchor'],
      inspect: ({ metadata }) => {
        expect(Object.keys(metadata).toSorted()).toEqual(['federation_entity', 'openid_provider']);
        const { client_registration_types_supported: _, issuer: __, ...others } = metadata['openid_provider'] ?? {};
        expect(others).toEqual({ contacts: ['a'], ...expected });
        expect('contacts' in others).toBe(!('contacts' in expected) || expected['contacts'] !== undefined);
      },
    });
  });

  it('[OIDFED-6.1.4-3] superior metadata does not create an Entity Type that the subject has not', async () => {
    const metadata = { openid_relying_party: { client_name: 'made up' }, openid_provider: { contacts: ['b'] } };
    await expectOutcome({
      title: 'superior metadata',
      entities: { anchor: {}, op: { superiors: { anchor: { metadata } }, metadata: provider(['a']) } },
      outcome: ['resolved over op anchor'],
      inspect: ({ metadata: resolved }) => {
        expect(Object.keys(resolved).toSorted()).toEqual(['federation_entity', 'openid_provider']);
        expect(resolved['openid_provider']?.['contacts']).toEqual(['b']);
      },
    });
  });

  it('a policy of 5,000 parameters in each of two statements', async () => {
    const parameters = Object.fromEntries(
      Array.from({ length: 5000 }, (_, index) => [`p${index}`, { add: [1], essential: true }]),
    );
    const policy = { metadata_policy: { openid_provider: parameters } };
    await expectOutcome({
      title: 'a large policy',
      entities: {
        anchor: {},
        lower: { superiors: { anchor: policy } },
        op: { superiors: { lower: policy }, metadata: provider(['a']) },
      },
      outcome: ['resolved over op lower anchor'],
      inspect: ({ metadata }) => expect(metadata['openid_provider']?.['p4999']).toEqual([1]),
    });
  });
});

function provider(contacts: unknown): (issuer: string) => Record<string, object> {
  return (issuer) => ({ openid_provider: { issuer, client_registration_types_supported: ['automatic'], contacts } });
}

/** Claims with a policy for the one parameter of these tests. */
function one(operators: object): Claims {
  return { metadata_policy: { openid_provider: { contacts: operators } } };
}

function operator(name: string): string {
  return `policy_operator_value_invalid (§6.1.3.1) at /metadata_policy/openid_provider/contacts/${name}`;
}

function combination(name: string): string {
  return `policy_combination_forbidden (§6.1.3.1) at /metadata_policy/openid_provider/contacts/${name}`;
}

function entitiesOf(hostile: PolicyCase): Record<string, EntitySettings> {
  const { anchor = {}, lower = {} } = hostile;
  const contacts = 'contacts' in hostile ? hostile.contacts : ['a'];
  return {
    anchor: {},
    lower: { superiors: { anchor: one(anchor) } },
    op: { superiors: { lower: one(lower) }, metadata: provider(contacts) },
  };
}

/** The same with a second superior, named last. */
function withGood({ op, ...entities }: Record<string, EntitySettings>): Record<string, EntitySettings> {
  const superiors = { ...(op?.superiors as Record<string, Claims>), good: {} };
  return { ...entities, good: { superiors: ['anchor'] }, op: { ...op, superiors } };
}
