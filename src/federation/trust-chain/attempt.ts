/** What became of one way upward that led to no usable Trust Chain. @see OIDFED §10.1, §10.3 */
import { type FederationError, REASONS, type Reason } from '../errors.ts';
import type { EntityIdentifier } from '../identifiers.ts';

export interface Attempt {
  /** The entities walked, from the subject to the one where it ended. */
  chain: EntityIdentifier[];
  reason: Reason;
  /** Section of OpenID Federation 1.0 that demands the refusal. */
  section: string;
  /**
   * In a branch: `Entity Configuration` of the last entity of `chain`, or `Subordinate Statement` by it about the one
   * before, with a JSON Pointer into its claims. In a complete chain: `ES[j]` with a JSON Pointer.
   */
  at: string;
  message: string;
  /** The network or a server failed: the same may succeed later (§10.5). */
  retryable?: true;
  /** A whole chain up to a Trust Anchor was refused; otherwise a branch ended before one could be put together. */
  complete?: true;
}

/** Records a refusal together with the way that led to it. */
export function attemptOf(chain: Iterable<EntityIdentifier>, error: FederationError): Attempt {
  const { reason, section, at, message } = error;
  const attempt: Attempt = { chain: [...chain], reason, section, at, message };
  return isRetryable(reason) ? { ...attempt, retryable: true } : attempt;
}

/** An exhausted budget speaks for trouble as well, but the next try would exhaust it again. */
function isRetryable(reason: Reason): boolean {
  return REASONS[reason].wire === 'temporarily_unavailable' && reason !== 'budget_exhausted';
}
