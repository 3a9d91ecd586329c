/** An authority's historical keys document: keys no longer in use. @see OIDFED §8.7 */
import type { JsonObject } from '../federation/json.ts';
import type { HouseRules } from '../federation/lint/house-rules.ts';
import { lintHistoricalKeys } from '../federation/lint/lint-historical-keys.ts';
import type { NumericDate } from '../federation/time.ts';
import { type AuthorityKey, isPublishedKey } from '../registry/authorities/authority.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';
import type { SigningKey } from '../signer/custody/key-custody.ts';
import type { Signer } from '../signer/signer.ts';
import type { IssuedStatement } from './issued-statement.ts';
import { lintOwn } from './lint-own.ts';

/** The document has no `exp`; it is signed anew after a day. */
export const HISTORICAL_KEYS_LIFETIME_SECONDS = 86_400;

/** The claims of the document, `iat` aside. */
export function buildHistoricalKeys({ authority, keys }: ServedAuthority): JsonObject {
  return { iss: authority.entityIdentifier, keys: keys.filter((key) => !isPublishedKey(key)).map(historicalKey) };
}

/** Claims with `iat` → lint → sign. */
export async function signHistoricalKeys(
  { claims, lifetimeSeconds }: { claims: JsonObject; lifetimeSeconds: number },
  key: SigningKey,
  now: NumericDate,
  { signer, houseRules }: { signer: Signer; houseRules: HouseRules },
): Promise<IssuedStatement> {
  const linted = lintOwn('historical keys', () => lintHistoricalKeys({ ...claims, iat: now }, houseRules));
  const end = now + lifetimeSeconds;
  return { jwt: await signer.sign(key, linted), expiresAt: end, refreshAt: end };
}

/** A key that was withdrawn without an expiry of its own ended with its revocation. */
function historicalKey(key: AuthorityKey): JsonObject {
  const jwk: JsonObject = { ...key.publicJwk, iat: seconds(key.createdAt) };
  const end = key.expiresAt ?? key.revokedAt;
  if (end !== null) jwk['exp'] = seconds(end);
  if (key.revokedAt !== null) {
    jwk['revoked'] = {
      revoked_at: seconds(key.revokedAt),
      ...(key.revocationReason && { reason: key.revocationReason }),
    };
  }
  return jwk;
}

function seconds(date: Date): NumericDate {
  return Math.floor(date.getTime() / 1000);
}
