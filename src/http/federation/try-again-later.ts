/** Refusals that pass: when the same request may succeed. @see OIDFED §8.9, RFC 9110 §10.2.3 */
import { FederationError, type Reason } from '../../federation/errors.ts';

/** A quota that is used up. */
export interface UsedUpQuota {
  name: string;
  units: number;
  windowSeconds: number;
}

export class TryAgainLater extends FederationError {
  readonly retryAfterSeconds: number;
  /** The HTTP status where it is not that of the error code. */
  readonly status: 429 | undefined;
  /** The quota that refused, where the header fields of the answer tell another. */
  readonly quota: UsedUpQuota | undefined;

  constructor(
    reason: Reason,
    message: string,
    options: { retryAfterSeconds: number; status?: 429; quota?: UsedUpQuota },
  ) {
    super(reason, message);
    this.retryAfterSeconds = Math.max(1, Math.ceil(options.retryAfterSeconds));
    this.status = options.status;
    this.quota = options.quota;
  }
}
