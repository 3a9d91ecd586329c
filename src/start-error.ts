/** What keeps the service from starting and is the operator's to mend. */

/** What keeps the service from starting, in words for the operator. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Reads what an operator gave.
 * @throws StartError when it is wrong
 */
export function operatorInput<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw asStartError(cause);
  }
}

/** What the operator gave is wrong, and the message says so; it is no fault of the program. */
export function asStartError(cause: unknown): StartError {
  return new StartError(cause instanceof Error ? cause.message : String(cause), { cause });
}
