/** Exceptions as records: what a legacy partner is let off, who answers for it, who let it, and until when. */
import type { JsonObject } from '../../federation/json.ts';
import type { ExceptionKind, ExceptionState, entityExceptions } from '../../storage/schema/entity-exceptions.ts';
import type { ParticipantState } from '../../storage/schema/organisations.ts';
import { RegistryError } from '../registry-error.ts';
import { effectiveState } from '../states.ts';

export type ExceptionRow = typeof entityExceptions.$inferSelect;

export const EXCEPTION_KINDS = ['no_mtls', 'unbound_token'] as const satisfies readonly ExceptionKind[];

/** As decided, and by the clock: what has no end would be no exception. */
export const EXCEPTION_STATES = ['pending', 'approved', 'rejected', 'ended', 'expired'] as const;

export type ClockedExceptionState = (typeof EXCEPTION_STATES)[number];

/** Longest life, from the request on. */
export const MAX_EXCEPTION_DAYS = 366;

export interface EntityException extends ExceptionRow {
  /** Of its entity. */
  entityIdentifier: string;
  organisationId: string;
  ownState: ParticipantState;
  organisationState: ParticipantState;
}

export function exceptionState(
  { state, endsAt }: Pick<ExceptionRow, 'state' | 'endsAt'>,
  now: Date,
): ClockedExceptionState {
  return (state === 'approved' || state === 'pending') && endsAt <= now ? 'expired' : state;
}

/** Whether it lets its entity off now: never while the entity, or its organisation, is anything but active. */
export function isInEffect(exception: Omit<EntityException, keyof ExceptionRow> & ExceptionRow, now: Date): boolean {
  const { ownState, organisationState } = exception;
  return exceptionState(exception, now) === 'approved' && effectiveState(ownState, organisationState) === 'active';
}

export const EXCEPTION_TRANSITIONS = {
  approve: { from: ['pending'], to: 'approved' },
  reject: { from: ['pending'], to: 'rejected' },
  end: { from: ['pending', 'approved'], to: 'ended' },
} as const satisfies Record<string, { from: readonly ExceptionState[]; to: ExceptionState }>;

export type ExceptionTransition = keyof typeof EXCEPTION_TRANSITIONS;

export const EXCEPTION_TRANSITION_NAMES = Object.keys(EXCEPTION_TRANSITIONS) as ExceptionTransition[];

export function allowedExceptionTransitions(exception: Pick<ExceptionRow, 'state' | 'endsAt'>, now: Date) {
  const state = exceptionState(exception, now);
  return EXCEPTION_TRANSITION_NAMES.filter((name) => {
    const from: readonly ClockedExceptionState[] = EXCEPTION_TRANSITIONS[name].from;
    return from.includes(state);
  });
}

/** @throws RegistryError illegal_transition */
export function requireExceptionTransition(exception: ExceptionRow, transition: ExceptionTransition, now: Date): void {
  const allowed = allowedExceptionTransitions(exception, now);
  if (allowed.includes(transition)) return;
  const state = exceptionState(exception, now);
  throw new RegistryError('illegal_transition', `cannot ${transition} an exception that is ${state}`, {
    from: state,
    to: EXCEPTION_TRANSITIONS[transition].to,
    allowed,
  });
}

/** @param entityIdentifier of its entity, which people know it by */
export function exceptionSnapshot(exception: ExceptionRow, entityIdentifier: string): JsonObject {
  const { entityId, kind, reason, ownerId, ownerName, requesterId, requesterName, state, stateReason } = exception;
  const { approverId, approverName, endsAt } = exception;
  return {
    ...{ entityIdentifier, entityId, kind, reason, ownerId, ownerName, requesterId, requesterName, state, stateReason },
    ...{ approverId, approverName, endsAt: endsAt.toISOString() },
  };
}
