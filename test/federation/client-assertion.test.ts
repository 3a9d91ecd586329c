import { beforeAll, describe, expect, it } from 'vitest';
import {
  type ClientAssertion,
  parseClientAssertion,
  verifyClientAssertion,
} from '../../src/federation/client-assertion.ts';
import { FederationError } from '../../src/federation/errors.ts';
import { NOW } from '../support/federation.ts';
import { signJwt, type Tampering, type TestKey, testKey } from '../support/keys.ts';

const CALLER = 'https://rp.example';
const AUDIENCE = 'https://anchor.example';
const CLAIMS = { iss: CALLER, sub: CALLER, aud: AUDIENCE, jti: 'one', iat: NOW, exp: NOW + 60 };

let key: TestKey;

beforeAll(async () => {
  key = await testKey();
});

async function parsed(tampering: Tampering = {}): Promise<ClientAssertion> {
  const jwt = await signJwt(key, 'client-authentication+jwt', CLAIMS, tampering);
  return parseClientAssertion(jwt, { audience: AUDIENCE, now: NOW });
}

/** `accepted`, or the reason with its place. */
async function judged(tampering: Tampering = {}): Promise<string> {
  try {
    await verifyClientAssertion(await parsed(tampering), { keys: [key.jwk] });
    return 'accepted';
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    return `${error.wire} ${error.reason} at ${error.at}`;
  }
}

const refused = (at: string): string => `invalid_client client_assertion_invalid at ${at}`;

describe('a client assertion', () => {
  it('[OIDFED-8.8-2] [OIDFED-8.8-3] tells who the caller is, once signed with its key', async () => {
    expect(await parsed()).toMatchObject({ caller: CALLER, jti: 'one' });
    expect(await judged()).toBe('accepted');
  });

  it.each([undefined, 'JWT', 'jwt', 'application/client-authentication+jwt'])('may have the typ %s', async (typ) => {
    expect(await judged({ header: { typ } })).toBe('accepted');
  });

  it.each(['entity-statement+jwt', 'trust-mark+jwt', '', 1])(
    'is no other thing that the caller signed: typ %j',
    async (typ) => {
      expect(await judged({ header: { typ } })).toBe(refused('header/typ'));
    },
  );

  it('[OIDFED-8.8-1] may name its one audience in an array', async () => {
    expect(await judged({ claims: { aud: [AUDIENCE] } })).toBe('accepted');
  });

  it.each([
    ['absent', undefined],
    ['another', 'https://other.example'],
    ['the endpoint', `${AUDIENCE}/federation/resolve`],
    ['another spelling', `${AUDIENCE}/`],
    ['another besides ours', [AUDIENCE, 'https://other.example']],
    ['ours twice', [AUDIENCE, AUDIENCE]],
    ['none', []],
  ])('[OIDFED-8.8-1] is refused where the audience is %s', async (_, aud) => {
    expect(await judged({ claims: { aud } })).toBe(refused('/aud'));
  });

  it.each([
    ['/iss', { iss: undefined }],
    ['/iss', { iss: 'rp' }],
    ['/sub', { sub: undefined }],
    ['/sub', { sub: 'https://other.example' }],
    ['/jti', { jti: undefined }],
    ['/jti', { jti: '' }],
    ['/jti', { jti: 'x'.repeat(513) }],
    ['/exp', { exp: undefined }],
    ['/exp', { exp: String(NOW + 60) }],
    ['/exp', { exp: NOW - 30 }],
    ['/exp', { exp: NOW + 631 }],
    ['/iat', { iat: NOW + 31 }],
    ['/nbf', { nbf: NOW + 31 }],
  ])('[OIDFED-8.8-2] is refused for its %s: %j', async (at, claims) => {
    expect(await judged({ claims })).toBe(refused(at));
  });

  it('bears the leeway of clocks, and needs no iat', async () => {
    expect(await judged({ claims: { iat: NOW + 30, exp: NOW - 29 } })).toBe('accepted');
    expect(await judged({ claims: { iat: undefined, exp: NOW + 630 } })).toBe('accepted');
  });

  it.each([
    ['header/alg', { alg: 'none' }],
    ['header/alg', { alg: 'HS256' }],
    ['header/kid', { kid: undefined }],
    ['header/kid', { kid: 'unheard-of' }],
    ['header/crit', { crit: ['exp'] }],
    ['header/crit', { b64: false }],
  ])('is refused for its %s: %j', async (at, header) => {
    expect(await judged({ header })).toBe(refused(at));
  });

  it('[OIDFED-8.8-3] is refused where another key signed it, whichever it names', async () => {
    const stranger = await testKey('ES256', 50);
    expect(await judged({ key: stranger })).toBe(refused('header/kid'));
    expect(await judged({ key: stranger, header: { kid: key.kid } })).toBe(refused('header/kid'));
  });

  it.each(['', 'a.b', 'a.b.c', 'a.b.c.d.e'])('is refused where it is no JWT: %j', (jwt) => {
    expect(() => parseClientAssertion(jwt, { audience: AUDIENCE, now: NOW })).toThrow(FederationError);
  });
});
