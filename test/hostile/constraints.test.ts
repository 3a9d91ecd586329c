/** Constraints that forbid a chain, and those that cannot be read, over real HTTP. @see OIDFED §6.2 */
import { describe, expect, it } from 'vitest';
import type { Claims, EntitySettings } from '../support/federation.ts';
import { expectOutcome } from '../support/hostile-federation.ts';

/** A chain of hosts `<name>.localhost` from `op.corp` up to `anchor`, with constraints in some of its statements. */
interface ConstrainedChain {
  title: string;
  /** Names of the Intermediates, the lowest first. */
  intermediates?: string[];
  /** Constraints by the issuer of the statement. */
  constraints: Record<string, unknown>;
  /** What becomes of it: `accepted`, or reason, section and place. */
  outcome: string;
}

const LENGTHS: ConstrainedChain[] = [
  {
    title: '[OIDFED-6.2.1-3] max_path_length 0 above no Intermediate',
    constraints: { anchor: { max_path_length: 0 } },
    outcome: 'accepted',
  },
  {
    title: '[OIDFED-6.2.1-2] max_path_length 0 above one Intermediate',
    intermediates: ['lower.corp'],
    constraints: { anchor: { max_path_length: 0 } },
    outcome: 'max_path_length_exceeded (§6.2.1) at ES[2] /constraints/max_path_length',
  },
  {
    title: '[OIDFED-6.2.1-2] max_path_length 1 above one Intermediate',
    intermediates: ['lower.corp'],
    constraints: { anchor: { max_path_length: 1 } },
    outcome: 'accepted',
  },
  {
    title: '[OIDFED-6.2.1-2] max_path_length 1 above two Intermediates',
    intermediates: ['lower.corp', 'upper.corp'],
    constraints: { anchor: { max_path_length: 1 } },
    outcome: 'max_path_length_exceeded (§6.2.1) at ES[3] /constraints/max_path_length',
  },
  {
    title: '[OIDFED-6.2.1-2] an Intermediate with a smaller max_path_length than the Trust Anchor',
    intermediates: ['lower.corp', 'upper.corp'],
    constraints: { anchor: { max_path_length: 5 }, 'upper.corp': { max_path_length: 0 } },
    outcome: 'max_path_length_exceeded (§6.2.1) at ES[2] /constraints/max_path_length',
  },
  {
    title: '[OIDFED-6.2.1-2] an Intermediate with a greater max_path_length than the Trust Anchor',
    intermediates: ['lower.corp', 'upper.corp'],
    constraints: { anchor: { max_path_length: 1 }, 'upper.corp': { max_path_length: 9 } },
    outcome: 'max_path_length_exceeded (§6.2.1) at ES[3] /constraints/max_path_length',
  },
  {
    title: 'max_path_length 0 of the Immediate Superior',
    intermediates: ['lower.corp', 'upper.corp'],
    constraints: { 'lower.corp': { max_path_length: 0 } },
    outcome: 'accepted',
  },
];

const NAMES: ConstrainedChain[] = [
  {
    title: '[OIDFED-6.2.2-4] a permitted domain that holds subject and Intermediate',
    intermediates: ['lower.corp'],
    constraints: { anchor: { naming_constraints: { permitted: ['.corp.localhost'] } } },
    outcome: 'accepted',
  },
  {
    title: '[OIDFED-6.2.2-4] a permitted domain that holds the subject, not the Intermediate',
    intermediates: ['lower.other'],
    constraints: { anchor: { naming_constraints: { permitted: ['.corp.localhost'] } } },
    outcome: 'naming_constraint_violated (§6.2.2) at ES[2] /constraints/naming_constraints/permitted',
  },
  {
    title: 'a permitted host',
    constraints: { anchor: { naming_constraints: { permitted: ['OP.corp.localhost.'] } } },
    outcome: 'accepted',
  },
  {
    title: '[OIDFED-6.2.2-2] a permitted host that is the domain of the subject, not the subject',
    constraints: { anchor: { naming_constraints: { permitted: ['corp.localhost'] } } },
    outcome: 'naming_constraint_violated (§6.2.2) at ES[1] /constraints/naming_constraints/permitted',
  },
  {
    title: 'a permitted domain that the name of the subject ends with, without a dot between',
    constraints: { anchor: { naming_constraints: { permitted: ['.p.corp.localhost'] } } },
    outcome: 'naming_constraint_violated (§6.2.2) at ES[1] /constraints/naming_constraints/permitted',
  },
  {
    title: '[OIDFED-6.2.2-7] no permitted name at all',
    constraints: { anchor: { naming_constraints: { permitted: [] } } },
    outcome: 'naming_constraint_violated (§6.2.2) at ES[1] /constraints/naming_constraints/permitted',
  },
  {
    title: '[OIDFED-6.2.2-3] an excluded domain inside a permitted one',
    constraints: {
      anchor: { naming_constraints: { permitted: ['.localhost'], excluded: ['.no.localhost', '.corp.localhost'] } },
    },
    outcome: 'naming_constraint_violated (§6.2.2) at ES[1] /constraints/naming_constraints/excluded/1',
  },
  {
    title: '[OIDFED-6.2.2-6] an excluded host in other letters',
    constraints: { anchor: { naming_constraints: { excluded: ['Op.Corp.LocalHost'] } } },
    outcome: 'naming_constraint_violated (§6.2.2) at ES[1] /constraints/naming_constraints/excluded/0',
  },
  {
    title: 'an excluded domain that is the name of the Intermediate itself, whose subdomains alone it excludes',
    intermediates: ['corp'],
    constraints: { anchor: { naming_constraints: { excluded: ['.lower.corp.localhost', '.op.corp.localhost'] } } },
    outcome: 'accepted',
  },
  {
    title: 'an Intermediate that permits what the Trust Anchor excludes',
    intermediates: ['lower.other'],
    constraints: {
      anchor: { naming_constraints: { excluded: ['.corp.localhost'] } },
      'lower.other': { naming_constraints: { permitted: ['.corp.localhost'] } },
    },
    outcome: 'naming_constraint_violated (§6.2.2) at ES[2] /constraints/naming_constraints/excluded/0',
  },
  {
    title: '[OIDFED-6.2.2-4] an Intermediate that excludes itself, which its constraints do not concern',
    intermediates: ['lower.other'],
    constraints: { 'lower.other': { naming_constraints: { excluded: ['.other.localhost'] } } },
    outcome: 'accepted',
  },
];

/** Each is refused at the place after its constraints. */
const MALFORMED: [title: string, constraints: unknown, at: string][] = [
  ['null', null, ''],
  ['a list', [], ''],
  ['[OIDFED-6.2.1-1] max_path_length -1', { max_path_length: -1 }, '/max_path_length'],
  ['max_path_length 0.5', { max_path_length: 0.5 }, '/max_path_length'],
  ['max_path_length "0"', { max_path_length: '0' }, '/max_path_length'],
  ['max_path_length null', { max_path_length: null }, '/max_path_length'],
  ['max_path_length beyond all integers', { max_path_length: 2 ** 53 }, '/max_path_length'],
  ['naming_constraints that are a list', { naming_constraints: ['.corp.localhost'] }, '/naming_constraints'],
  [
    'a permitted name that is no list',
    { naming_constraints: { permitted: 'a.example' } },
    '/naming_constraints/permitted',
  ],
  ['an excluded URL', { naming_constraints: { excluded: ['https://a.example'] } }, '/naming_constraints/excluded/0'],
  ['an excluded port', { naming_constraints: { excluded: ['a.example:443'] } }, '/naming_constraints/excluded/0'],
  ['a permitted address', { naming_constraints: { permitted: ['127.0.0.1'] } }, '/naming_constraints/permitted/0'],
  ['a permitted wildcard', { naming_constraints: { permitted: ['*.a.example'] } }, '/naming_constraints/permitted/0'],
  ['allowed_entity_types that are a string', { allowed_entity_types: 'openid_provider' }, '/allowed_entity_types'],
  ['an allowed Entity Type 1', { allowed_entity_types: [1] }, '/allowed_entity_types/0'],
  [
    '[OIDFED-6.2.3-3] federation_entity among the allowed Entity Types',
    { allowed_entity_types: ['federation_entity'] },
    '/allowed_entity_types/0',
  ],
];

describe.each([
  ['path lengths', LENGTHS],
  ['names', NAMES],
] as const)('%s', (_, chains) => {
  it.each(chains)('$title: $outcome', async ({ title, intermediates = [], constraints, outcome }) => {
    const way = ['op.corp', ...intermediates, 'anchor'];
    await expectOutcome({
      title,
      entities: entitiesOf(way, constraints),
      subject: 'op.corp',
      server: { hosts: true },
      outcome:
        outcome === 'accepted'
          ? [`resolved over ${way.join(' ')}`]
          : ['invalid_trust_chain', `${way.join(' ')}: ${outcome}`],
    });
  });

  it.each(chains)(
    '$title, beside a superior without constraints',
    async ({ title, intermediates = [], constraints, outcome }) => {
      const way = ['op.corp', ...intermediates, 'anchor'];
      const entities = entitiesOf(way, constraints);
      const superiors = { ...(entities['op.corp']?.superiors as Record<string, Claims>), 'good.corp': {} };
      await expectOutcome({
        title,
        entities: { ...entities, 'good.corp': { superiors: ['anchor'] }, 'op.corp': { superiors } },
        subject: 'op.corp',
        server: { hosts: true },
        outcome: [`resolved over ${outcome === 'accepted' ? way.join(' ') : 'op.corp good.corp anchor'}`],
      });
    },
  );
});

describe('constraints that cannot be read', () => {
  it.each(MALFORMED)('%s', async (title, constraints, at) => {
    const entities = entitiesOf(['op', 'evil', 'anchor'], { evil: constraints });
    await expectOutcome({
      title,
      entities,
      outcome: [
        'invalid_trust_chain',
        `op evil: constraints_malformed (§6.2) at Subordinate Statement /constraints${at}`,
      ],
    });
    const op: EntitySettings = { superiors: { ...(entities['op']?.superiors as Record<string, Claims>), good: {} } };
    await expectOutcome({
      title,
      entities: { ...entities, good: { superiors: ['anchor'] }, op },
      outcome: ['resolved over op good anchor'],
    });
  });

  it('ignores constraints that nobody knows, and empty ones', async () => {
    await expectOutcome({
      title: 'unknown constraints',
      entities: entitiesOf(['op', 'lower', 'anchor'], { anchor: {}, lower: { max_age: -1, naming_constraints: {} } }),
      outcome: ['resolved over op lower anchor'],
    });
  });

  it('[OIDFED-6.2.2-5] refuses any name constraint on a host that is an address', async () => {
    await expectOutcome({
      title: 'an address',
      entities: entitiesOf(['op', 'anchor'], { anchor: { naming_constraints: { excluded: ['.corp.localhost'] } } }),
      outcome: [
        'invalid_trust_chain',
        'op anchor: naming_constraint_violated (§6.2.2) at ES[1] /constraints/naming_constraints',
      ],
    });
  });
});

describe('Entity Types', () => {
  const metadata = (issuer: string): Record<string, object> => ({
    openid_provider: { issuer, client_registration_types_supported: ['automatic'] },
    oauth_resource: { resource: issuer },
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ['[OIDFED-6.2.3-4] none but federation_entity', { anchor: { allowed_entity_types: [] } }, []],
    ['one', { anchor: { allowed_entity_types: ['oauth_resource'] } }, ['oauth_resource']],
    [
      '[OIDFED-6.2.3-5] those that every superior allows',
      { anchor: { allowed_entity_types: ['oauth_resource'] }, lower: { allowed_entity_types: ['openid_provider'] } },
      [],
    ],
    [
      'all when a superior allows more than there are',
      { lower: { allowed_entity_types: ['oauth_resource', 'openid_provider', 'unknown'] } },
      ['openid_provider', 'oauth_resource'],
    ],
  ])('allows %s, and resolves all the same', async (title, constraints, left) => {
    const entities = entitiesOf(['op', 'lower', 'anchor'], constraints);
    await expectOutcome({
      title,
      entities: { ...entities, op: { ...entities['op'], metadata } },
      outcome: ['resolved over op lower anchor'],
      inspect: (resolved) =>
        expect(Object.keys(resolved.metadata).toSorted()).toEqual([...left, 'federation_entity'].toSorted()),
    });
  });
});

/** Entities on one way up, each superior with its constraints on what is below. */
function entitiesOf(way: readonly string[], constraints: Record<string, unknown>): Record<string, EntitySettings> {
  return Object.fromEntries(
    way.map((name, index): [string, EntitySettings] => {
      const superior = way[index + 1];
      if (superior === undefined) return [name, {}];
      return [
        name,
        { superiors: { [superior]: superior in constraints ? { constraints: constraints[superior] } : {} } },
      ];
    }),
  );
}
