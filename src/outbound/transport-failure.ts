/** What the network, TLS or HTTP parser reports, told as a reason of ours. */
import { FederationError } from '../federation/errors.ts';

/**
 * Gives a `FederationError` back as it is and turns anything else into one. The message holds the error's code only:
 * texts of the parser may quote what the other side sent.
 * @param host host and port, as shown to an operator
 */
export function transportFailure(error: unknown, host: string): FederationError {
  if (error instanceof FederationError) return error;
  const code = codeOf(error);
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new FederationError('response_too_large', `${host} sent too large a header section`, '', { cause: error });
  }
  if (code === 'ETIMEDOUT') {
    return new FederationError('timed_out', `${host} did not accept a connection in time`, '', { cause: error });
  }
  const detail = code === '' ? '' : ` (${code})`;
  return new FederationError('connection_failed', `the connection to ${host} failed${detail}`, '', { cause: error });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
