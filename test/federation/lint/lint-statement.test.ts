import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/federation/json.ts';
import { lintEntityStatement, MAX_STATEMENT_BYTES } from '../../../src/federation/lint/lint-entity-statement.ts';
import { lintHistoricalKeys } from '../../../src/federation/lint/lint-historical-keys.ts';
import { lintResolveResponse } from '../../../src/federation/lint/lint-resolve-response.ts';
import type { LintedStatement } from '../../../src/federation/lint/linted-statement.ts';
import { publishedKeyComplaint } from '../../../src/federation/lint/published-key.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { testKey, weakRsaKey } from '../../support/keys.ts';
import { refusal } from '../../support/refusal.ts';

const SRC = join(import.meta.dirname, '../../../src');
const RULES = { maxLifetimeSeconds: 3600 };
const AUTHORITY = 'https://authority.example';
const SUBJECT = 'https://subject.example';
const PRIVATE = 'https://sector.example/class';

const { jwk, privateJwk } = await testKey('ES256', 5);
const weak = (await weakRsaKey()).jwk;
const jwks = (...keys: object[]): JsonObject => ({ keys: keys as JsonObject[] });

const CONFIGURATION: JsonObject = {
  iss: AUTHORITY,
  sub: AUTHORITY,
  iat: NOW,
  exp: NOW + 3600,
  jwks: jwks(jwk),
  metadata: { federation_entity: { organization_name: 'Authority' } },
};

const SUBORDINATE: JsonObject = { iss: AUTHORITY, sub: SUBJECT, iat: NOW, exp: NOW + 3600, jwks: jwks(jwk) };

const RESPONSE: JsonObject = {
  iss: AUTHORITY,
  sub: SUBJECT,
  iat: NOW,
  exp: NOW + 3600,
  metadata: {},
  trust_chain: ['a.b.c'],
};

const HISTORICAL: JsonObject = {
  iss: AUTHORITY,
  iat: NOW,
  keys: [{ ...(jwk as JsonObject), exp: NOW - 60, iat: NOW - 600 }],
};

/** How a lint answers claims with these in place of the regular ones; undefined leaves a claim out. */
function lintOf(lint: (claims: JsonObject, rules: typeof RULES) => LintedStatement, regular: JsonObject) {
  return (changes: Record<string, unknown> = {}, rules: object = {}) => {
    const claims = Object.fromEntries(
      Object.entries({ ...regular, ...changes }).filter(([, value]) => value !== undefined),
    ) as JsonObject;
    return refusal(() => lint(claims, { ...RULES, ...rules }));
  };
}

const configuration = lintOf(lintEntityStatement, CONFIGURATION);
const subordinate = lintOf(lintEntityStatement, SUBORDINATE);
const response = lintOf(lintResolveResponse, RESPONSE);
const historical = lintOf(lintHistoricalKeys, HISTORICAL);

describe('an Entity Configuration or Subordinate Statement of ours', () => {
  it('passes when readers would accept it', () => {
    expect([configuration(), subordinate()]).toEqual(['accepted', 'accepted']);
    expect(configuration({ authority_hints: ['https://superior.example'] })).toBe('accepted');
    const full = {
      metadata: { openid_provider: { organization_name: 'Subject' } },
      metadata_policy: { openid_provider: { contacts: { essential: true } } },
      constraints: { max_path_length: 0 },
    };
    expect(subordinate(full)).toBe('accepted');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['[OIDFED-3.1.1-1] without iss', { iss: undefined }, 'claim_missing at /iss'],
    ['[OIDFED-3.1.1-1] without exp', { exp: undefined }, 'claim_missing at /exp'],
    [
      '[OIDFED-1.2-2] about no Entity Identifier',
      { sub: 'https://subject.example/#x' },
      'entity_identifier_invalid at /sub',
    ],
    ['[OIDFED-3.1.1-2] without keys', { jwks: undefined }, 'claim_missing at /jwks'],
    ['[OIDFED-3.1.1-2] with no key in its set', { jwks: jwks() }, 'jwks_invalid at /jwks'],
    ['[OIDFED-3.1.1-3] with a kid twice', { jwks: jwks(jwk, jwk) }, 'jwks_invalid at /jwks'],
    ['[OIDFED-3.1.1-4] with a private key', { jwks: jwks(jwk, privateJwk) }, 'jwk_private at /jwks/keys/1'],
    ['[OIDFED-3.2-9] with hints', { authority_hints: [AUTHORITY] }, 'claim_forbidden at /authority_hints'],
    ['[OIDFED-3.2-13] with an audience', { aud: SUBJECT }, 'claim_forbidden at /aud'],
    [
      '[OIDFED-3.2-11] with a parameter that is null',
      { metadata: { openid_provider: { contacts: null } } },
      'metadata_null at /metadata/openid_provider/contacts',
    ],
    [
      '[OIDFED-6.1.3.1-6] with an operator value that is an error',
      { metadata_policy: { openid_provider: { x: { default: null } } } },
      'policy_operator_value_invalid at /metadata_policy/openid_provider/x/default',
    ],
    [
      '[OIDFED-6.2.1-1] with malformed constraints',
      { constraints: { max_path_length: '1' } },
      'constraints_malformed at /constraints/max_path_length',
    ],
    ['[OIDFED-3.1.3-2] with a source that is no URL', { source_endpoint: 'here' }, 'claim_invalid at /source_endpoint'],
  ])('is not signed %s', (_what, changes, expected) => {
    expect(subordinate(changes)).toBe(expected);
  });

  it('[OIDFED-3.2-10] is not signed with a policy in an Entity Configuration', () => {
    const metadata_policy = { openid_provider: { x: { essential: true } } };
    expect(configuration({ metadata_policy })).toBe('claim_forbidden at /metadata_policy');
  });

  describe('critical claims', () => {
    const understood = { understoodClaims: new Set([PRIVATE]) };

    it('[OIDFED-13.4-1] are extension claims that stand in the statement, each named once', () => {
      expect(subordinate({ [PRIVATE]: 3, crit: [PRIVATE] }, understood)).toBe('accepted');
      expect(subordinate({ crit: [] }, understood)).toBe('crit_invalid at /crit');
      expect(subordinate({ crit: ['exp'] }, understood)).toBe('crit_invalid at /crit/0');
      expect(subordinate({ crit: [PRIVATE] }, understood)).toBe('crit_invalid at /crit/0');
      expect(subordinate({ [PRIVATE]: 3, crit: [PRIVATE, PRIVATE] }, understood)).toBe('crit_invalid at /crit');
    });
  });

  describe('times', () => {
    it('end after they begin', () => {
      expect(subordinate({ exp: NOW })).toBe('lint_failed at /exp');
      expect(subordinate({ exp: NOW + 1 })).toBe('accepted');
    });

    it('span no longer than the house allows', () => {
      expect(subordinate({ exp: NOW + 3601 })).toBe('lint_failed at /exp');
      expect(subordinate({ exp: NOW + 3601 }, { maxLifetimeSeconds: 3601 })).toBe('accepted');
    });
  });

  it('is not signed when it is so large that readers would refuse it', () => {
    const room = MAX_STATEMENT_BYTES - JSON.stringify({ ...SUBORDINATE, note: '' }).length;
    expect(subordinate({ note: 'x'.repeat(room) })).toBe('accepted');
    expect(subordinate({ note: 'x'.repeat(room + 1) })).toBe('lint_failed');
    expect(subordinate({ note: 'é'.repeat(room / 2) })).toBe('accepted');
    expect(subordinate({ note: 'é'.repeat(room / 2 + 1) })).toBe('lint_failed');
  });

  describe('keys', () => {
    it('that no algorithm of ours could verify with are not vouched for', () => {
      expect(subordinate({ jwks: jwks(jwk, weak) })).toBe('lint_failed at /jwks/keys/1');
      expect(subordinate({ jwks: jwks({ ...jwk, use: 'enc' }) })).toBe('lint_failed at /jwks/keys/0');
      expect(configuration({ jwks: jwks({ kty: 'AKP', kid: 'pq', pub: 'AAAA' }) })).toBe('lint_failed at /jwks/keys/0');
    });

    it('are not outlived by what a superior says about them', () => {
      expect(subordinate({ jwks: jwks(jwk, { ...jwk, kid: 'soon', exp: NOW + 3599 }) })).toBe(
        'lint_failed at /jwks/keys/1/exp',
      );
      expect(subordinate({ jwks: jwks({ ...jwk, exp: NOW - 1 }) })).toBe('lint_failed at /jwks/keys/0/exp');
      expect(subordinate({ jwks: jwks({ ...jwk, exp: NOW + 3600 }) })).toBe('accepted');
    });
  });

  describe('emptiness', () => {
    it.each<[string, string]>([
      ['constraints', 'lint_failed at /constraints'],
      ['metadata_policy', 'lint_failed at /metadata_policy'],
    ])('of %s is not said', (claim, expected) => {
      expect(subordinate({ [claim]: {} })).toBe(expected);
    });

    it('[OIDFED-6.1-5] of policies is not emitted at any level', () => {
      expect(subordinate({ metadata_policy: {} })).toBe('lint_failed at /metadata_policy');
      expect(subordinate({ metadata_policy: { openid_provider: {} } })).toBe(
        'lint_failed at /metadata_policy/openid_provider',
      );
      expect(subordinate({ metadata_policy: { openid_provider: { contacts: {} } } })).toBe(
        'lint_failed at /metadata_policy/openid_provider/contacts',
      );
    });

    it('[OIDFED-3.1.2-2] of hints is not emitted', () => {
      expect(configuration({ authority_hints: [] })).toBe('authority_hints_invalid at /authority_hints');
      expect(configuration({ trust_anchor_hints: [] })).toBe('authority_hints_invalid at /trust_anchor_hints');
    });

    it('[OIDFED-3.1.1-6] of an Entity Type is legal: the entity plays it', () => {
      expect(configuration({ metadata: { federation_entity: {}, openid_provider: { issuer: AUTHORITY } } })).toBe(
        'accepted',
      );
    });
  });

  it.each([
    ['that is no JWT', 'a.b.c', 'jwt_malformed at /trust_marks/0/trust_mark header'],
    ['with no type inside', 'e30.e30.AA', 'claim_missing at /trust_marks/0/trust_mark /trust_mark_type'],
  ])('[OIDFED-3.1.2-4] is not signed with a Trust Mark %s', (_, mark, expected) => {
    expect(configuration({ trust_marks: [{ trust_mark_type: PRIVATE, trust_mark: mark }] })).toBe(expected);
  });

  it('[OIDFED-1.2-4] is signed for http beyond loopback only where the operator allows it', () => {
    const http = { iss: 'http://authority.example' };
    expect(subordinate(http)).toBe('entity_identifier_invalid at /iss');
    expect(subordinate(http, { allowHttp: true })).toBe('accepted');
  });
});

describe('a resolve response of ours', () => {
  it('passes with what readers need', () => {
    expect([response(), response({ metadata: { openid_provider: {} } })]).toEqual(['accepted', 'accepted']);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['without iss', { iss: undefined }, 'entity_identifier_invalid at /iss'],
    ['without sub', { sub: undefined }, 'entity_identifier_invalid at /sub'],
    ['without iat', { iat: undefined }, 'claim_missing at /iat'],
    ['without exp', { exp: undefined }, 'claim_missing at /exp'],
    ['that lives too long', { exp: NOW + 3601 }, 'lint_failed at /exp'],
    ['without metadata', { metadata: undefined }, 'claim_invalid at /metadata'],
    ['without a chain', { trust_chain: undefined }, 'claim_invalid at /trust_chain'],
    ['with an empty chain', { trust_chain: [] }, 'claim_invalid at /trust_chain'],
    ['with a chain of objects', { trust_chain: [{}] }, 'claim_invalid at /trust_chain'],
  ])('[OIDFED-8.3-2] is not signed %s', (_what, changes, expected) => {
    expect(response(changes)).toBe(expected);
  });
});

describe('a historical keys document of ours', () => {
  it('[OIDFED-8.7-2] passes with a kid and an end for each key, and without keys', () => {
    expect([historical(), historical({ keys: [] })]).toEqual(['accepted', 'accepted']);
    const revoked = { revoked_at: NOW - 60, reason: 'compromised' };
    expect(historical({ keys: [{ ...jwk, exp: NOW - 60, revoked }] })).toBe('accepted');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['without iss', { iss: undefined }, 'entity_identifier_invalid at /iss'],
    ['without iat', { iat: undefined }, 'claim_missing at /iat'],
    ['without keys', { keys: undefined }, 'claim_missing at /keys'],
    ['with a key that has no end', { keys: [jwk] }, 'claim_missing at /keys/0/exp'],
    ['with a key that has no kid', { keys: [{ ...jwk, kid: undefined, exp: 1 }] }, 'jwks_invalid at /keys/0'],
    [
      'with a revocation that has no time',
      { keys: [{ ...jwk, exp: 1, revoked: { reason: 'superseded' } }] },
      'claim_missing at /keys/0/revoked/revoked_at',
    ],
  ])('[OIDFED-8.7-2] is not signed %s', (_what, changes, expected) => {
    expect(historical(changes)).toBe(expected);
  });

  it('[OIDFED-3.1.1-4] is not signed with a private key', () => {
    expect(historical({ keys: [{ ...privateJwk, exp: 1 }] })).toBe('jwk_private at /keys/0');
  });
});

describe("the chain in a resolve response's header", () => {
  const federation = buildFederation({ anchor: {}, other: {}, resolver: { superiors: ['anchor', 'other'] }, rp: {} });

  async function linted(...chain: string[]): Promise<string> {
    const built = await federation;
    const claims = { ...RESPONSE, iss: built.id('resolver'), trust_chain: await built.chain('rp', 'anchor') };
    const header = { trust_chain: await built.chain(...chain) };
    return refusal(() => lintResolveResponse(claims, RULES, header));
  }

  it("[OIDFED-8.3-11] is the issuer's own, and ends where the subject's does", async () => {
    expect(await linted('resolver', 'anchor')).toBe('accepted');
    expect(await linted('rp', 'anchor')).toBe('lint_failed at header/trust_chain');
    expect(await linted('resolver', 'other')).toBe('lint_failed at header/trust_chain');
  });

  it('[OIDFED-4.3-1] is in nothing else that is signed', () => {
    expect(lintResolveResponse(RESPONSE, RULES, { trust_chain: undefined }).header).toEqual({});
    expect(lintEntityStatement(CONFIGURATION, RULES).header).toEqual({});
    expect(refusal(() => lintResolveResponse(RESPONSE, RULES, { trust_chain: [] }))).toBe(
      'claim_invalid at header/trust_chain',
    );
  });

  it('is missed by no caller that is named: aud is one identifier', () => {
    expect([response({ aud: 'https://rp.example' }), response({ aud: ['https://rp.example'] })]).toEqual([
      'accepted',
      'entity_identifier_invalid at /aud',
    ]);
  });
});

describe('a linted statement', () => {
  it.each([
    ['entity-statement+jwt', () => lintEntityStatement(CONFIGURATION, RULES), CONFIGURATION],
    ['resolve-response+jwt', () => lintResolveResponse(RESPONSE, RULES), RESPONSE],
    ['jwk-set+jwt', () => lintHistoricalKeys(HISTORICAL, RULES), HISTORICAL],
  ])('of type %s gives its claims once', (typ, lint, claims) => {
    const linted = lint();
    expect(linted.typ).toBe(typ);
    expect(JSON.parse(linted.spend())).toEqual(claims);
    expect(() => linted.spend()).toThrow(TypeError);
  });

  it('does not change with the claims it was made of', () => {
    const claims = { ...CONFIGURATION };
    const linted = lintEntityStatement(claims, RULES);
    claims['sub'] = 'https://victim.example';
    expect(JSON.parse(linted.spend())).toEqual(CONFIGURATION);
  });

  it('is made by lints alone: nobody else imports what makes one', () => {
    const importers = globSync('**/*.ts', { cwd: SRC }).filter((path) =>
      /import \{[^}]*(?<!type )\b(?:passed|Linted)\b[^}]*\} from '[^']*linted-statement\.ts'/.test(
        readFileSync(`${SRC}/${path}`, 'utf8'),
      ),
    );
    expect(importers.length).toBeGreaterThanOrEqual(3);
    expect(importers.filter((path) => !/^federation\/lint\/lint-[a-z-]+\.ts$/.test(path))).toEqual([]);
  });
});

describe('a key that may be vouched for', () => {
  it('fits some algorithm, is long enough and for signatures', async () => {
    for (const alg of ['ES256', 'ES512', 'Ed25519', 'PS256', 'RS512'] as const) {
      expect(publishedKeyComplaint((await testKey(alg, 6)).jwk)).toBeUndefined();
    }
    const { alg: _, use: __, ...bare } = jwk;
    expect(publishedKeyComplaint({ ...bare, kid: 'bare' })).toBeUndefined();
  });

  it.each([
    ['is too short', weak],
    ['is for encryption', { ...jwk, use: 'enc' }],
    ['is for another algorithm', { ...jwk, alg: 'ES256K' }],
    ['may not verify', { ...jwk, key_ops: ['encrypt'] }],
    ['is on a curve of no algorithm of ours', { ...jwk, crv: 'secp256k1', alg: undefined }],
  ])('is no key that %s', (_what, key) => {
    expect(publishedKeyComplaint(key)).toContain(key.kid);
  });
});
