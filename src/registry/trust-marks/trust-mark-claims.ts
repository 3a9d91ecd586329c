/** The claims of a Trust Mark, times aside, and how long it may live. @see OIDFED §7.1 */
import type { JsonObject } from '../../federation/json.ts';
import { MAX_TRUST_MARK_SECONDS } from '../../federation/lint/lint-trust-mark.ts';
import type { TrustMark } from './trust-mark.ts';
import type { TrustMarkType } from './trust-mark-type.ts';

/** What a mark says besides what is its own. */
export type MarkedType = Pick<
  TrustMarkType,
  'trustMarkType' | 'logoUri' | 'ref' | 'additionalClaims' | 'delegation' | 'delegationExpiresAt' | 'lifetimeSeconds'
>;

/** Claims of the mark itself go before those of its type. */
export function buildTrustMark(
  issuer: string,
  type: MarkedType,
  { subject, additionalClaims }: Pick<TrustMark, 'subject' | 'additionalClaims'>,
): JsonObject {
  const claims: JsonObject = {
    ...type.additionalClaims,
    ...additionalClaims,
    iss: issuer,
    sub: subject,
    trust_mark_type: type.trustMarkType,
  };
  if (type.logoUri !== null) claims['logo_uri'] = type.logoUri;
  if (type.ref !== null) claims['ref'] = type.ref;
  if (type.delegation !== null) claims['delegation'] = type.delegation;
  return claims;
}

/**
 * When a mark signed at `now` ends: with its own life, the grant or the delegation, in five years at the latest;
 * undefined if with none of them.
 */
export function endOfMark(
  type: MarkedType,
  { expiresAt }: Pick<TrustMark, 'expiresAt'>,
  now: Date,
): { exp: number } | undefined {
  const ends = [expiresAt, type.delegationExpiresAt].flatMap((end) => (end === null ? [] : [end.getTime() / 1000]));
  const issuedAt = Math.floor(now.getTime() / 1000);
  if (type.lifetimeSeconds !== null) ends.push(issuedAt + type.lifetimeSeconds);
  return ends.length === 0 ? undefined : { exp: Math.floor(Math.min(...ends, issuedAt + MAX_TRUST_MARK_SECONDS)) };
}
