import { describe, expect, it } from 'vitest';
import { TYP } from '../../../src/federation/media-types.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import type { Tampering } from '../../support/keys.ts';
import { checkConfiguration } from '../../support/statement-checks.ts';

const TYPE = 'https://anchor.example/marks/member';
const federation = await buildFederation({ anchor: {}, op: { superiors: ['anchor'] } });
const { jwks } = federation.configurationClaims('anchor');

function mark(type: unknown = TYPE, tampering?: Tampering): Promise<string> {
  const [iss, sub] = [federation.id('anchor'), federation.id('op')];
  return federation.sign('anchor', TYP.trustMark, { iss, sub, iat: NOW, trust_mark_type: type }, tampering);
}

describe('trust_marks', () => {
  it('[OIDFED-3.1.2-4] accepts objects with a type and a mark, and members besides', async () => {
    const entry = { trust_mark_type: TYPE, trust_mark: await mark(), note: 1 };
    expect(checkConfiguration({ trust_marks: [entry, entry] })).toBe('accepted');
    expect(checkConfiguration({ trust_marks: [] })).toBe('accepted');
  });

  it.each([
    ['null', null, 'claim_invalid at /trust_marks'],
    ['an object', {}, 'claim_invalid at /trust_marks'],
    ['a string in it', ['abc'], 'claim_invalid at /trust_marks/0'],
    ['null in it', [null], 'claim_invalid at /trust_marks/0'],
    ['no type', [{ trust_mark: 'a.b.c' }], 'claim_missing at /trust_marks/0/trust_mark_type'],
    ['the id of older drafts', [{ id: TYPE, trust_mark: 'a.b.c' }], 'claim_missing at /trust_marks/0/trust_mark_type'],
    ['no mark', [{ trust_mark_type: TYPE }], 'claim_missing at /trust_marks/0/trust_mark'],
    ['an empty type', [{ trust_mark_type: '' }], 'claim_invalid at /trust_marks/0/trust_mark_type'],
    ['an array of types', [{ trust_mark_type: [TYPE] }], 'claim_invalid at /trust_marks/0/trust_mark_type'],
    ['an object as mark', [{ trust_mark_type: TYPE, trust_mark: {} }], 'claim_invalid at /trust_marks/0/trust_mark'],
  ])('[OIDFED-3.1.2-4] refuses %s', (_what, trustMarks, expected) => {
    expect(checkConfiguration({ trust_marks: trustMarks })).toBe(expected);
  });

  it.each([
    ['another type', `${TYPE}/2`],
    ['a trailing slash', `${TYPE}/`],
    ['other case', TYPE.toUpperCase()],
  ])('[OIDFED-3.2-12] refuses a mark with %s inside', async (_what, inner) => {
    const good = { trust_mark_type: TYPE, trust_mark: await mark() };
    const bad = { trust_mark_type: TYPE, trust_mark: await mark(inner) };
    expect(checkConfiguration({ trust_marks: [good, bad] })).toBe(
      'trust_mark_type_mismatch at /trust_marks/1/trust_mark_type',
    );
  });

  it.each([
    ['that is no JWT', () => 'abc'],
    ['of three parts that are none', () => 'a.b.c'],
    ['with no type inside', () => mark(null)],
    ['with a type inside that is no string', () => mark([TYPE])],
    [
      'with two types inside',
      () => mark(`${TYPE}/2`, { payloadText: (json) => json.replace('{', `{"trust_mark_type":"${TYPE}",`) }),
    ],
  ])('[OIDFED-3.2-12] leaves a mark %s, which has no type to compare, to its own validation', async (_what, make) => {
    const entry = { trust_mark_type: TYPE, trust_mark: await make() };
    expect(checkConfiguration({ trust_marks: [entry] })).toBe('accepted');
  });

  it.each([
    ['a more specific typ', { header: { typ: 'wallet-trust-mark+jwt' } }],
    ['an alg that we do not verify', { header: { alg: 'ES256K' } }],
    ['a past exp', { claims: { exp: 1 } }],
    ['a worthless signature', { signature: () => new Uint8Array(64) }],
  ] satisfies [string, Tampering][])(
    '[OIDFED-3.2-12] leaves the worth of a mark with %s to its own validation',
    async (_what, tampering) => {
      const entry = { trust_mark_type: TYPE, trust_mark: await mark(TYPE, tampering) };
      expect(checkConfiguration({ trust_marks: [entry] })).toBe('accepted');
    },
  );
});

describe('trust_mark_issuers', () => {
  it.each([
    ['issuers', { [TYPE]: ['https://anchor.example', 'https://b.example/'] }],
    ['an empty array: anybody may issue', { [TYPE]: [] }],
    ['no type', {}],
  ])('[OIDFED-3.1.2-5] accepts %s', (_what, issuers) => {
    expect(checkConfiguration({ trust_mark_issuers: issuers })).toBe('accepted');
  });

  it.each([
    ['null', null, ''],
    ['an array', [], ''],
    ['a string as issuers', { a: 'https://anchor.example' }, '/a'],
    ['null as issuers', { a: [], 'b/c~': null }, '/b~1c~0'],
  ])('[OIDFED-3.1.2-5] refuses %s', (_what, issuers, place) => {
    expect(checkConfiguration({ trust_mark_issuers: issuers })).toBe(`claim_invalid at /trust_mark_issuers${place}`);
  });

  it('[OIDFED-3.1.2-5] refuses an issuer that is no Entity Identifier', () => {
    expect(checkConfiguration({ trust_mark_issuers: { a: ['https://anchor.example', 'anchor'] } })).toBe(
      'entity_identifier_invalid at /trust_mark_issuers/a/1',
    );
  });
});

describe('trust_mark_owners', () => {
  const sub = 'https://owner.example';

  it('[OIDFED-3.1.2-5] accepts owners with sub and jwks, and members besides', () => {
    expect(checkConfiguration({ trust_mark_owners: { [TYPE]: { sub, jwks, note: 1 } } })).toBe('accepted');
    expect(checkConfiguration({ trust_mark_owners: {} })).toBe('accepted');
  });

  it.each([
    ['null', null, 'claim_invalid at /trust_mark_owners'],
    ['an array', [], 'claim_invalid at /trust_mark_owners'],
    ['an identifier as owner', { a: sub }, 'claim_invalid at /trust_mark_owners/a'],
    ['no sub', { a: { jwks } }, 'claim_missing at /trust_mark_owners/a/sub'],
    ['sub that is no identifier', { a: { sub: 'b', jwks } }, 'entity_identifier_invalid at /trust_mark_owners/a/sub'],
    ['no jwks', { a: { sub } }, 'claim_missing at /trust_mark_owners/a/jwks'],
    ['jwks without keys', { a: { sub, jwks: { keys: [] } } }, 'jwks_invalid at /trust_mark_owners/a/jwks'],
    ['a key without kid', { a: { sub, jwks: { keys: [{}] } } }, 'jwks_invalid at /trust_mark_owners/a/jwks/keys/0'],
  ])('[OIDFED-3.1.2-5] refuses %s', (_what, owners, expected) => {
    expect(checkConfiguration({ trust_mark_owners: owners })).toBe(expected);
  });
});
