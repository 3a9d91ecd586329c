/** Moments as a person writes them. */
import { InvalidArgumentError } from 'commander';

/** The value of an option; commander would make an empty string of a bare null. */
export interface Moment {
  /** null: at no time. */
  at: string | null;
}

/** A day or a moment in UTC, or `never`. @throws InvalidArgumentError */
export function moment(value: string): Moment {
  if (value === 'never') return { at: null };
  const isMoment = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?Z)?$/.test(value);
  const at = new Date(value.includes('T') ? value : `${value}T00:00:00Z`);
  if (isMoment && !Number.isNaN(at.getTime())) return { at: at.toISOString() };
  throw new InvalidArgumentError('Write it as 2027-12-31, 2027-12-31T12:00:00Z, or never.');
}
