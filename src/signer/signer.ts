/** The keys we hold: made here, kept sealed, used here; only linted statements are signed. */
import { webcrypto } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
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

type SignatureParameters = Parameters<webcrypto.SubtleCrypto['sign']>[0];

/** How each algorithm signs; what it says of the hash of RSA stands in the key. @see RFC 7518 §3.1, RFC 8037, RFC 9864 */
const SIGNATURE_PARAMETERS: Readonly<Record<Algorithm, SignatureParameters>> = {
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  ES384: { name: 'ECDSA', hash: 'SHA-384' },
  ES512: { name: 'ECDSA', hash: 'SHA-512' },
  Ed25519: { name: 'Ed25519' },
  EdDSA: { name: 'Ed25519' },
  PS256: { name: 'RSA-PSS', saltLength: 32 },
  PS384: { name: 'RSA-PSS', saltLength: 48 },
  PS512: { name: 'RSA-PSS', saltLength: 64 },
  RS256: { name: 'RSASSA-PKCS1-v1_5' },
  RS384: { name: 'RSASSA-PKCS1-v1_5' },
  RS512: { name: 'RSASSA-PKCS1-v1_5' },
};

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
      const header = JSON.stringify({ ...statement.header, typ: statement.typ, alg: key.alg, kid: key.kid });
      return await compactJws(header, statement.spend(), SIGNATURE_PARAMETERS[key.alg], privateKey);
    },
    rewrap(key, newMasterKey) {
      const plaintext = masterKey.unseal(key.sealedPrivateKey, sealContext(key));
      const sealed = newMasterKey.seal(plaintext, sealContext(key));
      plaintext.fill(0);
      return sealed;
    },
  };
}

/**
 * A JWS in compact form (RFC 7515 §7.1). Put together here, on Node's Buffer, because signing is what we do most: jose's
 * CompactSign takes twice the time, most of it for base64url.
 */
async function compactJws(
  header: string,
  payload: string,
  parameters: SignatureParameters,
  privateKey: webcrypto.CryptoKey,
): Promise<string> {
  const signingInput = `${base64url(header)}.${base64url(payload)}`;
  const signature = await webcrypto.subtle.sign(parameters, privateKey, Buffer.from(signingInput, 'latin1'));
  return `${signingInput}.${Buffer.from(signature).toString('base64url')}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
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
