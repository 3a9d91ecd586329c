import { describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { validateSignedJwkSet } from '../../../src/federation/metadata/signed-jwk-set.ts';
import { signJwt, testKey } from '../../support/keys.ts';
import { refusalOf } from '../../support/refusal.ts';

const OP = 'https://op.example' as EntityIdentifier;
const NOW = 1_800_000_000;
const federationKey = await testKey('ES256', 1);
const typeKey = await testKey('ES256', 2);
const { kid: _, ...keyWithoutKid } = typeKey.jwk;
const CLAIMS = { iss: OP, sub: OP, iat: NOW, keys: [typeKey.jwk] };

function validate(jwt: string, jwks = [federationKey.jwk]) {
  return validateSignedJwkSet(jwt, { entity: OP, federationKeys: { keys: jwks }, now: NOW });
}

const signed = (claims: object, typ = 'jwk-set+jwt', key = federationKey) =>
  signJwt(key, typ, { ...CLAIMS, ...claims });

describe('what a signed_jwks_uri serves', () => {
  it('[OIDFED-5.2.1-6] is a JWK Set with kid, iss and sub, signed with a Federation Entity Key', async () => {
    const { keys, superfluous } = await validate(await signed({}));
    expect([keys, superfluous]).toEqual([[typeKey.jwk], []]);
    const { keys: anyKind } = await validate(await signed({ iat: undefined, exp: NOW + 60, keys: [keyWithoutKid] }));
    expect(anyKind).toEqual([keyWithoutKid]);
  });

  it.each<[object, string]>([
    [{ iss: undefined }, 'entity_identifier_invalid at /iss'],
    [{ sub: undefined }, 'entity_identifier_invalid at /sub'],
    [{ iss: 'https://other.example' }, 'issuer_mismatch at /iss'],
    [{ sub: 'https://other.example' }, 'subject_mismatch at /sub'],
    [{ iat: NOW + 31 }, 'statement_not_yet_valid at /iat'],
    [{ exp: NOW - 30 }, 'statement_expired at /exp'],
    [{ iat: 'now' }, 'claim_invalid at /iat'],
    [{ keys: undefined }, 'metadata_invalid'],
    [{ keys: [{ ...typeKey.jwk, d: 'AAAA' }] }, 'jwk_private at /keys/0'],
  ])('[OIDFED-5.2.1-6] is refused with %j', async (claims, outcome) => {
    expect(await refusalOf(validate(await signed(claims)))).toBe(outcome);
  });

  it('[OIDFED-5.2.1-6] is refused under another typ, key or kid', async () => {
    expect(await refusalOf(validate(await signed({}, 'entity-statement+jwt')))).toMatch(/^typ_invalid/);
    expect(await refusalOf(validate(await signed({}, 'jwk-set+jwt', typeKey)))).toMatch(/^key_not_found/);
    const sameKid = { ...typeKey.jwk, kid: federationKey.jwk.kid };
    expect(await refusalOf(validate(await signed({}), [sameKid]))).toMatch(/^signature_invalid/);
  });

  it('is told from a historical keys document, which has no sub', async () => {
    const historical = { sub: undefined, keys: [{ ...typeKey.jwk, exp: NOW - 60 }] };
    expect(await refusalOf(validate(await signed(historical)))).toBe('entity_identifier_invalid at /sub');
  });

  it('[OIDFED-5.2.1-7] is accepted with aud, nbf or jti, which are named', async () => {
    const { superfluous } = await validate(await signed({ aud: 'https://rp.example', jti: 'x' }));
    expect(superfluous).toEqual(['aud', 'jti']);
  });
});
