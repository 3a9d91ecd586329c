/** Whether an application may act for the organisation that it names: as long as both are active. */
import type { ParticipantState } from '../../storage/schema/organisations.ts';
import { effectiveState } from '../states.ts';
import { type Permissions, permissionsOf } from './permissions.ts';

export interface Delegation {
  /** The stricter of the application's, as it counts, and the organisation's that it acts for; active: it stands. */
  state: ParticipantState;
  /** What others may do with the application in that organisation's name; what it does for its own is not in here. */
  permissions: Permissions;
}

/**
 * Computed, as every cascade: the application stays what it is when the organisation that it acts for does not, and acts
 * for it again once that is reinstated.
 * @param principal state of the organisation that it acts for
 */
export function delegationOf(
  principal: ParticipantState,
  organisation: ParticipantState,
  own: ParticipantState,
): Delegation {
  const [ofIts, ofTheirs] = [permissionsOf(organisation, own), permissionsOf(principal, 'active')];
  return {
    state: effectiveState(effectiveState(own, organisation), principal),
    permissions: {
      newAuthorization: ofIts.newAuthorization && ofTheirs.newAuthorization,
      useExisting: ofIts.useExisting && ofTheirs.useExisting,
      withdrawConsent: ofIts.withdrawConsent && ofTheirs.withdrawConsent,
    },
  };
}
