/** The keys we hold: made here, kept sealed, used here; only linted statements are signed. */
import type { webcrypto } from 'node:crypto';
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type { Jwk } from '../federation/jwk-set.ts';
import type { LintedStatement } from '../federation/lint/lint-statement.ts';
import type { Algorithm } from '../federation/signature.ts';
import type { MasterKey, SealContext } from './sealing.ts';

/** A key as the registry keeps it: the private half only sealed. */
export interface SealedKey {
  kid: string;
  alg: Algorithm;
  /** Who signs with it: the id of the authority. */
  owner: string;
  purpose: 'federation';
  sealedPrivateKey: Uint8Array;
}

export interface GeneratedKey extends SealedKey {
  publicJwk: Jwk;
}

export interface Signer {
  /** Makes a key pair; its `kid` is the thumbprint of RFC 7638. */
  generateKey(owner: string, alg: Algorithm): Promise<GeneratedKey>;
  /** Signs what a lint let pass. @throws UnsealError */
  sign(key: SealedKey, statement: LintedStatement): Promise<string>;
  /** The same key sealed under another master key. @throws UnsealError */
  rewrap(key: SealedKey, masterKey: MasterKey): Uint8Array;
}

const encoder = new TextEncoder();

export function createSigner(masterKey: MasterKey): Signer {
  /** Opened keys, not extractable, by all that a sealed key is bound to: what is open for one owner is so for no other. */
  const openedKeys = new Map<string, Promise<webcrypto.CryptoKey>>();

  function opened(key: SealedKey): Promise<webcrypto.CryptoKey> {
    const name = JSON.stringify([key.owner, key.kid, key.purpose, key.alg]);
    let privateKey = openedKeys.get(name);
    if (privateKey === undefined) {
      privateKey = openKey(key, masterKey);
      openedKeys.set(name, privateKey);
      privateKey.catch(() => openedKeys.delete(name));
    }
    return privateKey;
  }

  return {
    async generateKey(owner, alg) {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 3072 });
      const publicMembers = await exportJWK(publicKey);
      const kid = await calculateJwkThumbprint(publicMembers);
      const context = { owner, kid, purpose: 'federation' } as const;
      const plaintext = encoder.encode(JSON.stringify(await exportJWK(privateKey)));
      const sealedPrivateKey = masterKey.seal(plaintext, context);
      plaintext.fill(0);
      const publicJwk = { ...publicMembers, kid, alg, use: 'sig' } as Jwk;
      return { ...context, alg, publicJwk, sealedPrivateKey };
    },
    async sign(key, statement) {
      const privateKey = await opened(key);
      return new CompactSign(encoder.encode(statement.spend()))
        .setProtectedHeader({ ...statement.header, typ: statement.typ, alg: key.alg, kid: key.kid })
        .sign(privateKey);
    },
    rewrap(key, newMasterKey) {
      const plaintext = masterKey.unseal(key.sealedPrivateKey, sealContext(key));
      const sealed = newMasterKey.seal(plaintext, sealContext(key));
      plaintext.fill(0);
      return sealed;
    },
  };
}

function sealContext({ owner, kid, purpose }: SealedKey): SealContext {
  return { owner, kid, purpose };
}

async function openKey(key: SealedKey, masterKey: MasterKey): Promise<webcrypto.CryptoKey> {
  const plaintext = masterKey.unseal(key.sealedPrivateKey, sealContext(key));
  const jwk: JWK = JSON.parse(new TextDecoder().decode(plaintext));
  plaintext.fill(0);
  return (await importJWK({ ...jwk, ext: false }, key.alg)) as webcrypto.CryptoKey;
}
