/** Federations of an odd or hostile shape: what becomes of a resolution in each, over real HTTP. @see OIDFED §10.1, §17.1 */
import { describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../src/federation/identifiers.ts';
import type { EntitySettings } from '../support/federation.ts';
import type { FederationServer } from '../support/federation-server.ts';
import { expectOutcome, type HostileCase } from '../support/hostile-federation.ts';

const STATEMENT = { 'Content-Type': 'application/entity-statement+jwt' };
const HINTS = 'Entity Configuration /authority_hints';
/** Port 1 of this machine, where nobody listens. */
const DEAD = Array.from({ length: 40 }, (_, index) => `http://127.0.0.1:1/dead${index}`);
/** As many as fit into a statement of the greatest size: each is three characters long and on this machine. */
const TEN_THOUSAND = Array.from(
  { length: 10_000 },
  (_, index) => `http://127.1/${index.toString(36).padStart(3, '0')}`,
);

const LOOPS: HostileCase[] = [
  {
    title: '[OIDFED-10.1-4] a subject that is its own only superior',
    entities: { anchor: {}, op: { superiors: ['op'] } },
    outcome: ['invalid_trust_chain', `op op: trust_chain_loop (§10.1) at ${HINTS}/0`],
  },
  {
    title: '[OIDFED-10.1-4] a loop of two above the subject',
    entities: { anchor: {}, a: { superiors: ['b'] }, b: { superiors: ['a'] }, op: { superiors: ['a'] } },
    outcome: ['invalid_trust_chain', `op a b a: trust_chain_loop (§10.1) at ${HINTS}/0`],
  },
  {
    title: 'a loop of three that passes the subject again',
    entities: { anchor: {}, a: { superiors: ['b'] }, b: { superiors: ['op'] }, op: { superiors: ['a'] } },
    outcome: ['invalid_trust_chain', `op a b op: trust_chain_loop (§10.1) at ${HINTS}/0`],
  },
  {
    title: 'loops of one, two and three beside a good superior, which is named last',
    entities: {
      anchor: {},
      self: { superiors: ['self'] },
      a: { superiors: ['b'] },
      b: { superiors: ['a', 'op'] },
      good: { superiors: ['anchor', 'op', 'good'] },
      op: { superiors: ['op', 'self', 'a', 'good'] },
    },
    outcome: ['resolved over op good anchor'],
  },
  {
    title: 'a Trust Anchor that names its own subordinates as superiors',
    entities: {
      anchor: { superiors: ['lower', 'op'] },
      lower: { superiors: ['anchor'] },
      op: { superiors: ['lower'] },
    },
    outcome: ['resolved over op lower anchor'],
  },
  {
    title: '[OIDFED-10.1-6] two Trust Anchors that vouch for each other',
    entities: {
      anchor: { superiors: ['other'] },
      other: { superiors: ['anchor'] },
      lower: { superiors: ['other'] },
      op: { superiors: ['lower'] },
    },
    anchors: ['anchor', 'other'],
    outcome: ['resolved over op lower other'],
  },
];

const SHAPES: HostileCase[] = [
  {
    title: '[OIDFED-10.1-3] a diamond: each configuration and statement is asked for once',
    entities: {
      anchor: {},
      join: { superiors: ['anchor'] },
      left: { superiors: ['join'] },
      right: { superiors: ['join'] },
      op: { superiors: ['left', 'right'] },
    },
    outcome: ['resolved over op left join anchor'],
    inspect: (_, { requests }) => expect(new Set(requests.map(({ url }) => url)).size).toBe(requests.length),
  },
  {
    title: 'forty dead superiors before a good one',
    entities: { anchor: {}, good: { superiors: ['anchor'] }, op: { superiors: [...DEAD, 'good'] } },
    outcome: ['resolved over op good anchor'],
  },
  {
    title: 'forty superiors that publish nothing, before a good one',
    entities: (boundless) => ({
      anchor: {},
      good: { superiors: ['anchor'] },
      op: { superiors: [...DEAD.map((_, index) => `${boundless}/${index}`), 'good'] },
    }),
    outcome: ['resolved over op good anchor'],
  },
  {
    title: 'ten Intermediates above each other',
    entities: tower(10),
    outcome: ['resolved over op i1 i2 i3 i4 i5 i6 i7 i8 i9 i10 anchor'],
  },
  {
    title: 'more Intermediates above each other than a chain may have',
    entities: tower(13),
    outcome: [
      'temporarily_unavailable',
      `op i1 i2 i3 i4 i5 i6 i7 i8 i9 i10 i11 i12: budget_exhausted (§18.1) at ${HINTS}`,
    ],
  },
  {
    title: 'six superiors side by side, each below an Intermediate of its own',
    entities: {
      anchor: {},
      ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`upper${n}`, { superiors: ['anchor'] }])),
      ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`lower${n}`, { superiors: [`upper${n}`] }])),
      op: { superiors: [1, 2, 3, 4, 5, 6].map((n) => `lower${n}`) },
    },
    outcome: ['resolved over op lower1 upper1 anchor'],
  },
];

const BOUNDLESS: HostileCase[] = [
  {
    title: 'a superior that names 10,000 others',
    entities: { anchor: {}, greedy: { superiors: TEN_THOUSAND }, op: { superiors: ['greedy'] } },
    outcome: [
      'temporarily_unavailable',
      '64 ways: connection_failed (§10.5) at Entity Configuration',
      `op greedy: budget_exhausted (§18.1) at ${HINTS}/64`,
    ],
  },
  {
    title: 'a superior that names 10,000 others, before a good one',
    entities: {
      anchor: {},
      greedy: { superiors: TEN_THOUSAND },
      good: { superiors: ['anchor'] },
      op: { superiors: ['greedy', 'good'] },
    },
    outcome: ['resolved over op good anchor'],
  },
  {
    title: 'a superior that names so many others that its configuration is too large',
    entities: {
      anchor: {},
      greedy: { superiors: TEN_THOUSAND.map((hint) => `${hint}/and/so/on`) },
      op: { superiors: ['greedy'] },
    },
    outcome: ['invalid_trust_chain', 'op greedy: response_too_large (§18.1) at Entity Configuration'],
  },
  {
    title: '[OIDFED-18.1-1] a chain of ever new superiors',
    entities: (boundless) => ({ anchor: {}, op: { superiors: [`${boundless}/1`] } }),
    boundless: (name) => [String(Number(name) + 1)],
    outcome: [
      'temporarily_unavailable',
      `op ${Array.from({ length: 12 }, (_, index) => `boundless/${index + 1}`).join(' ')}: budget_exhausted (§18.1) at ${HINTS}`,
    ],
  },
  {
    title: 'a chain of ever new superiors, before a good one',
    entities: (boundless) => ({
      anchor: {},
      good: { superiors: ['anchor'] },
      op: { superiors: [`${boundless}/1`, 'good'] },
    }),
    boundless: (name) => [String(Number(name) + 1)],
    outcome: ['resolved over op good anchor'],
  },
  {
    title: '[OIDFED-18.1-1] superiors that name sixty new ones each',
    entities: (boundless) => ({ anchor: {}, op: { superiors: [`${boundless}/x`] } }),
    boundless: (name) => Array.from({ length: 60 }, (_, index) => `${name}-${index}`),
    limits: { budget: { maxStatements: 100 } },
    outcome: [
      'temporarily_unavailable',
      '1000 ways: budget_exhausted (§18.1) at Entity Configuration',
      // There are more than are listed.
      'op: budget_exhausted (§18.1)',
    ],
  },
  {
    title: 'five superiors that name sixty new ones each, before a good one',
    entities: (boundless) => ({
      anchor: {},
      good: { superiors: ['anchor'] },
      op: { superiors: [...['v', 'w', 'x', 'y', 'z'].map((name) => `${boundless}/${name}`), 'good'] },
    }),
    boundless: (name) => Array.from({ length: 60 }, (_, index) => `${name}-${index}`),
    outcome: ['resolved over op good anchor'],
  },
  {
    title: 'superiors that name sixty new ones and the Trust Anchor, and vouch for anybody, before a good one',
    entities: (boundless) => ({
      anchor: {},
      good: { superiors: ['anchor'] },
      op: { superiors: [`${boundless}/x`, `${boundless}/y`, 'good'] },
    }),
    boundless: (name, id) => [id('anchor'), ...Array.from({ length: 60 }, (_, index) => `${name}-${index}`)],
    outcome: ['resolved over op good anchor'],
  },
  {
    title: 'entities that all name each other and the Trust Anchor, which knows one of them',
    entities: {
      anchor: {},
      ...Object.fromEntries(
        crowd(20).map((name) => [name, { superiors: crowd(20).filter((other) => other !== name) }]),
      ),
      good: { superiors: ['anchor', ...crowd(20)] },
      op: { superiors: [...crowd(20), 'good'] },
    },
    limits: { timeoutMs: 10_000 },
    outcome: ['resolved over op good anchor'],
  },
];

const IDENTITIES: HostileCase[] = [
  {
    title: '[OIDFED-9-2] a hint that differs from the superior by a trailing slash',
    ...respelt((anchor) => `${anchor}/`),
    outcome: [
      'invalid_trust_chain',
      'op http://127.0.0.1:port/anchor/: subject_mismatch (§3.2) at Entity Configuration /sub',
    ],
  },
  {
    title: 'a hint that differs from the superior by the case of its scheme',
    ...respelt((anchor) => anchor.replace('http:', 'HTTP:')),
    outcome: [
      'invalid_trust_chain',
      'op HTTP://127.0.0.1:port/anchor: subject_mismatch (§3.2) at Entity Configuration /sub',
    ],
  },
  {
    title: 'a hint that differs from the superior by the case of its path',
    ...respelt((anchor) => anchor.replace('/anchor', '/Anchor')),
    outcome: ['invalid_trust_chain', 'op http://127.0.0.1:port/Anchor: entity_not_found (§9) at Entity Configuration'],
  },
  {
    title: 'a hint that differs from the superior by a zero before its port',
    ...respelt((anchor) => anchor.replace('127.0.0.1:', '127.0.0.1:0')),
    outcome: [
      'invalid_trust_chain',
      'op http://127.0.0.1:0port/anchor: subject_mismatch (§3.2) at Entity Configuration /sub',
    ],
  },
  {
    title: 'a hint that differs from the superior by the spelling of its address',
    ...respelt((anchor) => anchor.replace('127.0.0.1', '0x7f.1')),
    outcome: [
      'invalid_trust_chain',
      'op http://0x7f.1:port/anchor: subject_mismatch (§3.2) at Entity Configuration /sub',
    ],
  },
  {
    title: 'two authorities on one host, of which the other one knows the subject',
    entities: {
      anchor: {},
      first: { superiors: ['anchor'] },
      second: { superiors: ['anchor'] },
      another: { superiors: ['first'] },
      op: { superiors: ['second'] },
    },
    tamper: ({ federation }) => hint(federation, federation.id('first')),
    outcome: ['invalid_trust_chain', 'op first: subject_not_active (§8.1) at Subordinate Statement'],
  },
  {
    title: 'two authorities on one host, of which one names the fetch endpoint of the other',
    entities: {
      anchor: {},
      first: { superiors: ['anchor'] },
      second: { superiors: ['anchor'] },
      op: { superiors: ['first', 'second'] },
    },
    tamper: ({ federation }) => {
      const { fetch } = federation.endpoints('second');
      federation.entity('first').metadata = { federation_entity: { federation_fetch_endpoint: fetch } };
    },
    outcome: ['resolved over op second anchor'],
  },
  {
    title: 'an authority whose only fetch endpoint is that of another',
    entities: {
      anchor: {},
      first: { superiors: ['anchor'] },
      second: { superiors: ['anchor'] },
      op: { superiors: ['first'] },
    },
    tamper: async (server) => {
      const { federation } = server;
      const { fetch } = federation.endpoints('second');
      federation.entity('first').metadata = { federation_entity: { federation_fetch_endpoint: fetch } };
      server.override(fetch, {
        status: 200,
        headers: STATEMENT,
        body: await federation.subordinateStatement('second', 'op'),
      });
    },
    outcome: ['invalid_trust_chain', 'op first: issuer_mismatch (§3.2) at Subordinate Statement /iss'],
  },
];

describe.each([
  ['loops', LOOPS],
  ['shapes', SHAPES],
  ['graphs without end', BOUNDLESS],
  ['identifiers that look alike', IDENTITIES],
] as const)('%s', (_, cases) => {
  it.each(cases)('$title', (hostile) => expectOutcome(hostile));
});

/** Intermediates i1 to i<height> above each other, the subject below and the Trust Anchor above. */
function tower(height: number): Record<string, EntitySettings> {
  const levels = ['op', ...Array.from({ length: height }, (_, index) => `i${index + 1}`), 'anchor'];
  return Object.fromEntries(
    levels.map((name, index) => {
      const superior = levels[index + 1];
      return [name, superior === undefined ? {} : { superiors: [superior] }];
    }),
  );
}

function crowd(size: number): string[] {
  return Array.from({ length: size }, (_, index) => `n${index}`);
}

function hint(federation: FederationServer['federation'], ...hints: string[]): void {
  federation.entity('op').claims = { authority_hints: hints as EntityIdentifier[] };
}

/** A subject whose hint spells the Trust Anchor otherwise. */
function respelt(spell: (anchor: string) => string): Pick<HostileCase, 'entities' | 'tamper'> {
  return {
    entities: { anchor: {}, op: { superiors: ['anchor'] } },
    tamper: ({ federation }) => hint(federation, spell(federation.id('anchor'))),
  };
}
