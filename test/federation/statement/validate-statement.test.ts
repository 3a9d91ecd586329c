import { describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { TYP } from '../../../src/federation/media-types.ts';
import {
  parseEntityStatement,
  validateEntityConfiguration,
  validateSubordinateStatement,
} from '../../../src/federation/statement/validate-statement.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { type Tampering, testKey } from '../../support/keys.ts';
import { refusal, refusalOf } from '../../support/refusal.ts';

const federation = await buildFederation({
  anchor: {},
  intermediate: { superiors: ['anchor'], alg: 'RS256' },
  op: { superiors: ['intermediate'], metadata: (issuer) => ({ openid_provider: { issuer } }) },
});
const stranger = await testKey('ES256', 99);
const op = federation.id('op');

async function judgedConfiguration(tampering?: Tampering, subject: EntityIdentifier = op): Promise<string> {
  const jwt = await federation.configuration('op', tampering);
  return refusalOf(validateEntityConfiguration(jwt, subject, { now: NOW }));
}

async function judgedStatement(tampering?: Tampering, subject: EntityIdentifier = op): Promise<string> {
  const issuer = { entityIdentifier: federation.id('intermediate'), jwks: federation.jwks('intermediate') };
  const jwt = await federation.subordinateStatement('intermediate', 'op', tampering);
  return refusalOf(validateSubordinateStatement(jwt, subject, issuer, { now: NOW }));
}

describe('parseEntityStatement', () => {
  it('[OIDFED-3-1] takes statements by their typ and nothing else that is signed', async () => {
    const claims = federation.configurationClaims('op');
    for (const typ of Object.values(TYP)) {
      const jwt = await federation.sign('op', typ, claims);
      const expected = typ === TYP.entityStatement ? 'accepted' : 'typ_invalid at header/typ';
      expect(refusal(() => parseEntityStatement(jwt))).toBe(expected);
    }
  });

  it('gives the JWT as received, its header and its claims', async () => {
    const jwt = await federation.configuration('op', { claims: { note: { a: [null] } } });
    const statement = parseEntityStatement(jwt);
    expect(statement.jwt).toBe(jwt);
    expect(statement.header.alg).toBe('ES256');
    expect(statement.claims).toEqual({ ...federation.configurationClaims('op'), note: { a: [null] } });
  });

  it('[OIDFED-1.1-1] takes a compact JWT only', async () => {
    const statement = parseEntityStatement(await federation.configuration('op'));
    expect(refusal(() => parseEntityStatement(statement))).toBe('jwt_malformed');
  });
});

describe('validateEntityConfiguration', () => {
  it('[OIDFED-3.2-3] accepts what an entity says about itself', async () => {
    expect(await judgedConfiguration()).toBe('accepted');
  });

  it.each(['https://op.example/', 'https://OP.example', 'https://op.example:443', 'https://anchor.example'])(
    '[OIDFED-3.2-2] refuses it when %s was asked about',
    async (subject) => {
      expect(await judgedConfiguration({}, subject as EntityIdentifier)).toBe('subject_mismatch at /sub');
    },
  );

  it('[OIDFED-9-2] accepts only one of two identifiers that share a URL', async () => {
    const slash = await buildFederation({ op: { identifier: 'https://op.example/' } });
    const jwt = await slash.configuration('op');
    const asked = (subject: string): Promise<string> =>
      refusalOf(validateEntityConfiguration(jwt, subject as EntityIdentifier, { now: NOW }));
    expect(await asked('https://op.example/')).toBe('accepted');
    expect(await asked('https://op.example')).toBe('subject_mismatch at /sub');
  });

  it('[OIDFED-3.2-3] refuses what another entity says', async () => {
    const claims = { iss: federation.id('intermediate'), authority_hints: undefined };
    expect(await judgedConfiguration({ claims })).toBe('not_entity_configuration at /iss');
  });

  it('[OIDFED-3.2-8] refuses a signature by none of its own keys', async () => {
    expect(await judgedConfiguration({ key: stranger })).toBe('key_not_found at header/kid');
    const kid = federation.entity('op').keys[0]!.kid;
    expect(await judgedConfiguration({ key: stranger, header: { kid } })).toBe('signature_invalid at header/kid');
  });

  it('[OIDFED-3.2-7] picks the key among several by kid', async () => {
    const keys = [await testKey('ES256', 50), await testKey('RS256', 51), await testKey('Ed25519', 52)];
    const many = await buildFederation({ op: { keys } });
    for (const key of keys) {
      const jwt = await many.configuration('op', { key });
      expect(await refusalOf(validateEntityConfiguration(jwt, op, { now: NOW }))).toBe('accepted');
    }
    const [first, second] = keys;
    const wrong = await many.configuration('op', { key: first, header: { kid: second!.kid } });
    expect(await refusalOf(validateEntityConfiguration(wrong, op, { now: NOW }))).toBe('key_unsuitable at header/kid');
  });

  it('[OIDFED-3.2-5] [OIDFED-3.2-6] judges its times', async () => {
    expect(await judgedConfiguration({ claims: { iat: NOW + 31 } })).toBe('statement_not_yet_valid at /iat');
    expect(await judgedConfiguration({ claims: { exp: NOW - 30 } })).toBe('statement_expired at /exp');
  });
});

describe('validateSubordinateStatement', () => {
  it('[OIDFED-3.2-3] accepts what the expected superior says about the subject', async () => {
    expect(await judgedStatement()).toBe('accepted');
  });

  it('[OIDFED-3-5] accepts RS256', async () => {
    const jwt = await federation.subordinateStatement('intermediate', 'op');
    expect(parseEntityStatement(jwt).header.alg).toBe('RS256');
    expect(await judgedStatement()).toBe('accepted');
  });

  it('[OIDFED-3.2-2] refuses it when another entity was asked about', async () => {
    expect(await judgedStatement({}, `${op}/` as EntityIdentifier)).toBe('subject_mismatch at /sub');
  });

  it('[OIDFED-3.2-3] refuses a configuration in its place', async () => {
    expect(await judgedStatement({ claims: { iss: op } })).toBe('not_subordinate_statement at /iss');
  });

  it.each(['https://intermediate.example/', 'https://Intermediate.example', 'https://anchor.example'])(
    'refuses another issuer than the superior that was asked: %s',
    async (iss) => {
      expect(await judgedStatement({ claims: { iss } })).toBe('issuer_mismatch at /iss');
    },
  );

  it('[OIDFED-3.2-8] refuses the signature of anyone but the superior, the subject included', async () => {
    const [own] = federation.entity('op').keys;
    const { kid } = federation.entity('intermediate').keys[0]!;
    expect(await judgedStatement({ key: own })).toBe('key_not_found at header/kid');
    expect(await judgedStatement({ key: own, header: { kid } })).toBe('key_unsuitable at header/kid');
    const twin = await testKey('RS256', 60);
    expect(await judgedStatement({ key: twin, header: { kid } })).toBe('signature_invalid at header/kid');
  });

  it('[OIDFED-3.2-5] [OIDFED-3.2-6] judges its times', async () => {
    expect(await judgedStatement({ claims: { iat: NOW + 31 } })).toBe('statement_not_yet_valid at /iat');
    expect(await judgedStatement({ claims: { exp: NOW - 30 } })).toBe('statement_expired at /exp');
  });
});

describe('one failed check', () => {
  /** One violation of every kind, each at a different step. */
  const VIOLATIONS: [string, Tampering][] = [
    ['typ', { header: { typ: 'JWT' } }],
    ['alg', { header: { alg: 'none' } }],
    ['kid', { header: { kid: '' } }],
    ['key', { header: { kid: 'unknown' } }],
    ['signature', { signature: (_input, regular) => regular.map((byte) => byte ^ 1) }],
    ['iat', { claims: { iat: NOW + 100 } }],
    ['exp', { claims: { exp: NOW - 100 } }],
    ['jwks', { claims: { jwks: { keys: [] } } }],
    ['crit', { claims: { crit: ['exp'] } }],
    ['placement', { claims: { source_endpoint: 'https://op.example/fetch' } }],
    ['hints', { claims: { authority_hints: [] } }],
    ['metadata', { claims: { metadata: { openid_provider: { issuer: null } } } }],
    ['trust marks', { claims: { trust_marks: [{}] } }],
    ['trust mark issuers', { claims: { trust_mark_issuers: [] } }],
    ['trust mark owners', { claims: { trust_mark_owners: { a: {} } } }],
  ];

  it.each(VIOLATIONS)('[OIDFED-3.2-1] refuses a statement that is legal but for its %s', async (_what, tampering) => {
    expect(await judgedConfiguration()).toBe('accepted');
    expect(await judgedConfiguration(tampering)).not.toBe('accepted');
  });

  it('[OIDFED-3.2-1] refuses it as well beside any other violation', async () => {
    for (const [a, first] of VIOLATIONS) {
      for (const [b, second] of VIOLATIONS) {
        const tampering: Tampering = {
          ...first,
          ...second,
          header: { ...first.header, ...second.header },
          claims: { ...first.claims, ...second.claims },
        };
        expect(await judgedConfiguration(tampering), `${a} and ${b}`).not.toBe('accepted');
      }
    }
  });
});
