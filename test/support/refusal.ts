/** Says in one line why the federation rules refuse something, so that tests assert reason and place together. */
import { FederationError } from '../../src/federation/errors.ts';

/**
 * Runs a step and gives `reason at place` of its refusal (only `reason` where there is no place), or `accepted`.
 * Errors that are no refusal pass through: a crash must not look like one.
 * @example expect(refusal(() => parseEntityIdentifier('op', {}, '/sub'))).toBe('entity_identifier_invalid at /sub');
 */
export function refusal(step: () => unknown): string {
  try {
    step();
  } catch (error) {
    return describe(error);
  }
  return 'accepted';
}

/**
 * The same of something asynchronous.
 * @example expect(await refusalOf(validateTrustChain(chain, options))).toBe('statement_expired at ES[1] /exp');
 */
export async function refusalOf(step: Promise<unknown>): Promise<string> {
  try {
    await step;
  } catch (error) {
    return describe(error);
  }
  return 'accepted';
}

function describe(error: unknown): string {
  if (!(error instanceof FederationError)) throw error;
  return error.at === '' ? error.reason : `${error.reason} at ${error.at}`;
}
