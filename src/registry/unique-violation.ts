/** Recognises that a record could not be written because another one has the same identifier. */
import { sqlErrorOf, UNIQUE_VIOLATION } from '../storage/sql-error.ts';

/** @param constraints names of the unique constraints or indexes whose violation is meant */
export function isUniqueViolation(error: unknown, ...constraints: string[]): boolean {
  const { code, constraint } = sqlErrorOf(error) ?? {};
  return code === UNIQUE_VIOLATION && constraint !== undefined && constraints.includes(constraint);
}
