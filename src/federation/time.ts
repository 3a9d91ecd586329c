/** Times as the standard writes them: seconds since the epoch. */

/** Seconds since 1970-01-01T00:00:00Z, UTC, leap seconds ignored. @see RFC 7519 §2 */
export type NumericDate = number;

/** How far clocks may disagree before `iat` or `exp` refuse a statement, in seconds. */
export const DEFAULT_LEEWAY_SECONDS = 30;

/** Tells the time; handed in by whoever composes the program. */
export interface Clock {
  /** Whole seconds since the epoch. */
  now(): NumericDate;
}

export function isNumericDate(value: unknown): value is NumericDate {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
