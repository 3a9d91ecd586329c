/** Keys in a form that two people can compare on the telephone. @see RFC 7638 */
import type { Jwk } from '../../federation/jwk-set.ts';
import { keyThumbprint } from '../../federation/key-thumbprint.ts';

export interface KeyThumbprint {
  kid: string;
  /** `alg`, or the key type where the key names none. */
  algorithm: string;
  /** SHA-256, base64url. */
  thumbprint: string;
}

export async function keyThumbprints(keys: readonly Jwk[]): Promise<KeyThumbprint[]> {
  return await Promise.all(
    keys.map(async (key) => ({
      kid: key.kid,
      algorithm: key.alg ?? [key.kty, key.crv].filter((part) => part !== undefined).join(' '),
      thumbprint: await keyThumbprint(key),
    })),
  );
}

/** Groups of four characters are read out more easily. */
export function grouped(thumbprint: string): string {
  return thumbprint.replace(/(.{4})(?=.)/g, '$1 ');
}
