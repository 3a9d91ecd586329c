/** Keys that a Trust Anchor no longer uses: what they still prove about the past. @see OIDFED §8.7 */
import { FederationError, pointer } from '../errors.ts';
import type { EntityIdentifier } from '../identifiers.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { checkJwkSet, type Jwk, type JwkSet } from '../jwk-set.ts';
import { TYP } from '../media-types.ts';
import { decodeJwt, parseSignedJwt, verifySignature } from '../signature.ts';
import { isNumericDate, type NumericDate } from '../time.ts';
import type { TrustAnchors } from './trust-chain.ts';

export interface HistoricalKeys {
  iss: EntityIdentifier;
  keys: HistoricalKey[];
}

export interface HistoricalKey {
  jwk: Jwk;
  /** When it ended, seconds since the epoch; the earlier of expiry and revocation. */
  endedAt: NumericDate;
  /** Whoever has it may have signed with any date. */
  isCompromised: boolean;
}

/**
 * Reads and verifies a historical keys document.
 * @param jwks the keys that its issuer is believed by now
 * @throws FederationError issuer_mismatch, claim_missing, claim_invalid, jwks_invalid, jwk_private, and those of a JWT
 *   and its signature
 */
export async function validateHistoricalKeys(
  jwt: unknown,
  { issuer, jwks }: { issuer: EntityIdentifier; jwks: JwkSet },
): Promise<HistoricalKeys> {
  const signed = parseSignedJwt(jwt, TYP.jwkSet);
  if (signed.claims['iss'] !== issuer) {
    throw new FederationError('issuer_mismatch', `must be ${issuer}, character by character`, '/iss');
  }
  if (!isNumericDate(signed.claims['iat'])) throw new FederationError('claim_invalid', 'must be a time', '/iat');
  const members = signed.claims['keys'];
  if (!Array.isArray(members)) throw new FederationError('claim_invalid', 'must be an array of keys', '/keys');
  await verifySignature(signed, jwks);
  const { keys } = members.length === 0 ? { keys: [] } : checkJwkSet({ keys: members }, '');
  return { iss: issuer, keys: keys.map((jwk, index) => historicalKey(jwk, pointer('keys', index))) };
}

function historicalKey(jwk: Jwk, at: string): HistoricalKey {
  const { exp } = jwk;
  if (!isNumericDate(exp))
    throw new FederationError('claim_missing', 'a historical key says when it ended', `${at}/exp`);
  const revoked = jwk['revoked'] as JsonValue | undefined;
  if (revoked === undefined) return { jwk, endedAt: exp, isCompromised: false };
  return { jwk, ...revocation(revoked, exp, `${at}/revoked`) };
}

function revocation(
  revoked: JsonValue,
  exp: NumericDate,
  at: string,
): Pick<HistoricalKey, 'endedAt' | 'isCompromised'> {
  const members: JsonObject = isJsonObject(revoked) ? revoked : {};
  const { revoked_at: revokedAt, reason } = members;
  if (!isNumericDate(revokedAt)) throw new FederationError('claim_invalid', 'must be a time', `${at}/revoked_at`);
  return { endedAt: Math.min(exp, revokedAt), isCompromised: reason === 'compromised' };
}

/**
 * The Trust Anchors, for one chain, with those historical keys that ended after their Trust Anchor issued each of its
 * statements in this chain. A compromised key proves nothing, whatever the dates say.
 */
export function withHistoricalKeys(
  trustChain: readonly unknown[],
  trustAnchors: TrustAnchors,
  { iss, keys }: HistoricalKeys,
): TrustAnchors {
  const current = trustAnchors.get(iss);
  if (current === undefined) return trustAnchors;
  const latestIat = Math.max(...trustChain.map((jwt) => issuanceBy(iss, jwt)));
  const kids = new Set(current.keys.map(({ kid }) => kid));
  const usable = keys.filter(
    ({ jwk, endedAt, isCompromised }) => !isCompromised && endedAt > latestIat && !kids.has(jwk.kid),
  );
  const jwks = { keys: [...current.keys, ...usable.map(({ jwk }) => withoutEnd(jwk))] };
  return new Map([...trustAnchors, [iss, jwks]]);
}

/** `iat` of a statement by this issuer. What is no statement says nothing here and is refused with the chain. */
function issuanceBy(issuer: EntityIdentifier, jwt: unknown): NumericDate {
  try {
    const { iss, iat } = decodeJwt(jwt).claims;
    return iss === issuer && isNumericDate(iat) ? iat : Number.NEGATIVE_INFINITY;
  } catch (error) {
    if (error instanceof FederationError) return Number.NEGATIVE_INFINITY;
    throw error;
  }
}

/** Whether it had ended was judged by the statements' own time. */
function withoutEnd({ exp: _, revoked: __, ...jwk }: Jwk): Jwk {
  return jwk as Jwk;
}
