/** What a resolve endpoint says when nothing could be resolved. @see OIDFED §8.3, §8.9 */
import { FederationError, type Reason, type WireCode } from '../../federation/errors.ts';

const REFUSALS: Partial<Record<WireCode, { reason: Reason; message: string }>> = {
  not_found: { reason: 'entity_not_found', message: 'the subject publishes no Entity Configuration' },
  invalid_metadata: {
    reason: 'resolved_metadata_invalid',
    message: "the subject's metadata does not go with the policies of its superiors",
  },
  temporarily_unavailable: {
    reason: 'resolution_unavailable',
    message: 'a statement could not be retrieved; try again later',
  },
};

/** What a stranger is told: the verdict, not what we saw on the way. */
export function resolutionRefusal(wire: WireCode): FederationError {
  const message = 'no valid Trust Chain leads from the subject to a requested Trust Anchor';
  const told = REFUSALS[wire] ?? { reason: 'no_valid_trust_chain', message };
  return new FederationError(told.reason, told.message, 'sub');
}
