import { FlattenedSign } from 'jose';
import { describe, expect, it } from 'vitest';
import { TYP } from '../../src/federation/media-types.ts';
import { decodeJwt, MAX_JWT_LENGTH, parseSignedJwt } from '../../src/federation/signature.ts';
import { signJwt, type Tampering, testKey, withPart } from '../support/keys.ts';
import { refusal } from '../support/refusal.ts';

const key = await testKey('ES256', 0);
const CLAIMS = { iss: 'https://op.example', n: 1 };

function signed(tampering?: Tampering): Promise<string> {
  return signJwt(key, TYP.entityStatement, CLAIMS, tampering);
}

function parsed(jwt: unknown): string {
  return refusal(() => parseSignedJwt(jwt, TYP.entityStatement));
}

describe('parseSignedJwt: the compact form', () => {
  it('[OIDFED-1.1-1] accepts a compact JWS and gives its parts', async () => {
    const jwt = await signed();
    expect(parseSignedJwt(jwt, TYP.entityStatement)).toEqual({
      jwt,
      header: { typ: 'entity-statement+jwt', alg: 'ES256', kid: key.kid },
      claims: CLAIMS,
    });
  });

  it('[OIDFED-1.1-1] refuses the JSON serializations of the same signature', async () => {
    const header = { typ: TYP.entityStatement, alg: 'ES256', kid: key.kid };
    const bytes = new TextEncoder().encode(JSON.stringify(CLAIMS));
    const flattened = await new FlattenedSign(bytes).setProtectedHeader(header).sign(key.privateKey);
    const { payload, ...signature } = flattened;
    const general = { payload, signatures: [signature] };
    expect(parsed(flattened)).toBe('jwt_malformed');
    expect(parsed(JSON.stringify(flattened))).toBe('jwt_malformed');
    expect(parsed(general)).toBe('jwt_malformed');
    expect(parsed(JSON.stringify(general))).toBe('jwt_malformed');
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['an array', ['a.b.c']],
    ['bytes', new Uint8Array([1])],
    ['the empty string', ''],
    ['no dots', 'abc'],
  ])('[OIDFED-1.1-1] refuses %s', (_what, value) => {
    expect(parsed(value)).toBe('jwt_malformed');
  });

  it('[OIDFED-1.1-1] refuses two, four and five parts', async () => {
    const jwt = await signed();
    expect(parsed(jwt.slice(0, jwt.lastIndexOf('.')))).toBe('jwt_malformed');
    expect(parsed(`${jwt}.`)).toBe('jwt_malformed');
    expect(parsed(`${jwt}.${jwt.split('.')[1]}`)).toBe('jwt_malformed');
    expect(parsed(`${jwt}.a.a`)).toBe('jwt_malformed');
  });

  it.each([
    ['space before', (jwt: string) => ` ${jwt}`, 'jwt_malformed at header'],
    ['line break after', (jwt: string) => `${jwt}\n`, 'jwt_malformed'],
    ['padding', (jwt: string) => `${jwt}=`, 'jwt_malformed'],
    ['plain base64', (jwt: string) => withPart(jwt, 1, () => 'eyJhIjoiPz8/In0'), 'jwt_malformed'],
    ['nothing but dots', () => '..', 'jwt_malformed at header'],
    ['an empty header', (jwt: string) => withPart(jwt, 0, () => ''), 'jwt_malformed at header'],
    ['an empty payload', (jwt: string) => withPart(jwt, 1, () => ''), 'jwt_malformed'],
    ['an empty signature', (jwt: string) => withPart(jwt, 2, () => ''), 'jwt_malformed'],
    ['a length that no base64url has', (jwt: string) => withPart(jwt, 2, () => 'AAAAA'), 'jwt_malformed'],
    ['a non-ASCII character', (jwt: string) => withPart(jwt, 2, (part) => `${part}\u00e9`), 'jwt_malformed'],
  ])('[OIDFED-1.1-1] refuses %s', async (_what, rewrite, expected) => {
    expect(parsed(rewrite(await signed()))).toBe(expected);
  });

  it.each([
    ['two bits too many, zero', 'e30', 'accepted'],
    ['two bits too many, one of them set', 'e31', 'jwt_malformed'],
    ['four bits too many, zero', 'eyAgIH0', 'accepted'],
    ['four bits too many, one of them set', 'eyAgIH1', 'jwt_malformed'],
    ['four bits too many in two characters, set', 'ex', 'jwt_malformed'],
  ])('refuses a second spelling of the same bytes: %s', async (_what, payload, expected) => {
    expect(parsed(withPart(await signed(), 1, () => payload))).toBe(expected);
  });

  it('refuses a JWT of more than 256 Ki characters unread', async () => {
    const filler = (length: number): Promise<string> => signed({ claims: { filler: 'x'.repeat(length) } });
    expect(parsed(await filler(MAX_JWT_LENGTH / 2))).toBe('accepted');
    expect(parsed(await filler(MAX_JWT_LENGTH))).toBe('jwt_too_large');
    expect(parsed('.'.repeat(MAX_JWT_LENGTH))).toBe('jwt_malformed');
    expect(parsed('.'.repeat(MAX_JWT_LENGTH + 1))).toBe('jwt_too_large');
  });
});

describe('parseSignedJwt: JSON', () => {
  it.each([
    ['a repeated claim', { payloadText: () => '{"iss":"a","iss":"b"}' }, 'json_duplicate_member'],
    ['a repeated claim within', { payloadText: () => '{"a":[{"b":1,"b":2}]}' }, 'json_duplicate_member'],
    [
      'a repeated parameter',
      { headerText: (json) => json.replace('{', '{"kid":"a",') },
      'json_duplicate_member at header',
    ],
    [
      'a repeated parameter spelt otherwise',
      { headerText: (json) => json.replace('{', '{"al\\u0067":"none",') },
      'json_duplicate_member at header',
    ],
    ['__proto__ in the payload', { payloadText: () => '{"__proto__":{"iss":"a"}}' }, 'json_member_forbidden'],
    [
      '__proto__ in the header',
      { headerText: () => '{"__proto__":{"alg":"ES256"}}' },
      'json_member_forbidden at header',
    ],
    ['deep nesting', { payloadText: () => `{"a":${'['.repeat(40)}${']'.repeat(40)}}` }, 'json_too_deep'],
    [
      'deep nesting in the header',
      { headerText: () => `{"a":${'['.repeat(40)}${']'.repeat(40)}}` },
      'json_too_deep at header',
    ],
    ['no JSON', { payloadText: () => '{iss:1}' }, 'json_malformed'],
    ['no JSON in the header', { headerText: () => 'alg' }, 'json_malformed at header'],
    ['a byte order mark', { payloadText: (json) => `\ufeff${json}` }, 'json_malformed'],
    ['a byte order mark in the header', { headerText: (json) => `\ufeff${json}` }, 'json_malformed at header'],
    ['an array', { payloadText: () => '[{}]' }, 'jwt_malformed'],
    ['a string', { payloadText: () => '"iss"' }, 'jwt_malformed'],
    ['null', { payloadText: () => 'null' }, 'jwt_malformed'],
    ['an array as header', { headerText: () => '[]' }, 'jwt_malformed at header'],
    ['invalid UTF-8', { payloadText: () => new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]) }, 'jwt_malformed'],
    ['overlong UTF-8', { payloadText: () => new Uint8Array([0x22, 0xc0, 0xaf, 0x22]) }, 'jwt_malformed'],
    ['a UTF-8 surrogate', { payloadText: () => new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]) }, 'jwt_malformed'],
    ['UTF-16', { payloadText: () => new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]) }, 'jwt_malformed'],
  ] satisfies [string, Tampering, string][])('refuses %s', async (_what, tampering: Tampering, expected) => {
    expect(parsed(await signed(tampering))).toBe(expected);
  });
});

describe('parseSignedJwt: header', () => {
  it.each([
    ['absent', undefined],
    ['JWT', 'JWT'],
    ['with its prefix', 'application/entity-statement+jwt'],
    ['in other case', 'Entity-Statement+JWT'],
    ['with a parameter', 'entity-statement+jwt; charset=utf-8'],
    ['with a space', 'entity-statement+jwt '],
    ['of a Trust Mark', TYP.trustMark],
    ['of an explicit registration response', TYP.explicitRegistrationResponse],
    ['null', null],
    ['an array', ['entity-statement+jwt']],
  ])('[OIDFED-3-1] refuses a typ that is %s', async (_what, typ) => {
    expect(parsed(await signed({ header: { typ } }))).toBe('typ_invalid at header/typ');
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['null', null],
    ['a number', 1],
    ['an array', [key.kid]],
  ])('[OIDFED-3-2] refuses a kid that is %s', async (_what, kid) => {
    expect(parsed(await signed({ header: { kid } }))).toBe('kid_missing at header/kid');
  });

  it.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'HS256',
    'HS384',
    'HS512',
    'es256',
    'ES256 ',
    'ES256K',
    'RS1',
    'RSA-OAEP',
    'dir',
    'constructor',
    '__proto__',
    undefined,
    null,
    0,
    ['ES256'],
    { alg: 'ES256' },
  ])('[OIDFED-3-3] refuses the alg %j', async (alg) => {
    expect(parsed(await signed({ header: { alg } }))).toBe('alg_not_allowed at header/alg');
  });

  it('[OIDFED-3-3] refuses none without and with a signature', async () => {
    const unsigned = await signed({ header: { alg: 'none' }, signature: () => new Uint8Array() });
    expect(unsigned.endsWith('.')).toBe(true);
    expect(parsed(unsigned)).toBe('alg_not_allowed at header/alg');
  });

  it.each(['crit', 'b64'])('refuses the header extension %s', async (parameter) => {
    const value = parameter === 'crit' ? ['exp'] : false;
    const jwt = await signed({ header: { [parameter]: value } });
    expect(parsed(jwt)).toBe(`header_parameter_forbidden at header/${parameter}`);
  });

  it('carries along header parameters that it does not know', async () => {
    const { header } = parseSignedJwt(await signed({ header: { iat: 1, note: { a: 1 } } }), TYP.entityStatement);
    expect(header).toMatchObject({ iat: 1, note: { a: 1 } });
  });
});

describe('decodeJwt', () => {
  it('takes a JWT apart whatever its typ, alg and kid', async () => {
    const header = { typ: 'x', alg: 'none', kid: undefined };
    const jwt = await signed({ header, signature: () => new Uint8Array() });
    expect(decodeJwt(jwt)).toEqual({ jwt, header: { typ: 'x', alg: 'none' }, claims: CLAIMS, signature: '' });
  });

  it('is as strict about encoding and JSON', async () => {
    const doubled = await signed({ payloadText: () => '{"a":1,"a":2}' });
    expect(refusal(() => decodeJwt(doubled))).toBe('json_duplicate_member');
    expect(refusal(() => decodeJwt('a.b'))).toBe('jwt_malformed');
  });
});
