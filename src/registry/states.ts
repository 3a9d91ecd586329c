/** States of organisations and entities, and which transition leads where. */
import type { ParticipantState } from '../storage/schema/organisations.ts';
import { RegistryError } from './registry-error.ts';

export type { ParticipantState };

export const TRANSITIONS = {
  approve: { from: ['pending'], to: 'active' },
  reject: { from: ['pending'], to: 'rejected' },
  suspend: { from: ['active'], to: 'suspended' },
  reinstate: { from: ['suspended'], to: 'active' },
  withdraw: { from: ['active', 'suspended'], to: 'withdrawn' },
  revoke: { from: ['active', 'suspended'], to: 'revoked' },
} as const satisfies Record<string, { from: readonly ParticipantState[]; to: ParticipantState }>;

export type Transition = keyof typeof TRANSITIONS;

export const TRANSITION_NAMES = Object.keys(TRANSITIONS) as Transition[];

/** Records in these states still hold their Entity Identifier. */
export const LIVE_STATES: readonly ParticipantState[] = ['pending', 'active', 'suspended'];

/** What may be done with a record in this state. */
export function allowedTransitions(state: ParticipantState): Transition[] {
  return TRANSITION_NAMES.filter((name) => isFrom(name, state));
}

/** @throws RegistryError illegal_transition, naming what is allowed */
export function nextState(state: ParticipantState, transition: Transition): ParticipantState {
  if (isFrom(transition, state)) return TRANSITIONS[transition].to;
  const allowed = allowedTransitions(state);
  const possible = allowed.length === 0 ? 'nothing; enrol it anew' : allowed.join(', ');
  throw new RegistryError('illegal_transition', `cannot ${transition} what is ${state}; possible: ${possible}`, {
    from: state,
    to: TRANSITIONS[transition].to,
    allowed,
  });
}

function isFrom(transition: Transition, state: ParticipantState): boolean {
  const from: readonly ParticipantState[] = TRANSITIONS[transition].from;
  return from.includes(state);
}

/** From the state that lets all through to the one that ends all. */
const STRICTNESS: readonly ParticipantState[] = ['active', 'pending', 'suspended', 'rejected', 'withdrawn', 'revoked'];

/** The state that counts: the stricter of the entity's own and its organisation's. None is stricter than an unknown one. */
export function effectiveState(own: ParticipantState, organisation: ParticipantState): ParticipantState {
  return strictness(own) >= strictness(organisation) ? own : organisation;
}

function strictness(state: ParticipantState): number {
  const known = STRICTNESS.indexOf(state);
  return known === -1 ? STRICTNESS.length : known;
}
