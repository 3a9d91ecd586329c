import fc from 'fast-check';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  judgeIntrospection,
  originOf,
  validateJwtAccessToken,
  validateSignedIntrospection,
} from '../../src/admission/access-token.ts';
import type { JsonObject } from '../../src/federation/json.ts';
import type { JwkSet } from '../../src/federation/jwk-set.ts';
import { NOW } from '../support/admission.ts';

const ISSUER = {
  ...{ issuer: 'https://as.example', audiences: ['https://api.example', 'payments'] },
  acceptsUntypedTokens: false,
};
const THUMBPRINT = 'c'.repeat(43);
const CLAIMS = {
  iss: ISSUER.issuer,
  aud: 'payments',
  exp: NOW + 60,
  iat: NOW,
  client_id: 'https://rp.example',
  cnf: { 'x5t#S256': THUMBPRINT },
};

let keys: Awaited<ReturnType<typeof generateKeyPair>>;
let foreign: Awaited<ReturnType<typeof generateKeyPair>>;
let jwks: JwkSet;

beforeAll(async () => {
  keys = await generateKeyPair('ES256');
  foreign = await generateKeyPair('ES256');
  jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'as-1' }] } as JwkSet;
});

async function sign(
  claims: Record<string, unknown> = CLAIMS,
  header: Partial<JWTHeaderParameters> = {},
  key = keys.privateKey,
): Promise<string> {
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'as-1', ...header })
    .sign(key);
}

async function verdictOf(token: string, issuer = ISSUER) {
  const origin = originOf(token);
  if (origin.kind !== 'jwt') return { reason: 'token_malformed' };
  return await validateJwtAccessToken(origin.decoded, issuer, jwks, NOW);
}

const without = (name: keyof typeof CLAIMS) => {
  const { [name]: _, ...others } = CLAIMS;
  return others;
};

describe('F43 a JWT access token', () => {
  it('of a listed issuer says to whom it is bound, for whom and until when', async () => {
    const expected = { boundTo: THUMBPRINT, clientId: 'https://rp.example', expiresAt: NOW + 60 };
    expect(await verdictOf(await sign())).toEqual(expected);
    expect(await verdictOf(await sign({ ...CLAIMS, aud: ['else', 'https://api.example'] }))).toEqual(expected);
    expect(await verdictOf(await sign(CLAIMS, { typ: 'application/at+jwt' }))).toEqual(expected);
  });

  it.each(['JWT', undefined])(
    'that says no more than typ %s counts only if its issuer is known for it',
    async (typ) => {
      const token = await sign(CLAIMS, { typ } as Partial<JWTHeaderParameters>);
      expect(await verdictOf(token)).toMatchObject({ reason: 'token_invalid' });
      expect(await verdictOf(token, { ...ISSUER, acceptsUntypedTokens: true })).toHaveProperty('expiresAt');
    },
  );

  it('without cnf is bound to no certificate', async () => {
    expect(await verdictOf(await sign(without('cnf')))).toMatchObject({ boundTo: undefined });
  });

  it.each([
    ['of another issuer', { iss: 'https://as.example/' }, 'token_issuer_unknown'],
    ['for another audience', { aud: 'https://api.example/' }, 'audience_mismatch'],
    ['for nobody', { aud: undefined }, 'audience_mismatch'],
    ['for odd audiences', { aud: [['payments'], 7, null] }, 'audience_mismatch'],
    ['that expires this second', { exp: NOW }, 'token_expired'],
    ['that never expires', { exp: undefined }, 'token_invalid'],
    ['that expires in words', { exp: String(NOW + 60) }, 'token_invalid'],
    ['that is valid later', { nbf: NOW + 31 }, 'token_not_yet_valid'],
    ['of the future', { iat: NOW + 31 }, 'token_not_yet_valid'],
    ['with an odd nbf', { nbf: 'now' }, 'token_invalid'],
    ['with an odd cnf', { cnf: 'x' }, 'token_invalid'],
    ['bound to nothing', { cnf: {} }, 'token_invalid'],
    ['bound to a key by its thumbprint', { cnf: { jkt: THUMBPRINT } }, 'token_invalid'],
    ['bound to a key', { cnf: { jwk: { kty: 'EC' } } }, 'token_invalid'],
    ['bound to a key besides', { cnf: { 'x5t#S256': THUMBPRINT, jkt: THUMBPRINT } }, 'token_invalid'],
    ['with an odd thumbprint', { cnf: { 'x5t#S256': [THUMBPRINT] } }, 'token_invalid'],
  ])('%s is refused', async (_, claims, reason) => {
    expect(await verdictOf(await sign({ ...CLAIMS, ...claims }))).toMatchObject({ reason });
  });

  it.each([
    ['an ID Token by its typ', { typ: 'id_token' }],
    ['an Entity Statement', { typ: 'entity-statement+jwt' }],
    ['without kid', { kid: undefined }],
    ['with the kid of no key', { kid: 'as-2' }],
    ['with an extension', { crit: ['b64'], b64: true }],
    ['with a key of its own', { kid: 'mine', jwk: { kty: 'EC' } }],
  ])('%s is refused', async (_, header) => {
    expect(await verdictOf(await sign(CLAIMS, header as Partial<JWTHeaderParameters>))).toMatchObject({
      reason: 'token_invalid',
    });
  });

  it('signed by somebody else is refused', async () => {
    expect(await verdictOf(await sign(CLAIMS, {}, foreign.privateKey))).toMatchObject({ reason: 'token_invalid' });
  });

  it('without a signature, or signed with the public key as a secret, is refused', async () => {
    const none = new UnsecuredJWT(CLAIMS).encode();
    const secret = new TextEncoder().encode(JSON.stringify(jwks.keys[0]));
    const confused = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'HS256', kid: 'as-1', typ: 'at+jwt' })
      .sign(secret);
    for (const token of [none, `${none}AAAA`, confused]) {
      expect(await verdictOf(token)).toMatchObject({ reason: 'token_invalid' });
    }
  });

  it('whose signature is written in another way is refused', async () => {
    const token = await sign();
    const last = token.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const stray = alphabet[alphabet.indexOf(last) + 1] ?? '';
    expect(await verdictOf(token.slice(0, -1) + stray)).toMatchObject({ reason: 'token_malformed' });
  });

  it('with any byte changed is refused, and nothing else is thrown', async () => {
    const token = await sign();
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom('A', 'B', '_', '.', '=', 'é'), async (index, byte) => {
        fc.pre(token[index] !== byte);
        const changed = token.slice(0, index) + byte + token.slice(index + 1);
        expect(await verdictOf(changed)).toHaveProperty('reason');
      }),
      { numRuns: 200 },
    );
  });
});

describe('whoever has to vouch for a token', () => {
  it('is named in a JWT, and is the authorization server of anything else', async () => {
    expect(originOf(await sign())).toMatchObject({ kind: 'jwt', issuer: ISSUER.issuer });
    expect(originOf('mF_9.B5f-4.1JqM')).toEqual({ kind: 'opaque' });
    expect(originOf('mF_9B5f41JqM==')).toEqual({ kind: 'opaque' });
  });

  it('is nobody for what is no token', async () => {
    for (const token of ['', 'a b', 'ü', 'a\r\nb', 'x'.repeat(16_385), await sign(without('iss'))]) {
      expect(originOf(token)).toEqual({ kind: 'malformed' });
    }
  });
});

describe('F43 what an authorization server answers about a token', () => {
  it('is judged like the claims of a JWT', () => {
    const { iss, ...claims } = CLAIMS;
    const expected = { boundTo: THUMBPRINT, clientId: 'https://rp.example', expiresAt: NOW + 60 };
    expect(judgeIntrospection({ active: true, ...claims }, ISSUER, NOW)).toEqual(expected);
    expect(judgeIntrospection({ active: true, ...claims, iss }, ISSUER, NOW)).toEqual(expected);
  });

  it('holds for this second if it names no end', () => {
    const { exp, ...claims } = CLAIMS;
    expect(judgeIntrospection({ active: true, ...claims }, ISSUER, NOW)).toMatchObject({ expiresAt: NOW + 1 });
  });

  it.each([
    ['not active', { active: false }, 'token_inactive'],
    ['an error', { error: 'invalid_client' }, 'token_unverifiable'],
    ['active in words', { active: 'true' }, 'token_unverifiable'],
    ['of another issuer', { iss: 'https://other.example' }, 'token_issuer_unknown'],
    ['for another', { aud: 'accounts' }, 'audience_mismatch'],
    ['over', { exp: NOW - 1 }, 'token_expired'],
    ['about a refresh token', { token_use: 'refresh_token' }, 'token_invalid'],
    ['about a token of another type', { token_type: 'refresh_token' }, 'token_invalid'],
  ])('is refused if it is %s', (_, changes, reason) => {
    const answer = 'error' in changes ? changes : { active: true, ...CLAIMS, ...changes };
    expect(judgeIntrospection(answer as JsonObject, ISSUER, NOW)).toMatchObject({ reason });
  });

  describe('in a signed answer', () => {
    const answer = (changes: Record<string, unknown> = {}) => ({
      ...{ iss: ISSUER.issuer, aud: 'https://gateway.example', iat: NOW },
      token_introspection: { active: true, ...CLAIMS },
      ...changes,
    });
    const verdict = async (claims: Record<string, unknown>, typ = 'token-introspection+jwt') =>
      await validateSignedIntrospection(await sign(claims, { typ }), ISSUER, {
        ...{ jwks, audience: 'https://gateway.example', now: NOW },
      });

    it('counts if it is for us and of now', async () => {
      expect(await verdict(answer())).toMatchObject({ boundTo: THUMBPRINT });
    });

    it.each([
      ['for somebody else', { aud: 'https://other.example' }],
      ['by somebody else', { iss: 'https://other.example' }],
      ['of a while ago', { iat: NOW - 31 }],
      ['without a date', { iat: undefined }],
      ['about nothing', { token_introspection: 'active' }],
    ])('does not count if it is %s', async (_, changes) => {
      expect(await verdict(answer(changes))).toMatchObject({ reason: 'token_unverifiable' });
    });

    it('does not count if it is an access token', async () => {
      expect(await verdict(answer(), 'at+jwt')).toMatchObject({ reason: 'token_unverifiable' });
    });
  });
});
