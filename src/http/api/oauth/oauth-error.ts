/** Refusals of the token endpoint. @see RFC 6749 §5.2 */
import { FederationError } from '../../../federation/errors.ts';
import { TryAgainLater } from '../../federation/try-again-later.ts';

const STATUSES = {
  invalid_request: 400,
  invalid_client: 401,
  unsupported_grant_type: 400,
  invalid_scope: 400,
} as const;

export type OAuthErrorCode = keyof typeof STATUSES;

/** Characters that a description may not have (§5.2), and what would be read as a line of a log. */
const NOT_DESCRIBABLE = /[^\x20-\x21\x23-\x5b\x5d-\x7e]/g;

export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly code: OAuthErrorCode;

  constructor(code: OAuthErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get status(): 400 | 401 {
    return STATUSES[this.code];
  }

  /** What is sent. */
  get body(): { error: OAuthErrorCode; error_description: string } {
    return { error: this.code, error_description: this.message.replaceAll(NOT_DESCRIBABLE, "'") };
  }

  /** A rule of the federation that was broken, as this code; whatever else it is stays. */
  static from(error: unknown, code: OAuthErrorCode): unknown {
    if (!(error instanceof FederationError) || error instanceof TryAgainLater) return error;
    return new OAuthError(code, error.message, { cause: error });
  }
}
