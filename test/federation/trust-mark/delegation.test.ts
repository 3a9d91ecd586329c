import { describe, expect, it } from 'vitest';
import { validateDelegation } from '../../../src/federation/trust-mark/delegation.ts';
import { parseTrustMark } from '../../../src/federation/trust-mark/trust-mark.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { type Tampering, testKey } from '../../support/keys.ts';
import {
  AUDITED,
  configurationOf,
  delegation,
  MEMBER,
  NOBODY,
  recognise,
  trustMark,
  verdictOf,
} from '../../support/trust-marks.ts';

const federation = await buildFederation({
  anchor: {},
  owner: { superiors: ['anchor'] },
  issuer: { superiors: ['anchor'] },
  op: { superiors: ['anchor'] },
});
recognise(federation, { issuers: { [AUDITED]: ['issuer'] }, owners: { [AUDITED]: 'owner' } });
const trustAnchor = await configurationOf(federation, 'anchor');
const stranger = await testKey('ES256', 99);

async function validated(jwt: string) {
  const mark = parseTrustMark(await trustMark(federation, 'issuer', 'op', AUDITED, { claims: { delegation: jwt } }));
  return await validateDelegation(mark, trustAnchor, { now: NOW });
}

function judged(tampering: Tampering = {}): Promise<string> {
  return verdictOf(async () => validated(await delegation(federation, 'owner', 'issuer', AUDITED, tampering)));
}

describe('a delegation', () => {
  it('[OIDFED-7.2.2-1] gives its claims when it is as it should be', async () => {
    const jwt = await delegation(federation, 'owner', 'issuer');
    expect(await validated(jwt)).toMatchObject({
      jwt,
      claims: { iss: federation.id('owner'), sub: federation.id('issuer'), trust_mark_type: AUDITED },
    });
  });

  it.each<[string, Tampering]>([
    ['without exp', { claims: { exp: undefined } }],
    ['with a reference and claims that nobody knows', { claims: { ref: 'https://owner.example/audits', note: 1 } }],
    ['issued half a minute ahead of our clock', { claims: { iat: NOW + 30 } }],
    ['that ended within the leeway', { claims: { exp: NOW - 29 } }],
  ])('[OIDFED-7.2.2-1] is accepted %s', async (_what, tampering) => {
    expect(await judged(tampering)).toBe('accepted');
  });

  it.each<[string, string, Tampering, string]>([
    ['OIDFED-7.2.2-1', 'no typ', { header: { typ: undefined } }, 'typ_invalid at /delegation header/typ (7.2.2)'],
    [
      'OIDFED-7.2.2-1',
      'the typ of a mark',
      { header: { typ: 'trust-mark+jwt' } },
      'typ_invalid at /delegation header/typ (7.2.2)',
    ],
    [
      'OIDFED-7.2.2-1',
      'alg none',
      { header: { alg: 'none' }, signature: () => new Uint8Array() },
      'alg_not_allowed at /delegation header/alg (7.2.2)',
    ],
    ['OIDFED-7.2.2-1', 'no iat', { claims: { iat: undefined } }, 'claim_missing at /delegation /iat (7.2.1)'],
    [
      'OIDFED-7.2.2-1',
      'an iat to come',
      { claims: { iat: NOW + 31 } },
      'trust_mark_not_yet_valid at /delegation /iat (7.2.2)',
    ],
    ['OIDFED-7.2.2-1', 'a past exp', { claims: { exp: NOW - 30 } }, 'trust_mark_expired at /delegation /exp (7.2.2)'],
    ['OIDFED-7.2.2-1', 'text as exp', { claims: { exp: '9' } }, 'claim_invalid at /delegation /exp (7.2.1)'],
    [
      'OIDFED-7.2.2-1',
      'no web address as ref',
      { claims: { ref: 'data:,a' } },
      'claim_invalid at /delegation /ref (7.2.1)',
    ],
    ['OIDFED-7.2.2-2', 'another sub', { claims: { sub: NOBODY } }, 'subject_mismatch at /delegation /sub (7.2.2)'],
    [
      'OIDFED-7.2.2-2',
      'the bearer of the mark as sub',
      { claims: { sub: 'https://op.example' } },
      'subject_mismatch at /delegation /sub (7.2.2)',
    ],
    ['OIDFED-7.2.2-2', 'no sub', { claims: { sub: undefined } }, 'claim_missing at /delegation /sub (7.2.1)'],
    ['OIDFED-7.2.2-2', 'another iss', { claims: { iss: NOBODY } }, 'issuer_mismatch at /delegation /iss (7.2.2)'],
    [
      'OIDFED-7.2.2-2',
      'another type',
      { claims: { trust_mark_type: MEMBER } },
      'trust_mark_type_mismatch at /delegation /trust_mark_type (7.2.2)',
    ],
    [
      'OIDFED-7.2.2-2',
      'no type',
      { claims: { trust_mark_type: undefined } },
      'claim_missing at /delegation /trust_mark_type (7.2.1)',
    ],
    ['OIDFED-7.2.2-3', 'no kid', { header: { kid: undefined } }, 'kid_missing at /delegation header/kid (7.2.2)'],
    ['OIDFED-7.2.2-3', 'a kid of nobody', { key: stranger }, 'key_not_found at /delegation header/kid (7.2.2)'],
    [
      'OIDFED-7.2.2-3',
      "a stranger's signature under the owner's kid",
      { key: stranger, header: { kid: federation.jwks('owner').keys[0]?.kid } },
      'signature_invalid at /delegation header/kid (7.2.2)',
    ],
  ])('[%s] is refused with %s', async (_id, _what, tampering, expected) => {
    expect(await judged(tampering)).toBe(expected);
  });

  it('[OIDFED-7.2.2-3] that the issuer signed in the name of the owner is refused', async () => {
    const [key] = federation.entity('issuer').keys;
    expect(await judged({ key })).toBe('key_not_found at /delegation header/kid (7.2.2)');
  });

  it('[OIDFED-7.2.2-3] is verified with the keys that the Trust Anchor states, not with those that the owner has now', async () => {
    const owner = federation.entity('owner');
    const [before] = owner.keys;
    owner.keys = [await testKey('ES256', 50)];
    try {
      expect(await judged()).toBe('key_not_found at /delegation header/kid (7.2.2)');
      expect(await judged({ key: before })).toBe('accepted');
    } finally {
      owner.keys = before === undefined ? [] : [before];
    }
  });

  it('[OIDFED-7.2.2-4] for a type that the Trust Anchor names no owner of is invalid', async () => {
    const jwt = await delegation(federation, 'owner', 'issuer', MEMBER);
    const mark = parseTrustMark(await trustMark(federation, 'issuer', 'op', MEMBER, { claims: { delegation: jwt } }));
    expect(await verdictOf(() => validateDelegation(mark, trustAnchor, { now: NOW }))).toBe(
      'trust_mark_owner_unknown at /delegation (7.2.2)',
    );
  });

  it('[OIDFED-7.3-6] is missed only where the type has an owner', async () => {
    const [owned, free] = await Promise.all(
      [AUDITED, MEMBER].map(async (type) => parseTrustMark(await trustMark(federation, 'issuer', 'op', type))),
    );
    expect(await validateDelegation(free!, trustAnchor, { now: NOW })).toBeUndefined();
    expect(await verdictOf(() => validateDelegation(owned!, trustAnchor, { now: NOW }))).toBe(
      'trust_mark_delegation_missing at /delegation (7.3)',
    );
  });
});
