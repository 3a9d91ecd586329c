/** Why PostgreSQL refused a statement, alike on both drivers. */

export interface SqlError {
  /** SQLSTATE, such as `23505`. */
  code: string;
  /** Name of the constraint or unique index that was violated. */
  constraint?: string;
}

export const UNIQUE_VIOLATION = '23505';

/** What the database said, from wherever in the chain of causes it stands; undefined if the error is not from SQL. */
export function sqlErrorOf(error: unknown): SqlError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!('code' in cause) || typeof cause.code !== 'string' || !/^[0-9A-Z]{5}$/.test(cause.code)) continue;
    const { code } = cause;
    const constraint = 'constraint' in cause && typeof cause.constraint === 'string' ? cause.constraint : undefined;
    return constraint === undefined ? { code } : { code, constraint };
  }
  return undefined;
}
