/** The claims of an authority's historical keys document: keys no longer in use. @see OIDFED §8.7 */
import type { JsonObject } from '../federation/json.ts';
import type { NumericDate } from '../federation/time.ts';
import type { AuthorityKey } from '../registry/authorities/authority.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';

export function buildHistoricalKeys({ authority, keys }: ServedAuthority, now: NumericDate): JsonObject {
  return {
    iss: authority.entityIdentifier,
    iat: now,
    keys: keys.filter((key) => key.state !== 'active').map(historicalKey),
  };
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
