/** Limits of this deployment on what it signs, whatever the standard permits. */
import { FederationError } from '../errors.ts';
import { type JsonObject, parseJson } from '../json.ts';
import type { StatementOptions } from '../statement/entity-statement.ts';
import { isNumericDate } from '../time.ts';

/** Limits of this deployment on what it signs. */
export interface HouseRules extends StatementOptions {
  /** Longest life of anything signed, in seconds. */
  maxLifetimeSeconds: number;
}

/** @throws FederationError claim_missing, lint_failed unless it has a life, and one that is not too long @see OIDFED §3.1.1 */
export function lintLifetime(claims: JsonObject, rules: HouseRules): void {
  const { iat, exp } = claims;
  if (!isNumericDate(iat)) throw new FederationError('claim_missing', 'is required', '/iat');
  if (!isNumericDate(exp)) throw new FederationError('claim_missing', 'is required', '/exp');
  if (exp <= iat) throw new FederationError('lint_failed', 'would expire before it is issued', '/exp');
  if (exp - iat > rules.maxLifetimeSeconds) {
    throw new FederationError('lint_failed', `would live longer than ${rules.maxLifetimeSeconds} s`, '/exp');
  }
}

/**
 * What our own parser would refuse in it, and what is too much of it.
 * @throws FederationError json_too_deep, json_member_forbidden, lint_failed
 * @see OIDFED §3, §18.1
 */
export function lintReadable(payload: string, maxBytes: number): void {
  lintSize(payload, maxBytes);
  parseJson(payload);
}

/** Most bytes that one character of a string takes in UTF-8. */
const MAX_CHARACTER_BYTES = 3;

/** Readers take no more. @throws FederationError lint_failed when the payload takes more bytes @see OIDFED §18.1 */
export function lintSize(payload: string, maxBytes: number): void {
  if (!exceeds(payload, maxBytes)) return;
  const bytes = new TextEncoder().encode(payload).length;
  throw new FederationError('lint_failed', `its claims take ${bytes} bytes; ${maxBytes} are the limit`);
}

/** Whether a payload takes more bytes. */
export function exceeds(payload: string, maxBytes: number): boolean {
  if (payload.length * MAX_CHARACTER_BYTES <= maxBytes) return false;
  return new TextEncoder().encode(payload).length > maxBytes;
}
