/** What a resolve endpoint answers when nothing could be resolved. @see OIDFED §8.3, §8.9 */
import { REASONS, type WireCode } from '../federation/errors.ts';
import type { Attempt } from '../federation/trust-chain/attempt.ts';

/**
 * Chooses the error code for a failed resolution:
 * - `not_found` only if the subject's own Entity Configuration definitely does not exist;
 * - `invalid_metadata` if every chain that could be put together failed for its metadata or policies, or, where there
 *   was none, everything that was tried did;
 * - `temporarily_unavailable` if the network, a server or a limit may have kept a valid chain from us;
 * - else `invalid_trust_chain`.
 */
export function verdictOf(attempts: readonly Attempt[]): WireCode {
  if (attempts.some(({ chain, reason }) => chain.length === 1 && reason === 'entity_not_found')) return 'not_found';
  const complete = attempts.filter((attempt) => attempt.complete);
  const judged = complete.length > 0 ? complete : attempts;
  if (judged.length > 0 && judged.every((attempt) => wireOf(attempt) === 'invalid_metadata')) return 'invalid_metadata';
  if (attempts.some((attempt) => wireOf(attempt) === 'temporarily_unavailable')) return 'temporarily_unavailable';
  return 'invalid_trust_chain';
}

function wireOf({ reason }: Attempt): WireCode {
  return REASONS[reason].wire;
}
