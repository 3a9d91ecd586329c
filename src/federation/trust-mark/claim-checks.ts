/** Claims that Trust Marks, delegations and status answers share: identifiers, type, times, links. @see OIDFED §7.1, §7.2.1 */
import { FederationError, pointer } from '../errors.ts';
import { type IdentifierOptions, parseEntityIdentifier } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';
import { DEFAULT_LEEWAY_SECONDS, isNumericDate, type NumericDate } from '../time.ts';

/** The moment to judge by. */
export interface JudgingTime {
  /** Seconds since the epoch. */
  now: NumericDate;
  /** Widens both time checks, in seconds. */
  leewaySeconds?: number;
}

/** @throws FederationError claim_missing, entity_identifier_invalid */
export function checkIdentifierClaim(claims: JsonObject, claim: string, options: IdentifierOptions): void {
  checkPresent(claims, claim);
  parseEntityIdentifier(claims[claim], options, pointer(claim));
}

/** @throws FederationError claim_missing, claim_invalid unless the claim is a string with at least one character */
export function checkTextClaim(claims: JsonObject, claim: string): void {
  checkPresent(claims, claim);
  if (typeof claims[claim] !== 'string' || claims[claim] === '') {
    throw new FederationError('claim_invalid', 'must be a non-empty string', pointer(claim));
  }
}

/** @throws FederationError claim_missing, claim_invalid unless there is an `iat`, and each time is a NumericDate */
export function checkTimeClaims(claims: JsonObject): void {
  checkPresent(claims, 'iat');
  for (const claim of ['iat', 'exp']) {
    if (Object.hasOwn(claims, claim) && !isNumericDate(claims[claim])) {
      throw new FederationError('claim_invalid', 'must be a number of seconds', pointer(claim));
    }
  }
}

/**
 * Links end up before people's eyes, so they may lead to the web only, whatever a browser would make of other schemes.
 * @throws FederationError claim_invalid unless the claim is absent or an absolute http(s) URL without user info
 */
export function checkLinkClaim(claims: JsonObject, claim: string): void {
  if (!Object.hasOwn(claims, claim)) return;
  const value = claims[claim];
  const url = typeof value === 'string' && /^https?:\/\//i.test(value) ? URL.parse(value) : null;
  if (url === null || url.username !== '' || url.password !== '') {
    throw new FederationError('claim_invalid', 'must be an https URL', pointer(claim));
  }
}

/**
 * Judges the times of a Trust Mark or a delegation; without `exp` it never expires.
 * @param what names it in the message: `Trust Mark`
 * @throws FederationError trust_mark_not_yet_valid, trust_mark_expired
 * @see OIDFED §7.2.2, §7.3
 */
export function checkTimes(
  what: string,
  { iat, exp }: { iat: NumericDate; exp?: NumericDate },
  { now, leewaySeconds = DEFAULT_LEEWAY_SECONDS }: JudgingTime,
): void {
  if (iat > now + leewaySeconds) {
    const message = `the ${what} was issued ${Math.ceil(iat - now)} s in the future; compare the clocks`;
    throw new FederationError('trust_mark_not_yet_valid', message, '/iat');
  }
  if (exp !== undefined && exp <= now - leewaySeconds) {
    const message = `the ${what} expired ${Math.floor(now - exp)} s ago; its issuer must give out a fresh one`;
    throw new FederationError('trust_mark_expired', message, '/exp');
  }
}

function checkPresent(claims: JsonObject, claim: string): void {
  if (!Object.hasOwn(claims, claim)) throw new FederationError('claim_missing', 'is required', pointer(claim));
}

/** Runs a step; a refusal by the rules that all signed JWTs share becomes one of this section, at a place within. */
export function underSection<T>(section: string, step: () => T, within?: string): T {
  try {
    return step();
  } catch (error) {
    throw restated(error, section, within);
  }
}

/** The same of something asynchronous. */
export async function underSectionAsync<T>(section: string, step: () => Promise<T>, within?: string): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw restated(error, section, within);
  }
}

function restated(error: unknown, section: string, within: string | undefined): unknown {
  if (!(error instanceof FederationError)) return error;
  const refusal = error.demandedBy(section);
  return within === undefined ? refusal : refusal.within(within);
}
