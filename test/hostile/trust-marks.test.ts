import { describe, expect, it } from 'vitest';
import { TYP } from '../../src/federation/media-types.ts';
import { type Claims, type EntitySettings, NOW } from '../support/federation.ts';
import { expectOutcome } from '../support/hostile-federation.ts';
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
import { AUDITED, bear, entry, MEMBER, recognise, statusUrl, trustMark } from '../support/trust-marks.ts';

const claim = (title: string, claims: Claims, refused: string): BadMark => ({ title, tampering: { claims }, refused });
const header = (title: string, parameters: Claims, refused: string): BadMark => ({
  title,
  tampering: { header: parameters },
  refused,
});

const FOREIGN: BadMark[] = [
  {
    title: '[OIDFED-17.5-1] of an issuer that the Trust Anchor does not list for its type',
    mark: ({ federation }) => trustMark(federation, 'owner', 'op'),
    refused: 'trust_mark_issuer_not_trusted (§17.5) at /iss',
  },
  {
    title: '[OIDFED-17.5-1] of a type that the Trust Anchor does not list',
    type: `${MEMBER}/`,
    refused: 'trust_mark_type_unrecognised (§17.5) at /trust_mark_type',
  },
  {
    title: 'of a type that is the name of something in every object',
    type: 'constructor',
    refused: 'trust_mark_type_unrecognised (§17.5) at /trust_mark_type',
  },
  {
    title: '[OIDFED-3.1.2-6] of a type that its bearer and its issuer list, but not the Trust Anchor',
    recognised: { issuers: { [MEMBER]: ['good'] } },
    tamper: ({ federation }) => {
      for (const name of ['op', 'issuer']) {
        const entity = federation.entity(name);
        entity.claims = { ...entity.claims, trust_mark_issuers: { [MEMBER]: [federation.id('issuer')] } };
      }
    },
    refused: 'trust_mark_issuer_not_trusted (§17.5) at /iss',
  },
  {
    title: 'that its bearer gave itself',
    mark: ({ federation }) => trustMark(federation, 'op', 'op'),
    refused: 'trust_mark_issuer_not_trusted (§17.5) at /iss',
  },
  {
    title: '[OIDFED-7.3-3] that was given to another entity',
    mark: ({ federation }) => trustMark(federation, 'issuer', 'good'),
    refused: 'subject_mismatch (§7.3) at /sub',
  },
  claim('[OIDFED-7.3-4] that has expired', { exp: NOW - 31 }, 'trust_mark_expired (§7.3) at /exp'),
  claim('that only the leeway lets pass', { exp: NOW - 29 }, 'trust_mark_expired (§7.3) at /exp'),
  claim('that ends now', { exp: NOW }, 'trust_mark_expired (§7.3) at /exp'),
  claim('[OIDFED-7.3-4] from the future', { iat: NOW + 31 }, 'trust_mark_not_yet_valid (§7.3) at /iat'),
];

const BROKEN: BadMark[] = [
  { title: 'that is no JWT', mark: async () => 'mark', refused: 'jwt_malformed (§7.3)' },
  { title: 'of three parts that are none', mark: async () => 'a.b.c', refused: 'jwt_malformed (§7.3) at header' },
  claim(
    '[OIDFED-3.2-12] without a type inside',
    { trust_mark_type: undefined },
    'claim_missing (§7.1) at /trust_mark_type',
  ),
  claim('with a type inside that is a list', { trust_mark_type: [MEMBER] }, 'claim_invalid (§7.1) at /trust_mark_type'),
  claim('without a time of issue', { iat: undefined }, 'claim_missing (§7.1) at /iat'),
  claim('with a time that is text', { exp: String(NOW + 60) }, 'claim_invalid (§7.1) at /exp'),
  claim('without a bearer', { sub: undefined }, 'claim_missing (§7.1) at /sub'),
  claim('without an issuer', { iss: undefined }, 'claim_missing (§7.1) at /iss'),
  claim('by somebody without an Entity Identifier', { iss: 'issuer' }, 'entity_identifier_invalid (§7.1) at /iss'),
  claim('with a logo that is a script', { logo_uri: 'javascript:alert(1)' }, 'claim_invalid (§7.1) at /logo_uri'),
  {
    title: '[OIDFED-7.3-2] that is not signed: alg none',
    tampering: { header: { alg: 'none' }, ...unsigned },
    refused: 'alg_not_allowed (§7.3) at header/alg',
  },
  { title: 'whose signature was cut off', tampering: unsigned, refused: 'jwt_malformed (§7.3)' },
  header('that says HS256', { alg: 'HS256' }, 'alg_not_allowed (§7.3) at header/alg'),
  header(
    '[OIDFED-7.3-2] with the typ of a statement',
    { typ: TYP.entityStatement },
    'typ_invalid (§7.3) at header/typ',
  ),
  header('[OIDFED-7.3-2] with no typ', { typ: undefined }, 'typ_invalid (§7.3) at header/typ'),
  header('with no kid', { kid: undefined }, 'kid_missing (§7.3) at header/kid'),
  header('with critical extensions', { crit: ['exp'] }, 'header_parameter_forbidden (§7.3) at header/crit'),
  {
    title: '[OIDFED-7.3-5] signed by a key that is not its issuer’s',
    tampering: async () => ({ key: await stranger() }),
    refused: 'key_not_found (§7.3) at header/kid',
  },
  {
    title: '[OIDFED-7.3-5] signed by another key under the kid of its issuer',
    mark: async ({ federation }) => {
      const kid = federation.entity('issuer').keys[0]?.kid;
      return await trustMark(federation, 'issuer', 'op', MEMBER, { key: await stranger(), header: { kid } });
    },
    refused: 'signature_invalid (§7.3) at header/kid',
  },
  {
    title: 'that its bearer signed in the name of its issuer, with the key in the header',
    mark: ({ federation }) => {
      const [key] = federation.entity('op').keys;
      return trustMark(federation, 'issuer', 'op', MEMBER, { key, header: { jwk: key?.jwk } });
    },
    refused: 'key_not_found (§7.3) at header/kid',
  },
];

describe('a Trust Mark that is left out', () => {
  it.each([...FOREIGN, ...BROKEN])('$title', (bad) => expectLeftOut(bad));
});

/** An Entity Configuration must list objects with a type and a mark (§3.1.2): else none of it counts. */
const MALFORMED: [title: string, marks: unknown, refused: string][] = [
  ['no list', {}, 'claim_invalid (§3.1.1) at Entity Configuration /trust_marks'],
  ['a mark without a type', [{ trust_mark: 'e.e.e' }], `claim_missing (§3.1.1) at Entity Configuration ${FIRST}_type`],
  ['a type without a mark', [{ trust_mark_type: MEMBER }], `claim_missing (§3.1.1) at Entity Configuration ${FIRST}`],
];

describe('an Entity Configuration with', () => {
  it.each(MALFORMED)('[OIDFED-3.1.2-4] %s is refused', async (title, marks, refused) => {
    await expectOutcome({
      title,
      entities: { ...ENTITIES, op: { superiors: ['anchor'], claims: { trust_marks: marks } } },
      outcome: ['invalid_trust_chain', `op: ${refused}`],
    });
  });

  it('[OIDFED-3.2-12] a mark that is shown as one of another type is refused', async () => {
    await expectOutcome({
      title: 'a mark of another type',
      entities: ENTITIES,
      tamper: async ({ federation }) =>
        bear(federation, 'op', entry(await trustMark(federation, 'good', 'op'), AUDITED)),
      outcome: ['invalid_trust_chain', `op: trust_mark_type_mismatch (§3.2) at Entity Configuration ${FIRST}_type`],
    });
  });

  it('a mark of 200 KB is refused for its size', async () => {
    const claims = { filler: 'x'.repeat(200 * 1024) };
    await expectOutcome({
      title: 'a huge mark',
      entities: ENTITIES,
      tamper: async ({ federation }) => {
        bear(federation, 'op', entry(await trustMark(federation, 'good', 'op', MEMBER, { claims })));
      },
      outcome: ['invalid_trust_chain', 'op: response_too_large (§18.1) at Entity Configuration'],
    });
  });
});

/** The smallest JWT that an Entity Configuration may show as a mark of the type. */
function dwarf(type: string): string {
  return `e30.${Buffer.from(JSON.stringify({ trust_mark_type: type })).toString('base64url')}.AA`;
}

describe('more Trust Marks than anybody needs', () => {
  it('1,000 in one configuration: the first 32 are looked at, the others cost nothing', async () => {
    await expectOutcome({
      title: '1,000 marks',
      entities: ENTITIES,
      tamper: async ({ federation }) => {
        recognise(federation, RECOGNISED);
        const good = entry(await trustMark(federation, 'good', 'op'));
        const junk = Array.from({ length: 998 }, (_, index) => entry(dwarf(`t${index}`), `t${index}`));
        bear(federation, 'op', good, ...junk, good);
      },
      outcome: [
        'resolved over op anchor',
        'mark by good',
        '31 left out: typ_invalid (§7.3)',
        '968 left out: budget_exhausted (§18.1)',
      ],
      inspect: (_, server) => expect(server.requestCount(server.configurationUrl('good'))).toBe(1),
    });
  });

  it('1,000 that are real: the configuration is refused for its size', async () => {
    await expectOutcome({
      title: '1,000 real marks',
      entities: ENTITIES,
      tamper: async ({ federation }) => {
        const mark = entry(await trustMark(federation, 'good', 'op'));
        bear(federation, 'op', ...Array.from({ length: 1000 }, () => mark));
      },
      outcome: ['invalid_trust_chain', 'op: response_too_large (§18.1) at Entity Configuration'],
    });
  });

  it('by thirty issuers: the first 16 are resolved', async () => {
    const issuers = Array.from({ length: 30 }, (_, index) => `issuer${index}`);
    await expectOutcome({
      title: 'thirty issuers',
      entities: { anchor: {}, op: { superiors: ['anchor'] }, ...below('anchor', issuers) },
      tamper: async ({ federation }) => {
        recognise(federation, { issuers: { [MEMBER]: issuers } });
        const marks = issuers.map(async (issuer) => entry(await trustMark(federation, issuer, 'op')));
        bear(federation, 'op', ...(await Promise.all(marks)));
      },
      outcome: [
        'resolved over op anchor',
        ...issuers.slice(0, 16).map((issuer) => `mark by ${issuer}`),
        '14 left out: budget_exhausted (§18.1)',
      ],
    });
  });

  it('whose status nobody answers for, before a good one of another host', async () => {
    const marks = Array.from({ length: 24 }, (_, index) => ({ jti: String(index) }));
    await expectOutcome({
      title: 'silent status endpoints',
      entities: ASKED,
      server: { hosts: true },
      limits: { timeoutMs: TIMEOUT_MS },
      tamper: async (server) => {
        const { federation } = server;
        recognise(federation, RECOGNISED);
        server.override(statusUrl(server, 'issuer'), { neverAnswers: true });
        const silent = marks.map(async (claims) =>
          entry(await trustMark(federation, 'issuer', 'op', MEMBER, { claims })),
        );
        bear(federation, 'op', ...(await Promise.all(silent)), entry(await trustMark(federation, 'good', 'op')));
      },
      outcome: ['resolved over op anchor', 'mark by good', '24 left out: timed_out (§10.5)'],
    });
  });
});

function below(superior: string, names: readonly string[]): Record<string, EntitySettings> {
  return Object.fromEntries(names.map((name) => [name, { superiors: [superior] }]));
}
