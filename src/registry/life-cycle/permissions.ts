/** What others may do with an application, by its state and its organisation's: suspension is no revocation. */
import type { ParticipantState } from '../../storage/schema/organisations.ts';
import { effectiveState } from '../states.ts';

export interface Permissions {
  /** People may be asked to let it have something, and it may be registered anew. */
  newAuthorization: boolean;
  /** What people agreed to before may be used, tokens and refresh tokens among it. */
  useExisting: boolean;
  /** People may take back what they agreed to; while they may, it is kept. Once they may not, all of it has ended. */
  withdrawConsent: boolean;
}

const NOTHING: Permissions = { newAuthorization: false, useExisting: false, withdrawConsent: false };

/** By the state that counts. Before an approval nobody can have agreed to anything, after a revocation all has ended. */
const BY_STATE: Readonly<Record<ParticipantState, Permissions>> = {
  active: { newAuthorization: true, useExisting: true, withdrawConsent: true },
  suspended: { ...NOTHING, withdrawConsent: true },
  pending: NOTHING,
  rejected: NOTHING,
  withdrawn: NOTHING,
  revoked: NOTHING,
};

/** For every pair of states: whatever a state is called that nobody knows, nothing is permitted in it. */
export function permissionsOf(organisation: ParticipantState, own: ParticipantState): Permissions {
  if (!Object.hasOwn(BY_STATE, organisation) || !Object.hasOwn(BY_STATE, own)) return NOTHING;
  // Nobody agreed to anything while it was pending, whatever its organisation is.
  if (own === 'pending' || organisation === 'pending') return NOTHING;
  return BY_STATE[effectiveState(own, organisation)];
}
