/** An authority's historical keys document: keys no longer in use. @see OIDFED §8.7 */
import type { JsonObject } from '../federation/json.ts';
import { type HouseRules, lintHistoricalKeys } from '../federation/lint/lint-statement.ts';
import type { NumericDate } from '../federation/time.ts';
import type { AuthorityKey } from '../registry/authorities/authority.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';
import type { SealedKey, Signer } from '../signer/signer.ts';
import { lintOwn } from './lint-own.ts';
import type { IssuedStatement } from './statement-issuer.ts';

/** The document has no `exp`; it is signed anew after a day. */
export const HISTORICAL_KEYS_LIFETIME_SECONDS = 86_400;

/** The claims of the document, `iat` aside. */
export function buildHistoricalKeys({ authority, keys }: ServedAuthority): JsonObject {
  return { iss: authority.entityIdentifier, keys: keys.filter(isHistorical).map(historicalKey) };
}

/** Grows with every change of the authority and of its keys: these are never removed, and no state is left again. */
export function historicalKeysVersion({ authority, keys }: ServedAuthority): number {
  const revoked = keys.filter(({ revokedAt }) => revokedAt !== null);
  return authority.version + keys.length + keys.filter(isHistorical).length + revoked.length;
}

/** Claims with `iat` → lint → sign. */
export async function signHistoricalKeys(
  { claims, lifetimeSeconds }: { claims: JsonObject; lifetimeSeconds: number },
  key: SealedKey,
  now: NumericDate,
  { signer, houseRules }: { signer: Signer; houseRules: HouseRules },
): Promise<IssuedStatement> {
  const linted = lintOwn('historical keys', () => lintHistoricalKeys({ ...claims, iat: now }, houseRules));
  const end = now + lifetimeSeconds;
  return { jwt: await signer.sign(key, linted), expiresAt: end, refreshAt: end };
}

function isHistorical({ state }: AuthorityKey): boolean {
  return state !== 'active';
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
