/** Keys made in this process and kept in the database, sealed under the master key; opened in memory to sign. */
import { webcrypto } from 'node:crypto';
import { CompactEncrypt, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { Algorithm } from '../../federation/signature.ts';
import type { MasterKey, SealContext } from '../sealing.ts';
import { type KeyCustody, RSA_MODULUS_BITS, type SealedKey } from './key-custody.ts';

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

export interface SealedCustody extends KeyCustody<SealedKey> {
  /** The same key sealed under another master key. @throws UnsealError */
  rewrap(key: SealedKey, masterKey: MasterKey): Uint8Array;
  /** The private JWK of a hosted entity's key, encrypted to a key of that entity. @throws UnsealError */
  exportKey(key: SealedKey, recipient: Jwk): Promise<string>;
}

const encoder = new TextEncoder();

export function createSealedCustody(masterKey: MasterKey): SealedCustody {
  /**
   * Opened keys, not extractable, by all that a sealed key is bound to: what is open for one owner is so for no other.
   * Those of hosted entities sign now and then, and are destroyed when they are handed over: none stays open.
   */
  const openedKeys = new Map<string, Promise<webcrypto.CryptoKey>>();

  function opened(key: SealedKey): Promise<webcrypto.CryptoKey> {
    if (key.purpose === 'hosted-entity') return openKey(key, masterKey);
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
    async generateKey(owner, alg, purpose) {
      const { publicKey, privateKey } = await generateKeyPair(alg, {
        extractable: true,
        modulusLength: RSA_MODULUS_BITS,
      });
      const publicMembers = await exportJWK(publicKey);
      const kid = await calculateJwkThumbprint(publicMembers);
      const context = { owner, kid, purpose };
      const plaintext = encoder.encode(JSON.stringify(await exportJWK(privateKey)));
      const sealedPrivateKey = masterKey.seal(plaintext, context);
      plaintext.fill(0);
      const publicJwk = { ...publicMembers, kid, alg, use: 'sig' } as Jwk;
      return { ...context, alg, publicJwk, custody: 'sealed', sealedPrivateKey };
    },
    async sign(key, signingInput) {
      const privateKey = await opened(key);
      return new Uint8Array(await webcrypto.subtle.sign(SIGNATURE_PARAMETERS[key.alg], privateKey, signingInput));
    },
    rewrap(key, newMasterKey) {
      const plaintext = masterKey.unseal(key.sealedPrivateKey, sealContext(key));
      const sealed = newMasterKey.seal(plaintext, sealContext(key));
      plaintext.fill(0);
      return sealed;
    },
    async exportKey(key, recipient) {
      if (key.purpose !== 'hosted-entity') throw new TypeError(`the key ${key.kid} is an authority's and stays here`);
      const plaintext = masterKey.unseal(key.sealedPrivateKey, sealContext(key));
      try {
        return await encryptedKey(plaintext, key, recipient);
      } finally {
        plaintext.fill(0);
      }
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

/**
 * A JWK as RFC 7517 §7 has it encrypted, to whoever holds the private half of `recipient` alone. It names itself as the
 * Subordinate Statement does.
 */
async function encryptedKey(plaintext: Uint8Array, { kid, alg }: SealedKey, recipient: Jwk): Promise<string> {
  const { kty, crv, x, y } = recipient;
  const publicKey = await importJWK({ kty, crv, x, y } as JWK, 'ECDH-ES');
  const members: JWK = JSON.parse(new TextDecoder().decode(plaintext));
  const jwk = encoder.encode(JSON.stringify({ ...members, kid, alg, use: 'sig' }));
  try {
    return await new CompactEncrypt(jwk)
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'jwk+json', kid: recipient.kid })
      .encrypt(publicKey);
  } finally {
    jwk.fill(0);
  }
}
