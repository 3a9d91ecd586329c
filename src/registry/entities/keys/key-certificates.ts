/** Certificates that registered keys come with, as an entity's configuration shows them. @see RFC 7517 §4.7 */
import { type JsonValue, jsonEquals } from '../../../federation/json.ts';
import { isSamePublicKey, type Jwk } from '../../../federation/jwk-set.ts';
import { publishedKeyComplaint } from '../../../federation/lint/published-key.ts';

/** What speaks of a certificate: none of it outlives the one that it speaks of. */
const CERTIFICATE_MEMBERS: ReadonlySet<string> = new Set(['x5c', 'x5t', 'x5t#S256', 'x5u']);

/**
 * Registered keys that are published without their certificate, or with another, as they are registered from now on. What
 * is published no more counts no more; a new certificate counts only where new keys do.
 * @param isAccepted whether the authority takes what is published without asking anybody
 */
export function recertified(keys: readonly Jwk[], shown: readonly Jwk[], isAccepted: boolean): Jwk[] {
  return keys.flatMap((key) => {
    const published = publishedAs(key, shown);
    if (published === undefined || isSameCertificate(key, published)) return [];
    const isTaken = isAccepted && published['x5c'] !== undefined && publishedKeyComplaint(published) === undefined;
    if (!isTaken && key['x5c'] === undefined) return [];
    const bare = Object.entries(key).filter(([member]) => !CERTIFICATE_MEMBERS.has(member));
    return [{ ...(Object.fromEntries(bare) as Jwk), ...(isTaken ? { x5c: published['x5c'] } : {}) }];
  });
}

/** Registered keys that are published with a certificate that is not registered with them. */
export function uncertified(keys: readonly Jwk[], shown: readonly Jwk[]): Jwk[] {
  return keys.filter((key) => {
    const published = publishedAs(key, shown);
    return published?.['x5c'] !== undefined && !isSameCertificate(key, published);
  });
}

function publishedAs(key: Jwk, shown: readonly Jwk[]): Jwk | undefined {
  return shown.find((published) => published.kid === key.kid && isSamePublicKey(published, key));
}

function isSameCertificate(one: Jwk, other: Jwk): boolean {
  return jsonEquals((one['x5c'] ?? null) as JsonValue, (other['x5c'] ?? null) as JsonValue);
}
