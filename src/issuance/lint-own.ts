/** Lints of what we are about to sign: when one fails, the fault is ours and not the caller's. */
import { FederationError } from '../federation/errors.ts';
import type { LintedStatement } from '../federation/lint/linted-statement.ts';

/** Our own records would make a statement that readers refuse. */
export class StatementUnfit extends Error {
  override readonly name = 'StatementUnfit';
}

/**
 * Runs a lint.
 * @param what the statement in words, for the log
 * @throws StatementUnfit instead of the FederationError, which would read as a refusal of the request; answer_too_large
 *   is one
 */
export function lintOwn(what: string, lint: () => LintedStatement): LintedStatement {
  try {
    return lint();
  } catch (cause) {
    if (!(cause instanceof FederationError) || cause.reason === 'answer_too_large') throw cause;
    throw new StatementUnfit(`cannot sign ${what}: ${cause.at} ${cause.message}`, { cause });
  }
}
