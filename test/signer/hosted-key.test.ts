import { compactDecrypt, exportJWK, generateKeyPair, importJWK } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Jwk } from '../../src/federation/jwk-set.ts';
import { lintEntityStatement } from '../../src/federation/lint/lint-entity-statement.ts';
import { lintHostedConfiguration } from '../../src/federation/lint/lint-hosted-configuration.ts';
import { lintTrustMark } from '../../src/federation/lint/lint-trust-mark.ts';
import { MasterKey } from '../../src/signer/sealing.ts';
import { createSigner } from '../../src/signer/signer.ts';
import { NOW } from '../support/federation.ts';

const ENTITY = 'https://entities.example/clinic';
const ANCHOR = 'https://anchor.example';
const RULES = { maxLifetimeSeconds: 86_400 };
const signer = createSigner(new MasterKey(new Uint8Array(32).fill(3)));
const key = await signer.generateKey(ENTITY, 'ES256', 'hosted-entity');
const authorityKey = await signer.generateKey('authority-id', 'ES256');

const claims = (iss: string, sub: string) => ({
  ...{ iss, sub, iat: NOW, exp: NOW + 60 },
  jwks: { keys: [key.publicJwk as Record<string, string>] },
});
const configuration = (of: string) => ({
  ...claims(of, of),
  authority_hints: [ANCHOR],
  metadata: { openid_relying_party: { client_name: 'Clinic' } },
});

describe('the key of a hosted entity', () => {
  it('signs the Entity Configuration of that entity', async () => {
    const jwt = await signer.sign(key, lintHostedConfiguration(configuration(ENTITY), RULES));
    expect(jwt.split('.')).toHaveLength(3);
  });

  it.each([
    ['the configuration of another entity', lintHostedConfiguration(configuration(`${ENTITY}/2`), RULES)],
    ['a Subordinate Statement, also about itself by another', lintEntityStatement(claims(ANCHOR, ENTITY), RULES)],
    ['a Subordinate Statement of its own', lintEntityStatement(claims(ENTITY, ANCHOR), RULES)],
    [
      'a Trust Mark of its own about itself',
      lintTrustMark(
        { iss: ENTITY, sub: ENTITY, iat: NOW, exp: NOW + 60, trust_mark_type: 'https://marks.example/m' },
        RULES,
      ),
    ],
  ])('does not sign %s', async (_, statement) => {
    await expect(signer.sign(key, statement)).rejects.toThrow(
      /signs Entity Configurations of .*clinic and nothing else/,
    );
  });

  it('opens for its owner and purpose only: neither can be changed to let it sign more', async () => {
    const statement = () => lintEntityStatement(claims(ENTITY, ANCHOR), RULES);
    await expect(signer.sign({ ...key, purpose: 'federation' }, statement())).rejects.toThrow(/another key/);
    const other = { ...key, owner: `${ENTITY}/2` };
    const theirs = lintHostedConfiguration(configuration(`${ENTITY}/2`), RULES);
    await expect(signer.sign(other, theirs)).rejects.toThrow(/another key/);
  });

  it('does not stay open: without its sealed half nothing is signed any more', async () => {
    await signer.sign(key, lintHostedConfiguration(configuration(ENTITY), RULES));
    const destroyed = { ...key, sealedPrivateKey: new Uint8Array(60) };
    await expect(signer.sign(destroyed, lintHostedConfiguration(configuration(ENTITY), RULES))).rejects.toThrow();
  });

  it('is handed out as a private JWK that its recipient alone can open', async () => {
    const recipient = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const stranger = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const to = { ...(await exportJWK(recipient.publicKey)), kid: 'theirs' } as Jwk;
    const jwe = await signer.exportKey(key, to);
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, recipient.privateKey);
    expect(protectedHeader).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'jwk+json', kid: 'theirs' });
    const { d, ...publicMembers } = JSON.parse(new TextDecoder().decode(plaintext));
    expect(d).toEqual(expect.any(String));
    // As it is registered: with what names it, so that whoever takes it can sign with it as it is.
    expect(publicMembers).toEqual(key.publicJwk);
    expect(publicMembers).toMatchObject({ kid: key.kid, alg: 'ES256', use: 'sig' });
    await importJWK({ d, ...publicMembers });
    await expect(compactDecrypt(jwe, stranger.privateKey)).rejects.toThrow();
  });
});

describe('the key of an authority', () => {
  it('is never handed out', async () => {
    const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const to = { ...(await exportJWK(publicKey)), kid: 'theirs' } as Jwk;
    await expect(signer.exportKey(authorityKey, to)).rejects.toThrow(/stays here/);
  });
});
