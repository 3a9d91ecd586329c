/** The refusal of a statement that could be decoded, and what in it has a name of older drafts: likely the cause. */
import { FederationError } from '../federation/errors.ts';
import { type OlderName, olderNamesInJwt } from '../federation/older-drafts.ts';

export class RefusedStatement extends FederationError {
  readonly olderNames: readonly OlderName[];

  constructor({ reason, message, at, section, cause }: FederationError, olderNames: readonly OlderName[]) {
    super(reason, message, at, { cause, section });
    this.olderNames = olderNames;
  }
}

/**
 * Validates a statement as received.
 * @throws RefusedStatement instead of a FederationError, where the statement has names of older drafts
 */
export async function namingOlderDrafts<T>(jwt: string, validate: (jwt: string) => Promise<T>): Promise<T> {
  try {
    return await validate(jwt);
  } catch (error) {
    const olderNames = error instanceof FederationError ? olderNamesInJwt(jwt) : [];
    throw error instanceof FederationError && olderNames.length > 0 ? new RefusedStatement(error, olderNames) : error;
  }
}

/** Characters that the names of a refusal take in memory. */
export function olderNamesLength(error: FederationError): number {
  if (!(error instanceof RefusedStatement)) return 0;
  return error.olderNames.reduce((length, { at, old, now }) => length + at.length + old.length + now.length, 0);
}
