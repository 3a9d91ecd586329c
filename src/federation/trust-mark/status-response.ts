/** Answers of a Trust Mark issuer about the status of one of its marks. @see OIDFED §8.4 */
import { FederationError, pointer } from '../errors.ts';
import type { EntityIdentifier, IdentifierOptions } from '../identifiers.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import type { JwkSet } from '../jwk-set.ts';
import { TYP } from '../media-types.ts';
import { type SignedJwt, verifySignature } from '../signature.ts';
import { DEFAULT_LEEWAY_SECONDS, type NumericDate } from '../time.ts';
import {
  checkIdentifierClaim,
  checkTextClaim,
  checkTimeClaims,
  type JudgingTime,
  underSectionAsync,
} from './claim-checks.ts';
import type { TrustMark } from './trust-mark.ts';
import { parseSignedClaims } from './typed-claims.ts';

/** How old an answer may be when it arrives: it speaks about a moment, so a kept one says nothing. */
export const DEFAULT_MAX_STATUS_AGE_SECONDS = 60;

export interface TrustMarkStatusClaims {
  iss: EntityIdentifier;
  iat: NumericDate;
  /** The mark asked about, as it was sent. */
  trust_mark: string;
  /** `active`, `expired`, `revoked`, `invalid`, or what a federation adds. */
  status: string;
  [claim: string]: JsonValue | undefined;
}

export type TrustMarkStatusResponse = SignedJwt<TrustMarkStatusClaims>;

export interface TrustMarkStatusOptions extends IdentifierOptions, JudgingTime {
  /** The mark that was asked about. */
  mark: TrustMark;
  /** Federation Entity Keys of the mark's issuer. */
  issuerKeys: JwkSet;
  /** How old the answer may be, in seconds, besides the leeway. */
  maxAgeSeconds?: number;
}

/**
 * Parses a status answer: `typ`, `alg`, `kid`, and the shape of its claims.
 * @throws FederationError any reason of parseSignedJwt; claim_missing, claim_invalid, entity_identifier_invalid
 * @see OIDFED §8.4
 */
export function parseTrustMarkStatus(jwt: unknown, options: IdentifierOptions = {}): TrustMarkStatusResponse {
  return parseSignedClaims(jwt, {
    typ: TYP.trustMarkStatusResponse,
    jwtSection: '8.4',
    claimsSection: '8.4',
    check: (claims) => checkStatusClaims(claims, options),
  });
}

/** @throws FederationError claim_missing, claim_invalid, entity_identifier_invalid @see OIDFED §8.4 */
export function checkStatusClaims(claims: JsonObject, options: IdentifierOptions): TrustMarkStatusClaims {
  checkIdentifierClaim(claims, 'iss', options);
  checkTimeClaims(claims);
  checkTextClaim(claims, 'trust_mark');
  checkTextClaim(claims, 'status');
  return claims as TrustMarkStatusClaims;
}

/**
 * Decides whether an answer confirms the mark: signed by the mark's issuer, about this very mark, fresh, and `active`
 * to the letter.
 * @throws FederationError issuer_mismatch, trust_mark_status_mismatch, trust_mark_status_not_fresh, key_not_found,
 *   key_unsuitable, signature_invalid, trust_mark_status_not_active, and the reasons of parseTrustMarkStatus
 * @see OIDFED §8.4
 */
export async function validateTrustMarkStatus(
  jwt: unknown,
  options: TrustMarkStatusOptions,
): Promise<TrustMarkStatusResponse> {
  const response = parseTrustMarkStatus(jwt, options);
  const { iss, trust_mark: echo, status } = response.claims;
  if (iss !== options.mark.claims.iss) {
    const message = `must be the issuer of the mark, ${options.mark.claims.iss}`;
    throw new FederationError('issuer_mismatch', message, '/iss', { section: '8.4' });
  }
  if (echo !== options.mark.jwt) {
    const message = 'the answer is about another Trust Mark than the one asked about';
    throw new FederationError('trust_mark_status_mismatch', message, pointer('trust_mark'));
  }
  checkFresh(response.claims, options);
  await underSectionAsync('8.4', () => verifySignature(response, options.issuerKeys));
  if (status !== 'active') {
    const message = `its issuer says that the mark is ${JSON.stringify(status.slice(0, 100))}, not "active"`;
    throw new FederationError('trust_mark_status_not_active', message, '/status');
  }
  return response;
}

function checkFresh(claims: TrustMarkStatusClaims, options: TrustMarkStatusOptions): void {
  const { now, leewaySeconds = DEFAULT_LEEWAY_SECONDS, maxAgeSeconds = DEFAULT_MAX_STATUS_AGE_SECONDS } = options;
  const { iat, exp } = claims;
  if (iat > now + leewaySeconds) {
    const message = `the answer was issued ${Math.ceil(iat - now)} s in the future; compare the clocks`;
    throw new FederationError('trust_mark_status_not_fresh', message, '/iat');
  }
  if (iat < now - maxAgeSeconds - leewaySeconds) {
    const message = `the answer is ${Math.floor(now - iat)} s old; at most ${maxAgeSeconds} s are accepted`;
    throw new FederationError('trust_mark_status_not_fresh', message, '/iat');
  }
  if (typeof exp === 'number' && exp <= now - leewaySeconds) {
    throw new FederationError('trust_mark_status_not_fresh', 'the answer has expired', '/exp');
  }
}
