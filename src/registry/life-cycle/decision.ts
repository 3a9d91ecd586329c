/** What somebody decides about an organisation or an entity, and what a transition writes of it. */
import type { ParticipantState } from '../../storage/schema/organisations.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { allowedTransitions, type Transition } from '../states.ts';
import type { Affected } from './effects.ts';
import { REASON_CODES_OF, type ReasonCode } from './reason-codes.ts';

export interface Decision {
  /** For people. */
  reason: string;
  /** For machines; `other` unless given. */
  reasonCode?: ReasonCode | undefined;
  /** When a suspension ends by itself. */
  until?: Date | undefined;
  /** Finds out what would come of it, and does nothing. */
  isDryRun?: boolean | undefined;
}

/** What a transition did, or a dry run found. */
export interface Transitioned {
  /** Under which the change stands in the audit and on every surface; null after a dry run. */
  seq: number | null;
  /** Everything below it whose state that counts is another now. */
  affected: Affected[];
}

/** A note alone is a decision, too. */
export function decisionOf(decision: Decision | string): Decision {
  return typeof decision === 'string' ? { reason: decision } : decision;
}

/** What becomes of a suspension that goes on. */
export interface SuspensionChange {
  /** When it ends by itself; null: when somebody ends it. */
  until: Date | null;
  /** For people. */
  reason: string;
}

/**
 * What the record says from then on; undefined when it says so already.
 * @throws RegistryError illegal_transition unless it is suspended, validation_failed for an end that is past
 */
export function changedEnd(
  { state, suspendedUntil, version }: { state: ParticipantState; suspendedUntil: Date | null; version: number },
  { until }: SuspensionChange,
  now: Date,
): { suspendedUntil: Date | null; version: number } | undefined {
  if (state !== 'suspended') {
    const details = { from: state, to: 'suspended', allowed: allowedTransitions(state) };
    throw new RegistryError('illegal_transition', `is ${state}, and only a suspension has an end to change`, details);
  }
  requireFuture(until, now);
  if (until?.getTime() === suspendedUntil?.getTime()) return undefined;
  return { suspendedUntil: until, version: version + 1 };
}

function requireFuture(until: Date | null, now: Date): void {
  if (until !== null && until <= now) throw invalidField('/until', 'is not in the future');
}

export interface StateChange {
  state: ParticipantState;
  stateReason: string;
  stateReasonCode: ReasonCode;
  stateChangedAt: Date;
  suspendedUntil: Date | null;
}

/**
 * What the record says from the transition on. A suspension that ended, in whatever way, has no end to come.
 * @throws RegistryError validation_failed for a code that the transition does not have, and for an end that only a
 *   suspension has, in the future
 */
export function stateChange(
  transition: Transition,
  state: ParticipantState,
  { reason, reasonCode = 'other', until }: Decision,
  now: Date,
): StateChange {
  const codes: readonly ReasonCode[] = REASON_CODES_OF[transition];
  if (!codes.includes(reasonCode)) throw invalidField('/reasonCode', `is none of ${codes.join(', ')}`);
  if (until !== undefined && transition !== 'suspend') throw invalidField('/until', 'is for suspensions only');
  requireFuture(until ?? null, now);
  return {
    state,
    stateReason: reason,
    stateReasonCode: reasonCode,
    stateChangedAt: now,
    suspendedUntil: until ?? null,
  };
}
