import { beforeAll, describe, expect, it } from 'vitest';
import { FederationError } from '../../src/federation/errors.ts';
import { parsePushedKeySet } from '../../src/federation/pushed-key-set.ts';
import { NOW } from '../support/federation.ts';
import { signJwt, type Tampering, type TestKey, testKey, weakRsaKey } from '../support/keys.ts';

const SUPERIOR = 'https://authority.example';
const SUBJECT = 'https://rp.example';

describe('[OIDFED-11.2-7] a pushed key set', () => {
  let key: TestKey;
  beforeAll(async () => {
    key = await testKey();
  });

  const signed = (tampering: Tampering = {}): Promise<string> => {
    const claims = { iss: SUBJECT, sub: SUBJECT, aud: SUPERIOR, iat: NOW, keys: [key.jwk] };
    return signJwt(key, 'jwk-set+jwt', claims, tampering);
  };

  async function placeOfRefusal(tampering: Tampering): Promise<string> {
    try {
      parsePushedKeySet(await signed(tampering), { audience: SUPERIOR, now: NOW });
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      expect([error.reason, error.wire]).toEqual(['key_set_invalid', 'invalid_request']);
      return error.at;
    }
    return 'accepted';
  }

  it('says whose keys they are, when it was made, and which they are', async () => {
    const pushed = parsePushedKeySet(await signed(), { audience: SUPERIOR, now: NOW });
    expect(pushed).toMatchObject({ subject: SUBJECT, iat: NOW, jwks: { keys: [key.jwk] } });
    expect(pushed.signed.header.kid).toBe(key.kid);
  });

  it.each<[string, Tampering, string]>([
    ['an audience in an array of one', { claims: { aud: [SUPERIOR] } }, 'accepted'],
    ['an exp that is ahead', { claims: { exp: NOW + 1 } }, 'accepted'],
    ['an iat within the leeway', { claims: { iat: NOW + 30 } }, 'accepted'],
    ['another typ', { header: { typ: 'entity-statement+jwt' } }, 'header/typ'],
    ['no typ', { header: { typ: undefined } }, 'header/typ'],
    ['no kid', { header: { kid: undefined } }, 'header/kid'],
    ['alg none', { header: { alg: 'none' } }, 'header/alg'],
    ['another subject', { claims: { sub: 'https://other.example' } }, '/sub'],
    ['an iss that is no Entity Identifier', { claims: { iss: 'rp', sub: 'rp' } }, '/iss'],
    ['no audience', { claims: { aud: undefined } }, '/aud'],
    ['another audience', { claims: { aud: `${SUPERIOR}/` } }, '/aud'],
    ['several audiences', { claims: { aud: [SUPERIOR, 'https://other.example'] } }, '/aud'],
    ['no iat', { claims: { iat: undefined } }, '/iat'],
    ['an iat that is ahead', { claims: { iat: NOW + 31 } }, '/iat'],
    ['an exp that is over', { claims: { exp: NOW - 30 } }, '/exp'],
    ['no keys', { claims: { keys: undefined } }, ''],
    ['an empty set', { claims: { keys: [] } }, ''],
    ['a key without kid', { claims: { keys: [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }] } }, '/keys/0'],
  ])('with %s', async (_what, tampering, outcome) => {
    expect(await placeOfRefusal(tampering)).toBe(outcome);
  });

  it('is refused with a private member, which the refusal does not quote', async () => {
    const jwt = await signed({ claims: { keys: [key.privateJwk] } });
    const parse = () => parsePushedKeySet(jwt, { audience: SUPERIOR, now: NOW });
    expect(parse).toThrow(FederationError);
    try {
      parse();
    } catch (error) {
      for (let cause = error; cause instanceof Error; cause = cause.cause) {
        expect(cause.message).not.toContain(key.privateJwk['d']);
      }
    }
  });

  it('is refused with a key that is too short, or with too many', async () => {
    expect(await placeOfRefusal({ claims: { keys: [key.jwk, (await weakRsaKey()).jwk] } })).toBe('/keys');
    const many = Array.from({ length: 51 }, (_, index) => ({ ...key.jwk, kid: `key-${index}` }));
    expect(await placeOfRefusal({ claims: { keys: many } })).toBe('/keys');
    expect(await placeOfRefusal({ claims: { keys: many.slice(1) } })).toBe('accepted');
  });
});
