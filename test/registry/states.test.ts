import { describe, expect, it } from 'vitest';
import { RegistryError } from '../../src/registry/registry-error.ts';
import {
  allowedTransitions,
  effectiveState,
  LIVE_STATES,
  nextState,
  TRANSITION_NAMES,
  type Transition,
} from '../../src/registry/states.ts';
import type { ParticipantState } from '../../src/storage/schema/organisations.ts';

const STATES: ParticipantState[] = ['pending', 'active', 'rejected', 'suspended', 'withdrawn', 'revoked'];

/** Where each legal transition leads; what is not in here is illegal. */
const LEGAL: Record<ParticipantState, Partial<Record<Transition, ParticipantState>>> = {
  pending: { approve: 'active', reject: 'rejected' },
  active: { suspend: 'suspended', withdraw: 'withdrawn', revoke: 'revoked' },
  suspended: { reinstate: 'active', withdraw: 'withdrawn', revoke: 'revoked' },
  rejected: {},
  withdrawn: {},
  revoked: {},
};

const EVERY_STEP = STATES.flatMap((state) => TRANSITION_NAMES.map((transition) => ({ state, transition })));

describe('transitions', () => {
  const legal = EVERY_STEP.filter(({ state, transition }) => LEGAL[state][transition] !== undefined);
  const illegal = EVERY_STEP.filter(({ state, transition }) => LEGAL[state][transition] === undefined);

  it.each(legal)('$transition leads on from $state', ({ state, transition }) => {
    expect(nextState(state, transition)).toBe(LEGAL[state][transition]);
  });

  it.each(illegal)('$transition is refused from $state, naming what is allowed', ({ state, transition }) => {
    const error = refusalOf(() => nextState(state, transition));
    expect(error.code).toBe('illegal_transition');
    expect(error.kind).toBe('conflict');
    expect(error.details).toMatchObject({ from: state, allowed: Object.keys(LEGAL[state]) });
    expect(error.message).toContain(`cannot ${transition} what is ${state}`);
    for (const allowed of Object.keys(LEGAL[state])) expect(error.message).toContain(allowed);
  });

  it.each(STATES)('what may be done with %s is what is legal', (state) => {
    expect(allowedTransitions(state)).toEqual(Object.keys(LEGAL[state]));
  });

  it('records hold their Entity Identifier exactly in the states that something leads on from', () => {
    expect(LIVE_STATES).toEqual(STATES.filter((state) => allowedTransitions(state).length > 0));
  });
});

describe('the state that counts', () => {
  /** Rows: the entity's own state; columns: its organisation's, in the order of STATES. */
  const EFFECTIVE: Record<ParticipantState, ParticipantState[]> = {
    pending: ['pending', 'pending', 'rejected', 'suspended', 'withdrawn', 'revoked'],
    active: ['pending', 'active', 'rejected', 'suspended', 'withdrawn', 'revoked'],
    rejected: ['rejected', 'rejected', 'rejected', 'rejected', 'withdrawn', 'revoked'],
    suspended: ['suspended', 'suspended', 'rejected', 'suspended', 'withdrawn', 'revoked'],
    withdrawn: ['withdrawn', 'withdrawn', 'withdrawn', 'withdrawn', 'withdrawn', 'revoked'],
    revoked: ['revoked', 'revoked', 'revoked', 'revoked', 'revoked', 'revoked'],
  };
  const pairs = STATES.flatMap((own) =>
    STATES.map((organisation, column) => ({ own, organisation, counts: EFFECTIVE[own][column] })),
  );

  it.each(pairs)('of $own under $organisation is $counts', ({ own, organisation, counts }) => {
    expect(effectiveState(own, organisation)).toBe(counts);
  });

  it('is active only where both are', () => {
    const active = pairs.filter(({ own, organisation }) => effectiveState(own, organisation) === 'active');
    expect(active).toEqual([{ own: 'active', organisation: 'active', counts: 'active' }]);
  });

  it('is the one that nobody knows, above all others', () => {
    const unknown = 'merged' as ParticipantState;
    for (const state of STATES) {
      expect([effectiveState(unknown, state), effectiveState(state, unknown)]).toEqual([unknown, unknown]);
    }
  });
});

function refusalOf(step: () => unknown): RegistryError {
  try {
    step();
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}
