import { describe, expect, it } from 'vitest';
import { validateTrustMark } from '../../../src/federation/trust-mark/validate-trust-mark.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { type Tampering, testKey, withPart } from '../../support/keys.ts';
import {
  AUDITED,
  configurationOf,
  delegation,
  entry,
  MEMBER,
  NOBODY,
  recognise,
  trustMark,
  verdictOf,
} from '../../support/trust-marks.ts';

const OPEN = 'https://anchor.example/marks/open';
const federation = await buildFederation({
  anchor: {},
  issuer: { superiors: ['anchor'] },
  rsa: { superiors: ['anchor'], alg: 'PS256' },
  owner: { superiors: ['anchor'] },
  op: { superiors: ['anchor'] },
});
recognise(federation, {
  issuers: { [MEMBER]: ['issuer', 'rsa'], [AUDITED]: ['issuer', 'owner'], [OPEN]: [] },
  owners: { [AUDITED]: 'owner' },
});
const trustAnchor = await configurationOf(federation, 'anchor');
const context = { bearer: federation.id('op'), trustAnchor, now: NOW, issuerKeys: federation.jwks('issuer') };
const stranger = await testKey('ES256', 99);
const permission = await delegation(federation, 'owner', 'issuer');

function judged(
  tampering: Tampering = {},
  { type = MEMBER, shownAs = type, ...options }: { type?: string; shownAs?: string; furtherTyps?: string[] } = {},
): Promise<string> {
  return verdictOf(async () => {
    const mark = await trustMark(federation, 'issuer', 'op', type, tampering);
    return validateTrustMark(entry(mark, shownAs), { ...context, ...options });
  });
}

describe('a Trust Mark', () => {
  it.each<[string, string, Tampering]>([
    ['OIDFED-7.3-2', 'as it should be', {}],
    ['OIDFED-7.3-2', 'with claims that nobody knows', { claims: { note: { a: [null] }, 'logo_uri#sv': 1 } }],
    ['OIDFED-7.3-4', 'without exp', { claims: { exp: undefined } }],
    ['OIDFED-7.3-4', 'issued half a minute ahead of our clock', { claims: { iat: NOW + 30 } }],
    ['OIDFED-7.3-4', 'that ended within the leeway', { claims: { exp: NOW - 29 } }],
    ['OIDFED-7.3-4', 'with fractions of a second', { claims: { iat: NOW - 0.5, exp: NOW + 0.5 } }],
    [
      'OIDFED-7.3-2',
      'with logo and reference',
      { claims: { logo_uri: 'https://a.example/l.png?v=1', ref: 'HTTPS://a.example/r#s' } },
    ],
  ])('[%s] is accepted %s', async (_id, _what, tampering) => {
    expect(await judged(tampering)).toBe('accepted');
  });

  it('[OIDFED-7.3-5] is verified with the algorithm of the key that kid names', async () => {
    const mark = await trustMark(federation, 'rsa', 'op');
    const keys = [...federation.jwks('issuer').keys, ...federation.jwks('rsa').keys];
    const { mark: parsed } = await validateTrustMark(entry(mark), { ...context, issuerKeys: { keys } });
    expect(parsed.header.alg).toBe('PS256');
    expect(await verdictOf(() => validateTrustMark(entry(mark), context))).toBe('key_not_found at header/kid (7.3)');
  });

  it('[OIDFED-7.3-4] lasts until the first end of mark and delegation, or for ever', async () => {
    const expiry = async (claims: object, type = MEMBER): Promise<unknown> => {
      const mark = await trustMark(federation, 'issuer', 'op', type, { claims: { ...claims } });
      return (await validateTrustMark(entry(mark, type), context)).expiresAt;
    };
    const endless = await delegation(federation, 'owner', 'issuer', AUDITED, { claims: { exp: undefined } });
    const brief = await delegation(federation, 'owner', 'issuer', AUDITED, { claims: { exp: NOW + 7 } });
    expect(await expiry({ exp: NOW + 60 })).toBe(NOW + 60);
    expect(await expiry({ exp: undefined })).toBeUndefined();
    expect(await expiry({ exp: NOW + 60, delegation: endless }, AUDITED)).toBe(NOW + 60);
    expect(await expiry({ exp: undefined, delegation: endless }, AUDITED)).toBeUndefined();
    expect(await expiry({ exp: undefined, delegation: brief }, AUDITED)).toBe(NOW + 7);
    expect(await expiry({ exp: NOW + 60, delegation: brief }, AUDITED)).toBe(NOW + 7);
  });

  it.each<[string, string, Tampering, string]>([
    ['OIDFED-7.3-2', 'no typ', { header: { typ: undefined } }, 'typ_invalid at header/typ (7.3)'],
    ['OIDFED-7.3-2', 'the typ JWT', { header: { typ: 'JWT' } }, 'typ_invalid at header/typ (7.3)'],
    ['OIDFED-7.3-2', 'a typ in capitals', { header: { typ: 'Trust-Mark+jwt' } }, 'typ_invalid at header/typ (7.3)'],
    [
      'OIDFED-7.3-2',
      'the long form of its typ',
      { header: { typ: 'application/trust-mark+jwt' } },
      'typ_invalid at header/typ (7.3)',
    ],
    [
      'OIDFED-7.3-2',
      'the typ of a statement',
      { header: { typ: 'entity-statement+jwt' } },
      'typ_invalid at header/typ (7.3)',
    ],
    ['OIDFED-7.3-2', 'an array as typ', { header: { typ: ['trust-mark+jwt'] } }, 'typ_invalid at header/typ (7.3)'],
    [
      'OIDFED-7.3-2',
      'alg none',
      { header: { alg: 'none' }, signature: () => new Uint8Array() },
      'alg_not_allowed at header/alg (7.3)',
    ],
    ['OIDFED-7.3-2', 'alg HS256', { header: { alg: 'HS256' } }, 'alg_not_allowed at header/alg (7.3)'],
    ['OIDFED-7.3-2', 'no alg', { header: { alg: undefined } }, 'alg_not_allowed at header/alg (7.3)'],
    [
      'OIDFED-7.3-2',
      'a critical header',
      { header: { crit: ['b64'], b64: false } },
      'header_parameter_forbidden at header/crit (7.3)',
    ],
    ['OIDFED-7.3-5', 'no kid', { header: { kid: undefined } }, 'kid_missing at header/kid (7.3)'],
    ['OIDFED-7.3-5', 'a kid that the issuer does not have', { key: stranger }, 'key_not_found at header/kid (7.3)'],
    [
      'OIDFED-7.3-5',
      "a stranger's signature under the issuer's kid",
      { key: stranger, header: { kid: federation.jwks('issuer').keys[0]?.kid } },
      'signature_invalid at header/kid (7.3)',
    ],
    [
      'OIDFED-7.3-5',
      "another algorithm than its key's",
      { header: { alg: 'RS256' } },
      'key_unsuitable at header/kid (7.3)',
    ],
    [
      'OIDFED-7.3-5',
      'a signature cut short',
      { signature: (_input, regular) => regular.slice(0, 63) },
      'signature_invalid at header/kid (7.3)',
    ],
    ['OIDFED-7.3-3', 'another sub', { claims: { sub: NOBODY } }, 'subject_mismatch at /sub (7.3)'],
    [
      'OIDFED-7.3-3',
      'a slash after its sub',
      { claims: { sub: 'https://op.example/' } },
      'subject_mismatch at /sub (7.3)',
    ],
    ['OIDFED-7.3-3', 'no sub', { claims: { sub: undefined } }, 'claim_missing at /sub (7.1)'],
    [
      'OIDFED-7.3-3',
      'a sub that is no identifier',
      { claims: { sub: 'op' } },
      'entity_identifier_invalid at /sub (7.1)',
    ],
    ['OIDFED-7.3-2', 'no iss', { claims: { iss: undefined } }, 'claim_missing at /iss (7.1)'],
    ['OIDFED-7.3-2', 'null as iss', { claims: { iss: null } }, 'entity_identifier_invalid at /iss (7.1)'],
    ['OIDFED-7.3-2', 'no type', { claims: { trust_mark_type: undefined } }, 'claim_missing at /trust_mark_type (7.1)'],
    ['OIDFED-7.3-2', 'types', { claims: { trust_mark_type: [MEMBER] } }, 'claim_invalid at /trust_mark_type (7.1)'],
    ['OIDFED-7.3-2', 'an empty type', { claims: { trust_mark_type: '' } }, 'claim_invalid at /trust_mark_type (7.1)'],
    [
      'OIDFED-7.3-2',
      'another type than the one shown',
      { claims: { trust_mark_type: AUDITED } },
      'trust_mark_type_mismatch at /trust_mark_type (3.2)',
    ],
    ['OIDFED-7.3-4', 'no iat', { claims: { iat: undefined } }, 'claim_missing at /iat (7.1)'],
    ['OIDFED-7.3-4', 'text as iat', { claims: { iat: String(NOW) } }, 'claim_invalid at /iat (7.1)'],
    ['OIDFED-7.3-4', 'an iat to come', { claims: { iat: NOW + 31 } }, 'trust_mark_not_yet_valid at /iat (7.3)'],
    ['OIDFED-7.3-4', 'a past exp', { claims: { exp: NOW - 30 } }, 'trust_mark_expired at /exp (7.3)'],
    ['OIDFED-7.3-4', 'exp 0', { claims: { exp: 0 } }, 'trust_mark_expired at /exp (7.3)'],
    ['OIDFED-7.3-4', 'null as exp', { claims: { exp: null } }, 'claim_invalid at /exp (7.1)'],
    ['OIDFED-7.3-4', 'a negative exp', { claims: { exp: -1 } }, 'claim_invalid at /exp (7.1)'],
    [
      'OIDFED-7.3-2',
      'a logo of no web',
      { claims: { logo_uri: 'javascript:alert(1)' } },
      'claim_invalid at /logo_uri (7.1)',
    ],
    ['OIDFED-7.3-2', 'a relative logo', { claims: { logo_uri: '/logo.png' } }, 'claim_invalid at /logo_uri (7.1)'],
    ['OIDFED-7.3-2', 'user info in ref', { claims: { ref: 'https://a@b.example' } }, 'claim_invalid at /ref (7.1)'],
    ['OIDFED-7.3-2', 'a number as ref', { claims: { ref: 1 } }, 'claim_invalid at /ref (7.1)'],
    ['OIDFED-7.3-7', 'null as delegation', { claims: { delegation: null } }, 'claim_invalid at /delegation (7.1)'],
    ['OIDFED-7.3-7', 'an object as delegation', { claims: { delegation: {} } }, 'claim_invalid at /delegation (7.1)'],
    [
      'OIDFED-7.2.2-4',
      'a delegation although its type has no owner',
      { claims: { delegation: permission } },
      'trust_mark_owner_unknown at /delegation (7.2.2)',
    ],
    [
      'OIDFED-17.5-1',
      'an issuer that the Trust Anchor does not list',
      { claims: { iss: 'https://owner.example' } },
      'trust_mark_issuer_not_trusted at /iss (17.5)',
    ],
    [
      'OIDFED-7.3-2',
      'a claim twice',
      { payloadText: (json) => json.replace('{', '{"iat":1,') },
      'json_duplicate_member at  (7.3)',
    ],
    ['OIDFED-7.3-2', 'an array as payload', { payloadText: () => '[]' }, 'jwt_malformed at  (7.3)'],
    [
      'OIDFED-7.3-2',
      'a payload that is not UTF-8',
      { payloadText: () => Uint8Array.of(0xff) },
      'jwt_malformed at  (7.3)',
    ],
  ])('[%s] is refused with %s', async (_id, _what, tampering, expected) => {
    expect(await judged(tampering)).toBe(expected);
  });

  it('[OIDFED-7.3-2] is refused when it is no signed JWT at all', async () => {
    const mark = await trustMark(federation, 'issuer', 'op');
    const broken = ['', 'abc', 'a.b', `${mark}.`, `${mark} `, mark.slice(0, mark.lastIndexOf('.')), `${mark}=`];
    for (const jwt of [...broken, withPart(mark, 0, () => 'e30')]) {
      expect(await verdictOf(() => validateTrustMark(entry(jwt), context))).toMatch(
        /^(?:jwt_malformed at |typ_invalid at header\/typ) ?\(7\.3\)$/,
      );
    }
  });
});

describe('the typ of a framework', () => {
  const tampering = { header: { typ: 'wallet-trust-mark+jwt' } };

  it('[OIDFED-7-3] is accepted from the configured list only', async () => {
    expect(await judged(tampering)).toBe('typ_invalid at header/typ (7.3)');
    expect(await judged(tampering, { furtherTyps: [] })).toBe('typ_invalid at header/typ (7.3)');
    expect(await judged(tampering, { furtherTyps: ['other+jwt'] })).toBe('typ_invalid at header/typ (7.3)');
    expect(await judged(tampering, { furtherTyps: ['Wallet-trust-mark+jwt'] })).toBe('typ_invalid at header/typ (7.3)');
    expect(await judged(tampering, { furtherTyps: ['other+jwt', 'wallet-trust-mark+jwt'] })).toBe('accepted');
  });

  it('[OIDFED-7-3] stands beside the regular one', async () => {
    expect(await judged({}, { furtherTyps: ['wallet-trust-mark+jwt'] })).toBe('accepted');
  });

  it('[OIDFED-7-3] is never that of another kind of JWT, whatever is configured', async () => {
    for (const typ of ['entity-statement+jwt', 'trust-mark-delegation+jwt', 'trust-mark-status-response+jwt']) {
      expect(await judged({ header: { typ } }, { furtherTyps: [typ] })).toBe('typ_invalid at header/typ (7.3)');
    }
  });
});

describe('a mark of a type with an owner', () => {
  it('[OIDFED-7.3-6] needs a delegation', async () => {
    const type = AUDITED;
    expect(await judged({}, { type })).toBe('trust_mark_delegation_missing at /delegation (7.3)');
    expect(await judged({ claims: { delegation: permission } }, { type })).toBe('accepted');
  });

  it('[OIDFED-7.3-6] needs one even from the owner to itself', async () => {
    const issuerKeys = federation.jwks('owner');
    const without = await trustMark(federation, 'owner', 'op', AUDITED);
    const toItself = await delegation(federation, 'owner', 'owner');
    const withIt = await trustMark(federation, 'owner', 'op', AUDITED, { claims: { delegation: toItself } });
    const judge = (jwt: string) => verdictOf(() => validateTrustMark(entry(jwt, AUDITED), { ...context, issuerKeys }));
    expect(await judge(without)).toBe('trust_mark_delegation_missing at /delegation (7.3)');
    expect(await judge(withIt)).toBe('accepted');
  });

  it('[OIDFED-7.3-7] is refused with a broken delegation, and nothing helps a delegation that need not be there', async () => {
    const broken = permission.slice(0, -4);
    expect(await judged({ claims: { delegation: broken } }, { type: AUDITED })).toMatch(
      /^\w+ at \/delegation.*7\.2\.2/,
    );
    expect(await judged({ claims: { delegation: broken } }, { type: OPEN })).toBe(
      'trust_mark_owner_unknown at /delegation (7.2.2)',
    );
  });
});
