/** Keys in a form that people can compare. @see RFC 7638 */
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Jwk } from './jwk-set.ts';

/** SHA-256 over the members that make the key, base64url: what two people read to each other. */
export function keyThumbprint(key: Jwk): Promise<string> {
  return calculateJwkThumbprint(key as JWK);
}
