/** Which failures of an outgoing request may pass if it is tried again. @see OIDFED §10.5 */
import type { Reason } from '../federation/errors.ts';

/** Every reason that an outgoing request fails with. */
export const OUTBOUND_FAILURES = {
  connection_failed: { retryable: true },
  timed_out: { retryable: true },
  address_forbidden: { retryable: false },
  redirect_refused: { retryable: false },
  response_too_large: { retryable: false },
  content_type_unexpected: { retryable: false },
} as const satisfies Partial<Record<Reason, { retryable: boolean }>>;

export type OutboundFailure = keyof typeof OUTBOUND_FAILURES;

/** Whether trying the same request later may succeed; false for every reason that does not come from the network. */
export function isRetryable(reason: Reason): boolean {
  return isOutboundFailure(reason) && OUTBOUND_FAILURES[reason].retryable;
}

function isOutboundFailure(reason: Reason): reason is OutboundFailure {
  return Object.hasOwn(OUTBOUND_FAILURES, reason);
}
