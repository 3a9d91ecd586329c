import { describe, expect, it } from 'vitest';
import { TYP } from '../../src/federation/media-types.ts';
import { LIFETIME_SECONDS, NOW } from '../support/federation.ts';
import type { FederationServer } from '../support/federation-server.ts';
import { expectOutcome, type HostileCase } from '../support/hostile-federation.ts';
import {
  ASKED,
  type BadMark,
  ENTITIES,
  expectLeftOut,
  FIRST,
  RECOGNISED,
  stranger,
  TIMEOUT_MS,
  unsigned,
} from '../support/hostile-trust-marks.ts';
import type { Tampering } from '../support/keys.ts';
import {
  AUDITED,
  bear,
  delegation,
  entry,
  MEMBER,
  recognise,
  serveStatus,
  statusAnswer,
  trustMark,
} from '../support/trust-marks.ts';

const UNRESOLVED = 'trust_mark_issuer_unresolved (§7.3) at /iss';

/** Issuers that the Trust Anchor lists, and that have no valid chain to it. */
const ISSUERS: BadMark[] = [
  {
    title: '[OIDFED-7.3-1] has no superior',
    entities: { ...ENTITIES, issuer: {} },
    refused: UNRESOLVED,
  },
  {
    title: '[OIDFED-7.3-1] belongs to another federation',
    entities: { ...ENTITIES, elsewhere: {}, issuer: { superiors: ['elsewhere'] } },
    refused: UNRESOLVED,
  },
  {
    title: '[OIDFED-7.3-1] is no longer vouched for',
    tamper: (server) => server.override(server.fetchUrl('anchor', 'issuer'), { status: 404 }),
    refused: UNRESOLVED,
  },
  {
    title: '[OIDFED-7.3-1] has an expired statement above it',
    entities: { ...ENTITIES, issuer: { superiors: { anchor: { exp: NOW - 31 } } } },
    refused: UNRESOLVED,
  },
  {
    title: 'has a statement above it that only the leeway lets pass',
    entities: { ...ENTITIES, issuer: { superiors: { anchor: { exp: NOW - 29 } } } },
    refused: 'trust_mark_expired (§7.3) at /iss',
  },
  {
    title: '[OIDFED-7.3-1] has keys that its superior does not state',
    tamper: async ({ federation }) => {
      const jwks = { keys: [(await stranger()).jwk] };
      federation.entity('issuer').superiors = new Map([['anchor', { jwks }]]);
    },
    refused: UNRESOLVED,
  },
  {
    title: '[OIDFED-7.3-1] stands below a constraint that excludes it',
    tamper: ({ federation }) => {
      const constraints = { max_path_length: 0 };
      federation.entity('issuer').superiors = new Map([['good', {}]]);
      federation.entity('good').superiors = new Map([['anchor', { constraints }]]);
    },
    refused: UNRESOLVED,
  },
  {
    title: 'loops: its superiors are each other’s only superiors',
    entities: {
      ...ENTITIES,
      issuer: { superiors: ['left'] },
      left: { superiors: ['right'] },
      right: { superiors: ['left'] },
    },
    refused: UNRESOLVED,
  },
  {
    title: 'publishes a configuration of somebody else',
    tamper: async (server) => {
      const body = await server.federation.configuration('good');
      server.override(server.configurationUrl('issuer'), { body });
    },
    refused: UNRESOLVED,
  },
  {
    title: 'publishes nothing',
    tamper: (server) => server.override(server.configurationUrl('issuer'), { status: 404 }),
    refused: UNRESOLVED,
  },
  {
    title: 'fails',
    tamper: (server) => server.override(server.configurationUrl('issuer'), { status: 500 }),
    refused: UNRESOLVED,
  },
  {
    title: 'never answers',
    limits: { timeoutMs: TIMEOUT_MS },
    tamper: (server) => server.override(server.configurationUrl('issuer'), { neverAnswers: true }),
    refused: UNRESOLVED,
  },
];

/** A mark of the type that has an owner, with this delegation. */
const delegated = (title: string, tampering: Tampering, refused: string): BadMark => ({
  title,
  type: AUDITED,
  mark: async ({ federation }) =>
    withDelegation(federation, await delegation(federation, 'owner', 'issuer', AUDITED, tampering)),
  refused,
});

function withDelegation(federation: FederationServer['federation'], jwt: unknown, type = AUDITED): Promise<string> {
  return trustMark(federation, 'issuer', 'op', type, { claims: { delegation: jwt } });
}

const DELEGATIONS: BadMark[] = [
  {
    title: '[OIDFED-7.3-6] no delegation',
    type: AUDITED,
    refused: 'trust_mark_delegation_missing (§7.3) at /delegation',
  },
  {
    title: '[OIDFED-7.2.2-4] a delegation for a type that has no owner',
    mark: async ({ federation }) =>
      withDelegation(federation, await delegation(federation, 'owner', 'issuer', MEMBER), MEMBER),
    refused: 'trust_mark_owner_unknown (§7.2.2) at /delegation',
  },
  {
    title: '[OIDFED-7.3-7] a delegation that is no JWT',
    type: AUDITED,
    mark: ({ federation }) => withDelegation(federation, 'yes'),
    refused: 'jwt_malformed (§7.2.2) at /delegation',
  },
  {
    title: '[OIDFED-7.3-7] a delegation that is no text',
    type: AUDITED,
    mark: ({ federation }) => withDelegation(federation, { iss: 'owner' }),
    refused: 'claim_invalid (§7.1) at /delegation',
  },
  delegated(
    '[OIDFED-7.2.2-1] a delegation that has expired',
    { claims: { exp: NOW - 31 } },
    'trust_mark_expired (§7.2.2) at /delegation /exp',
  ),
  delegated(
    'a delegation that only the leeway lets pass',
    { claims: { exp: NOW - 29 } },
    'trust_mark_expired (§7.3) at /delegation /exp',
  ),
  delegated(
    '[OIDFED-7.2.2-1] a delegation from the future',
    { claims: { iat: NOW + 31 } },
    'trust_mark_not_yet_valid (§7.2.2) at /delegation /iat',
  ),
  delegated(
    '[OIDFED-7.2.2-1] a delegation with the typ of a mark',
    { header: { typ: TYP.trustMark } },
    'typ_invalid (§7.2.2) at /delegation header/typ',
  ),
  delegated(
    '[OIDFED-7.2.2-1] a delegation that nobody signed',
    { header: { alg: 'none' }, ...unsigned },
    'alg_not_allowed (§7.2.2) at /delegation header/alg',
  ),
  delegated(
    '[OIDFED-7.2.2-2] a delegation of another type',
    { claims: { trust_mark_type: MEMBER } },
    'trust_mark_type_mismatch (§7.2.2) at /delegation /trust_mark_type',
  ),
  {
    title: '[OIDFED-7.2.2-2] a delegation to another issuer',
    type: AUDITED,
    mark: async ({ federation }) => withDelegation(federation, await delegation(federation, 'owner', 'good')),
    refused: 'subject_mismatch (§7.2.2) at /delegation /sub',
  },
  {
    title: '[OIDFED-7.2.2-2] a delegation by somebody who does not own the type',
    type: AUDITED,
    mark: async ({ federation }) => withDelegation(federation, await delegation(federation, 'good', 'issuer')),
    refused: 'issuer_mismatch (§7.2.2) at /delegation /iss',
  },
  {
    title: '[OIDFED-7.2.2-2] a delegation that the issuer gave itself',
    type: AUDITED,
    mark: async ({ federation }) => withDelegation(federation, await delegation(federation, 'issuer', 'issuer')),
    refused: 'issuer_mismatch (§7.2.2) at /delegation /iss',
  },
  {
    title: '[OIDFED-7.2.2-3] a delegation by a key that its owner publishes and the Trust Anchor does not list',
    type: AUDITED,
    mark: async ({ federation }) => {
      federation.entity('owner').keys = [await stranger()];
      return withDelegation(federation, await delegation(federation, 'owner', 'issuer'));
    },
    refused: 'key_not_found (§7.2.2) at /delegation header/kid',
  },
];

describe('a Trust Mark whose issuer', () => {
  it.each(ISSUERS)('$title is left out', (bad) => expectLeftOut(bad));
});

describe('a Trust Mark with', () => {
  it.each(DELEGATIONS)('$title is left out', (bad) => expectLeftOut(bad));
});

/** Marks that look odd and count. */
const ODD: (Pick<HostileCase, 'title' | 'tamper' | 'inspect'> & Partial<HostileCase> & { marks?: string[] })[] = [
  {
    title: 'that its bearer gave itself, which the Trust Anchor lists',
    tamper: async ({ federation }) => {
      recognise(federation, { issuers: { [MEMBER]: ['op'] } });
      bear(federation, 'op', entry(await trustMark(federation, 'op', 'op')));
    },
    marks: ['mark by op'],
  },
  {
    title: '[OIDFED-17.5-1] of a type that anybody may issue, by somebody with a chain and by somebody without',
    tamper: async ({ federation }) => {
      recognise(federation, { issuers: { [MEMBER]: [] } });
      const issuers = ['issuer', 'owner'].map(async (issuer) => entry(await trustMark(federation, issuer, 'op')));
      bear(federation, 'op', ...(await Promise.all(issuers)));
    },
    marks: ['mark by issuer', `left out: trust_mark_issuer_unresolved (§7.3) at ${FIRST.replace('0', '1')} /iss`],
  },
  {
    title: 'of two issuers that bear the marks of each other, and of the bearer',
    tamper: async ({ federation }) => {
      const names = ['issuer', 'good', 'op'];
      recognise(federation, { issuers: { [MEMBER]: names } });
      for (const bearer of names) {
        const marks = names.map(async (issuer) => entry(await trustMark(federation, issuer, bearer)));
        bear(federation, bearer, ...(await Promise.all(marks)));
      }
    },
    marks: ['mark by issuer', 'mark by good', 'mark by op'],
  },
  {
    title: 'of an issuer that stands below its bearer',
    entities: { ...ENTITIES, issuer: { superiors: ['op'] } },
    tamper: async ({ federation }) => {
      recognise(federation, RECOGNISED);
      bear(federation, 'op', entry(await trustMark(federation, 'issuer', 'op')));
    },
    marks: ['mark by issuer'],
  },
  {
    title: 'of an issuer with a looping superior beside the good one',
    entities: { ...ENTITIES, loop: { superiors: ['issuer'] }, issuer: { superiors: ['loop', 'anchor'] } },
    tamper: async ({ federation }) => {
      recognise(federation, RECOGNISED);
      bear(federation, 'op', entry(await trustMark(federation, 'issuer', 'op')));
    },
    marks: ['mark by issuer'],
  },
  {
    title: 'that are one mark twice',
    tamper: async ({ federation }) => {
      recognise(federation, RECOGNISED);
      const mark = entry(await trustMark(federation, 'issuer', 'op'));
      bear(federation, 'op', mark, mark);
    },
    marks: ['mark by issuer', 'mark by issuer'],
  },
  {
    title: '[OIDFED-7.3-4] that never expires',
    tamper: async ({ federation }) => {
      recognise(federation, RECOGNISED);
      bear(
        federation,
        'op',
        entry(await trustMark(federation, 'issuer', 'op', MEMBER, { claims: { exp: undefined } })),
      );
    },
    marks: ['mark by issuer'],
    inspect: ({ expiresAt }) => expect(expiresAt).toBe(NOW + LIFETIME_SECONDS),
  },
  {
    title: 'whose delegation ends before it, and its issuer’s chain before that of its bearer',
    entities: { ...ENTITIES, good: { superiors: { anchor: { exp: NOW + 200 } } } },
    tamper: async ({ federation }) => {
      recognise(federation, RECOGNISED);
      const short = await delegation(federation, 'owner', 'issuer', AUDITED, { claims: { exp: NOW + 300 } });
      const marks = [
        entry(await withDelegation(federation, short), AUDITED),
        entry(await trustMark(federation, 'good', 'op')),
      ];
      bear(federation, 'op', ...marks);
    },
    marks: ['mark by issuer', 'mark by good'],
    inspect: ({ expiresAt, trustMarks }) => {
      expect(trustMarks.map((mark) => mark.expiresAt)).toEqual([NOW + 300, NOW + 200]);
      expect(expiresAt).toBe(NOW + 200);
    },
  },
];

describe('a Trust Mark whose issuer has superiors without end', () => {
  it('is left out, and costs no other mark its chain', async () => {
    await expectOutcome({
      title: 'an issuer with superiors without end',
      entities: (boundless) => ({
        ...ENTITIES,
        issuer: { superiors: [`${boundless}/0`] },
        upper: { superiors: ['anchor'] },
        lower: { superiors: ['upper'] },
        good: { superiors: ['lower'] },
      }),
      boundless: (name) => Array.from({ length: 60 }, (_, index) => `${name}-${index}`),
      tamper: async ({ federation }) => {
        recognise(federation, RECOGNISED);
        const marks = ['issuer', 'good'].map(async (issuer) => entry(await trustMark(federation, issuer, 'op')));
        bear(federation, 'op', ...(await Promise.all(marks)));
      },
      outcome: ['resolved over op anchor', 'mark by good', `left out: ${UNRESOLVED.replace('at', `at ${FIRST}`)}`],
    });
  });
});

describe('odd Trust Marks that count: one', () => {
  it.each(ODD)('$title', async ({ marks = [], ...odd }) => {
    await expectOutcome({ entities: ENTITIES, outcome: ['resolved over op anchor', ...marks], ...odd });
  });

  it('[OIDFED-7.3-8] of 20 KB, whose status is asked with all of it', async () => {
    const claims = { filler: 'x'.repeat(20 * 1024) };
    let form = '';
    await expectOutcome({
      title: 'a large mark',
      entities: ASKED,
      tamper: async (server) => {
        const { federation } = server;
        recognise(federation, RECOGNISED);
        bear(federation, 'op', entry(await trustMark(federation, 'issuer', 'op', MEMBER, { claims })));
        serveStatus(server, 'issuer', async (mark) => {
          form = mark;
          return { body: await statusAnswer(federation, 'issuer', mark) };
        });
      },
      outcome: ['resolved over op anchor', 'mark by issuer'],
      inspect: ({ trustMarks }) => expect(trustMarks.map(({ trust_mark }) => trust_mark)).toEqual([form]),
    });
    expect(form.length).toBeGreaterThan(16 * 1024);
  });
});
