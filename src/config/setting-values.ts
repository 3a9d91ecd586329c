/** What a setting may look like; complaints name what is allowed, never what was given. */
import { z } from 'zod';

export const flag = z.enum(['0', '1']).transform((value) => value === '1');

/** In decimal digits, nothing else. */
export function wholeNumber(min: number, max: number) {
  const isInRange = (text: string) => /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max;
  return z.string().refine(isInRange, `must be a whole number from ${min} to ${max}`).transform(Number);
}

/** In MiB; the setting is in bytes. */
export function megabytes(max: number) {
  return wholeNumber(1, max).transform((mebibytes) => mebibytes * 1024 * 1024);
}

/** Comma-separated. */
export const list = z.string().transform((value) =>
  value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);
