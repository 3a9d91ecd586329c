import { CompactSign, calculateJwkThumbprint, decodeProtectedHeader, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/federation/json.ts';
import { checkJwkSet } from '../../src/federation/jwk-set.ts';
import { lintEntityStatement } from '../../src/federation/lint/lint-entity-statement.ts';
import { TYP } from '../../src/federation/media-types.ts';
import { ALGORITHM_NAMES, parseSignedJwt, verifySignature } from '../../src/federation/signature.ts';
import {
  CustodyUnavailable,
  type GeneratedKey,
  type KeyCustody,
  type TokenKey,
} from '../../src/signer/custody/key-custody.ts';
import { MasterKey, UnsealError } from '../../src/signer/sealing.ts';
import { createSigner } from '../../src/signer/signer.ts';
import { NOW } from '../support/federation.ts';

const OWNER = 'authority-1';
const masterKey = new MasterKey(new Uint8Array(32).fill(1));

/** Claims of an Entity Configuration that vouches for this key. */
function configuration({ publicJwk }: GeneratedKey): JsonObject {
  const id = 'https://authority.example';
  return { iss: id, sub: id, iat: NOW, exp: NOW + 60, jwks: { keys: [publicJwk as JsonObject] } };
}

const lint = (claims: JsonObject) => lintEntityStatement(claims, { maxLifetimeSeconds: 60 });

describe.each(ALGORITHM_NAMES)('a key for %s', (alg) => {
  it('[OIDFED-3-4] signs statements that readers verify with its public half', async () => {
    const signer = createSigner(masterKey);
    const key = await signer.generateKey(OWNER, alg);
    const jwt = await signer.sign(key, lint(configuration(key)));
    const signed = parseSignedJwt(jwt, TYP.entityStatement);
    expect(await verifySignature(signed, { keys: [key.publicJwk] })).toEqual(key.publicJwk);
    expect(signed.claims).toEqual(configuration(key));
    expect(decodeProtectedHeader(jwt)).toEqual({ typ: 'entity-statement+jwt', alg, kid: key.kid });
  });

  it('[OIDFED-3.1.1-5] has its thumbprint as kid, and shows its public half alone', async () => {
    const key = await createSigner(masterKey).generateKey(OWNER, alg);
    const { kid, alg: keyAlg, use, ...members } = key.publicJwk;
    expect([kid, keyAlg, use]).toEqual([key.kid, alg, 'sig']);
    expect(key.kid).toBe(await calculateJwkThumbprint(members));
    expect(() => checkJwkSet({ keys: [key.publicJwk] })).not.toThrow();
    expect(key).toMatchObject({ owner: OWNER, purpose: 'federation', alg });
  });

  it('keeps its private half sealed: nothing of it stands in what is stored', async () => {
    const key = await createSigner(masterKey).generateKey(OWNER, alg);
    const context = { owner: OWNER, kid: key.kid, purpose: 'federation' };
    const opened: Record<string, string> = JSON.parse(
      Buffer.from(masterKey.unseal(key.sealedPrivateKey, context)).toString(),
    );
    const sealed = Buffer.from(key.sealedPrivateKey);
    const privateParts = ['d', 'p', 'q', 'dp', 'dq', 'qi'].flatMap((member) => opened[member] ?? []);
    expect(privateParts.length).toBeGreaterThan(0);
    for (const part of privateParts) {
      expect(sealed.includes(part)).toBe(false);
      expect(sealed.includes(Buffer.from(part, 'base64url'))).toBe(false);
      expect(JSON.stringify(key.publicJwk)).not.toContain(part);
    }
  });

  it('signs after a restart, from what is stored', async () => {
    const key = await createSigner(masterKey).generateKey(OWNER, alg);
    const jwt = await createSigner(new MasterKey(new Uint8Array(32).fill(1))).sign(key, lint(configuration(key)));
    await verifySignature(parseSignedJwt(jwt, TYP.entityStatement), { keys: [key.publicJwk] });
  });
});

/** The others sign with chance: no two signatures are alike. */
describe.each(['Ed25519', 'RS256', 'RS512'] as const)('a statement signed by %s', (alg) => {
  it('[OIDFED-3-4] is what a JOSE library makes of the same claims, byte for byte', async () => {
    const signer = createSigner(masterKey);
    const key = await signer.generateKey(OWNER, alg);
    const claims = { ...configuration(key), metadata: { federation_entity: { organization_name: 'Größe 金 🔑' } } };
    const { kid, sealedPrivateKey } = key;
    const unsealed = masterKey.unseal(sealedPrivateKey, { owner: OWNER, kid, purpose: 'federation' });
    const expected = new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ typ: TYP.entityStatement, alg, kid })
      .sign(await importJWK(JSON.parse(Buffer.from(unsealed).toString()), alg));
    expect(await signer.sign(key, lint(claims))).toBe(await expected);
  });
});

describe('a key in a token', () => {
  const key: TokenKey = {
    ...{ kid: 'k', alg: 'ES256', owner: OWNER, purpose: 'federation' },
    ...{ custody: 'pkcs11', sealedPrivateKey: null, tokenObject: '00ff' },
  };
  const claims = { iss: 'https://authority.example', sub: 'https://authority.example', iat: NOW, exp: NOW + 60 };
  const statement = (publicJwk: JsonObject) => lint({ ...claims, jwks: { keys: [publicJwk] } });

  it('is signed with by the token alone, whoever makes new keys', async () => {
    const { publicJwk } = await createSigner(masterKey).generateKey(OWNER, 'ES256');
    const asked: [TokenKey, string][] = [];
    const token: KeyCustody<TokenKey> = {
      generateKey: async () => ({ ...key, publicJwk }),
      sign: async (held, input) => {
        asked.push([held, Buffer.from(input).toString()]);
        return Uint8Array.of(1, 2, 3);
      },
    };
    const signer = createSigner(masterKey, { token, makesNewKeys: false });
    const jwt = await signer.sign(key, statement(publicJwk as JsonObject));
    expect(asked).toEqual([[key, jwt.slice(0, jwt.lastIndexOf('.'))]]);
    expect(jwt.endsWith('.AQID')).toBe(true);
    expect((await signer.generateKey(OWNER, 'ES256')).custody).toBe('sealed');
    expect((await createSigner(masterKey, { token, makesNewKeys: true }).generateKey(OWNER, 'ES256')).custody).toBe(
      'pkcs11',
    );
  });

  it('is not signed with where no token is set up, and may be later', async () => {
    const { publicJwk } = await createSigner(masterKey).generateKey(OWNER, 'ES256');
    const signing = createSigner(masterKey, undefined).sign(key, statement(publicJwk as JsonObject));
    await expect(signing).rejects.toThrow(CustodyUnavailable);
    await expect(signing).rejects.toThrow('HOLDFAST_PKCS11_MODULE');
  });
});

describe('the signer', () => {
  it('makes keys of at least 3072 bits where the algorithm leaves the choice', async () => {
    const { publicJwk } = await createSigner(masterKey).generateKey(OWNER, 'PS256');
    expect(Buffer.from(String(publicJwk.n), 'base64url')).toHaveLength(3072 / 8);
  });

  it('never makes the same key twice', async () => {
    const signer = createSigner(masterKey);
    const [one, other] = [await signer.generateKey(OWNER, 'ES256'), await signer.generateKey(OWNER, 'ES256')];
    expect(one.kid).not.toBe(other.kid);
  });

  it('signs a linted statement once', async () => {
    const signer = createSigner(masterKey);
    const key = await signer.generateKey(OWNER, 'ES256');
    const linted = lint(configuration(key));
    await signer.sign(key, linted);
    await expect(signer.sign(key, linted)).rejects.toThrow(/signed once/);
  });

  it('signs what was linted, not what the claims became afterwards', async () => {
    const signer = createSigner(masterKey);
    const key = await signer.generateKey(OWNER, 'ES256');
    const claims = configuration(key);
    const linted = lint(claims);
    claims['sub'] = 'https://victim.example';
    const { claims: signed } = parseSignedJwt(await signer.sign(key, linted), TYP.entityStatement);
    expect(signed['sub']).toBe('https://authority.example');
  });

  it('opens a key for its owner only, before and after the owner used it', async () => {
    const signer = createSigner(masterKey);
    const key = await signer.generateKey(OWNER, 'ES256');
    const stolen = { ...key, owner: 'authority-2' };
    await expect(signer.sign(stolen, lint(configuration(key)))).rejects.toThrow(UnsealError);
    await signer.sign(key, lint(configuration(key)));
    await expect(signer.sign(stolen, lint(configuration(key)))).rejects.toThrow(UnsealError);
  });

  it('opens no key for an algorithm that is not its own', async () => {
    const signer = createSigner(masterKey);
    const key = await signer.generateKey(OWNER, 'ES256');
    for (const alg of ['ES384', 'Ed25519', 'RS256'] as const) {
      await expect(signer.sign({ ...key, alg }, lint(configuration(key)))).rejects.toThrow();
    }
  });

  it('opens no key under the kid of another', async () => {
    const signer = createSigner(masterKey);
    const [one, other] = [await signer.generateKey(OWNER, 'ES256'), await signer.generateKey(OWNER, 'ES256')];
    const swapped = { ...one, sealedPrivateKey: other.sealedPrivateKey };
    await expect(signer.sign(swapped, lint(configuration(one)))).rejects.toThrow(UnsealError);
  });

  it('opens nothing with another master key', async () => {
    const key = await createSigner(masterKey).generateKey(OWNER, 'ES256');
    const other = createSigner(new MasterKey(new Uint8Array(32).fill(2)));
    await expect(other.sign(key, lint(configuration(key)))).rejects.toThrow(UnsealError);
  });

  it('tries again with what is stored after a key did not open', async () => {
    const signer = createSigner(masterKey);
    const key = await signer.generateKey(OWNER, 'ES256');
    const broken = { ...key, sealedPrivateKey: key.sealedPrivateKey.map((byte) => byte ^ 1) };
    await expect(signer.sign(broken, lint(configuration(key)))).rejects.toThrow(UnsealError);
    await expect(signer.sign(key, lint(configuration(key)))).resolves.toBeTypeOf('string');
  });

  it('seals the same key under another master key, which alone opens it then', async () => {
    const nextMasterKey = new MasterKey(new Uint8Array(32).fill(2));
    const signer = createSigner(masterKey);
    const key = await signer.generateKey(OWNER, 'ES256');
    const rewrapped = { ...key, sealedPrivateKey: signer.rewrap(key, nextMasterKey) };
    const jwt = await createSigner(nextMasterKey).sign(rewrapped, lint(configuration(key)));
    await verifySignature(parseSignedJwt(jwt, TYP.entityStatement), { keys: [key.publicJwk] });
    await expect(createSigner(masterKey).sign(rewrapped, lint(configuration(key)))).rejects.toThrow(UnsealError);
    expect(() => signer.rewrap({ ...key, owner: 'authority-2' }, nextMasterKey)).toThrow(UnsealError);
  });
});
