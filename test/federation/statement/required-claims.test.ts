import { describe, expect, it } from 'vitest';
import { parseEntityStatement } from '../../../src/federation/statement/validate-statement.ts';
import { buildFederation } from '../../support/federation.ts';
import { testKey } from '../../support/keys.ts';
import { refusal } from '../../support/refusal.ts';
import { checkConfiguration, checkSubordinateStatement } from '../../support/statement-checks.ts';

const federation = await buildFederation({ anchor: {}, op: { superiors: ['anchor'] } });
const KINDS = [
  ['an Entity Configuration', checkConfiguration],
  ['a Subordinate Statement', checkSubordinateStatement],
] as const;

describe.each(KINDS)('required claims of %s', (_kind, check) => {
  it('[OIDFED-3.1.1-1] accepts the legal one', () => {
    expect(check({})).toBe('accepted');
  });

  it.each(['iss', 'sub', 'iat', 'exp'])('[OIDFED-3.1.1-1] refuses it without %s', (claim) => {
    expect(check({ [claim]: undefined })).toBe(`claim_missing at /${claim}`);
  });

  it.each(['iss', 'sub'])('[OIDFED-3.1.1-1] demands an Entity Identifier as %s', (claim) => {
    for (const value of [null, 7, '', 'op', 'http://op.example', 'https://op.example#a', ['https://op.example']]) {
      expect(check({ [claim]: value })).toBe(`entity_identifier_invalid at /${claim}`);
    }
  });

  it.each(['iat', 'exp'])('[OIDFED-3.1.1-1] demands a number of seconds as %s', (claim) => {
    for (const value of [null, '1800000000', '2027-01-15T08:00:00Z', true, [1_800_000_000], {}, -1, -0.5]) {
      expect(check({ [claim]: value })).toBe(`claim_invalid at /${claim}`);
    }
    for (const value of [0, 1_800_000_000, 1_800_000_000.25, 1e300]) expect(check({ [claim]: value })).toBe('accepted');
  });

  it('[OIDFED-3.1.1-2] refuses it without jwks', () => {
    expect(check({ jwks: undefined })).toBe('claim_missing at /jwks');
  });

  it('[OIDFED-3.1.1-2] refuses it with jwks that are no JWK Set', () => {
    expect(check({ jwks: null })).toBe('jwks_invalid at /jwks');
    expect(check({ jwks: [] })).toBe('jwks_invalid at /jwks');
    expect(check({ jwks: { keys: [] } })).toBe('jwks_invalid at /jwks');
    expect(check({ jwks: { keys: [{}] } })).toBe('jwks_invalid at /jwks/keys/0');
  });

  it('[OIDFED-3.1.1-3] refuses it with keys that have no kid of their own', async () => {
    const [a, b] = [(await testKey('ES256', 0)).jwk, (await testKey('ES256', 1)).jwk];
    expect(check({ jwks: { keys: [a, { ...b, kid: undefined }] } })).toBe('jwks_invalid at /jwks/keys/1');
    expect(check({ jwks: { keys: [a, { ...b, kid: a.kid }] } })).toBe('jwks_invalid at /jwks');
  });

  it('[OIDFED-3.1.1-4] refuses it with a private key', async () => {
    const { privateJwk } = await testKey();
    expect(check({ jwks: { keys: [privateJwk] } })).toBe('jwk_private at /jwks/keys/0');
  });

  it('[ACME-4] accepts keys with certificates and other unknown members', async () => {
    const { jwk } = await testKey();
    expect(check({ jwks: { keys: [{ ...jwk, x5c: ['MIIB'], 'x5t#S256': 'abc', note: {} }] } })).toBe('accepted');
  });

  it('[OIDFED-3.1.1-8] ignores claims that it does not know', () => {
    expect(check({ jti: 7, nbf: 'never', 'https://op.example/claim': { a: [null] }, constructor: 1 })).toBe('accepted');
  });
});

describe('numbers beyond the range of JSON.parse', () => {
  it.each(['iat', 'exp'])('[OIDFED-3.1.1-1] refuses %s that overflows to infinity', async (claim) => {
    const payloadText = (json: string): string => json.replace(new RegExp(`"${claim}":\\d+`), `"${claim}":1e999`);
    const jwt = await federation.configuration('op', { payloadText });
    expect(refusal(() => parseEntityStatement(jwt))).toBe(`claim_invalid at /${claim}`);
  });

  it.each(['NaN', 'Infinity', '0x6b49d200', '+1', '1_800_000_000'])('refuses exp written as %s', async (number) => {
    const payloadText = (json: string): string => json.replace(/"exp":\d+/, `"exp":${number}`);
    const jwt = await federation.configuration('op', { payloadText });
    expect(refusal(() => parseEntityStatement(jwt))).toBe('json_malformed');
  });
});

describe('identifiers', () => {
  it('[OIDFED-1.2-4] passes the choice of the operator on to every identifier', () => {
    const insecure = { iss: 'http://op.example', sub: 'http://op.example', authority_hints: ['http://anchor.example'] };
    expect(checkConfiguration(insecure)).toBe('entity_identifier_invalid at /iss');
    expect(checkConfiguration(insecure, { allowHttp: true })).toBe('accepted');
    expect(checkConfiguration({ authority_hints: ['http://anchor.example'] })).toBe(
      'entity_identifier_invalid at /authority_hints/0',
    );
  });

  it('[OIDFED-16-2] gives claims as received, strings unescaped but not normalized', async () => {
    const identifier = 'https://OP.Example:443/%7eA/../';
    const payloadText = (json: string): string =>
      json.replaceAll('https://op.example"', `https:\\/\\/\\u004fP${identifier.slice(10)}"`);
    const jwt = await federation.configuration('op', { payloadText });
    const { claims } = parseEntityStatement(jwt);
    expect([claims.iss, claims.sub]).toEqual([identifier, identifier]);
  });
});
