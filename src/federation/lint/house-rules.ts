/** Limits of this deployment on what it signs, whatever the standard permits. */
import { FederationError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { StatementOptions } from '../statement/entity-statement.ts';
import { isNumericDate } from '../time.ts';

/** Limits of this deployment on what it signs. */
export interface HouseRules extends StatementOptions {
  /** Longest life of anything signed, in seconds. */
  maxLifetimeSeconds: number;
}

/** @throws FederationError claim_missing, lint_failed unless it has a life, and one that is not too long */
export function lintLifetime(claims: JsonObject, rules: HouseRules): void {
  const { iat, exp } = claims;
  if (!isNumericDate(iat)) throw new FederationError('claim_missing', 'is required', '/iat');
  if (!isNumericDate(exp)) throw new FederationError('claim_missing', 'is required', '/exp');
  if (exp <= iat) throw new FederationError('lint_failed', 'would expire before it is issued', '/exp');
  if (exp - iat > rules.maxLifetimeSeconds) {
    throw new FederationError('lint_failed', `would live longer than ${rules.maxLifetimeSeconds} s`, '/exp');
  }
}

/** Most bytes that one character of a string takes in UTF-8. */
const MAX_CHARACTER_BYTES = 3;

/** @throws FederationError lint_failed when the payload takes more bytes */
export function lintSize(payload: string, maxBytes: number): void {
  if (payload.length * MAX_CHARACTER_BYTES <= maxBytes) return;
  const bytes = new TextEncoder().encode(payload).length;
  if (bytes <= maxBytes) return;
  throw new FederationError('lint_failed', `its claims take ${bytes} bytes; ${maxBytes} are the limit`);
}
