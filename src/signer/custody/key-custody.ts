/** Who holds the private halves of our keys: the database, sealed, or a token. They never leave their custody. */
import type { Jwk } from '../../federation/jwk-set.ts';
import type { Algorithm } from '../../federation/signature.ts';

/**
 * What a key may sign: whatever an authority says; the Entity Configuration of the hosted entity that owns it; certificates
 * and lists of revocations; or what is said of the status of certificates.
 */
export type KeyPurpose = 'federation' | 'hosted-entity' | 'certification-authority' | 'ocsp-responder';

interface Key {
  kid: string;
  alg: Algorithm;
  /** Who signs with it: the id of the authority or certification authority, or the Entity Identifier of a hosted entity. */
  owner: string;
  purpose: KeyPurpose;
}

/** A key that the database holds, its private half only sealed. */
export interface SealedKey extends Key {
  custody?: 'sealed';
  sealedPrivateKey: Uint8Array;
  tokenObject?: null;
}

/** A key that a PKCS#11 token holds. */
export interface TokenKey extends Key {
  custody: 'pkcs11';
  sealedPrivateKey: null;
  /** Where the token has it: its CKA_ID in hexadecimal. */
  tokenObject: string;
}

/** What a key in the token is found by. */
export type TokenKeyPlace = Pick<TokenKey, 'owner' | 'purpose' | 'tokenObject'>;

/** Hears of a key in the token before it is made, so that it can be destroyed whatever becomes of who wanted it. */
export type NoteTokenKey = (place: TokenKeyPlace) => Promise<void>;

/** A key as the registry keeps it, with what its custody needs to sign with it. */
export type SigningKey = SealedKey | TokenKey;

/** A key as it was made. */
export type GeneratedKey<Held extends SigningKey = SigningKey> = Held & { publicJwk: Jwk };

/** Makes keys and signs with those that it made, for their owner alone. */
export interface KeyCustody<Held extends SigningKey> {
  /** Makes a key pair; its `kid` is the thumbprint of RFC 7638. @throws CustodyUnavailable */
  generateKey(owner: string, alg: Algorithm, purpose: KeyPurpose, note?: NoteTokenKey): Promise<GeneratedKey<Held>>;
  /** The signature of RFC 7515 over these bytes. @throws CustodyUnavailable, UnsealError */
  sign(key: Held, signingInput: Uint8Array): Promise<Uint8Array>;
}

/** Length of the RSA keys that we make, in bits. */
export const RSA_MODULUS_BITS = 3072;

/** Whoever holds a key cannot be reached, or has it no more: the same may succeed later. */
export class CustodyUnavailable extends Error {
  override readonly name = 'CustodyUnavailable';
  /** For those who cannot know this class, such as the doors. */
  readonly code = 'CUSTODY_UNAVAILABLE';
}
