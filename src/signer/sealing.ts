/** Sealing of private keys: AES-256-GCM under the master key, bound to what the key is for. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const FORMAT = 1;
const KEY_ID_BYTES = 8;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + IV_BYTES;

/** What a sealed key belongs to; it opens for exactly this owner, key and purpose. */
export interface SealContext {
  owner: string;
  kid: string;
  purpose: string;
}

/** The sealed bytes were made under another master key, for another context, or were changed. */
export class UnsealError extends Error {
  override readonly name = 'UnsealError';
}

/** 256 bits that seal all private keys of the deployment. Never printed, never stored with what it seals. */
export class MasterKey {
  readonly #key: Uint8Array;
  readonly #id: Uint8Array;

  /** @throws TypeError unless given 32 bytes */
  constructor(key: Uint8Array) {
    if (key.length !== 32) throw new TypeError('a master key has 32 bytes');
    this.#key = Uint8Array.from(key);
    this.#id = createHash('sha256').update('holdfast master key id').update(key).digest().subarray(0, KEY_ID_BYTES);
  }

  /** format ‖ key id ‖ iv ‖ ciphertext ‖ tag */
  seal(plaintext: Uint8Array, context: SealContext): Uint8Array {
    const header = Buffer.concat([Uint8Array.of(FORMAT), this.#id, randomBytes(IV_BYTES)]);
    const cipher = createCipheriv('aes-256-gcm', this.#key, header.subarray(1 + KEY_ID_BYTES));
    cipher.setAAD(additionalData(header, context));
    return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws UnsealError */
  unseal(sealed: Uint8Array, context: SealContext): Uint8Array {
    const bytes = Buffer.from(sealed);
    if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes[0] !== FORMAT) throw new UnsealError('is not a sealed key');
    const header = bytes.subarray(0, HEADER_BYTES);
    if (!header.subarray(1, 1 + KEY_ID_BYTES).equals(this.#id)) {
      throw new UnsealError('was sealed under another master key; point HOLDFAST_MASTER_KEY_FILE at the right one');
    }
    const decipher = createDecipheriv('aes-256-gcm', this.#key, header.subarray(1 + KEY_ID_BYTES));
    decipher.setAAD(additionalData(header, context));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES, bytes.length - TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw new UnsealError('belongs to another key or was changed', { cause });
    }
  }
}

function additionalData(header: Uint8Array, context: SealContext): Uint8Array {
  return Buffer.concat([header, Buffer.from(JSON.stringify([context.owner, context.kid, context.purpose]))]);
}
