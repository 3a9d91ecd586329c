/** What somebody decides about an organisation or an entity, and what a transition writes of it. */
import type { ParticipantState } from '../../storage/schema/organisations.ts';
import { invalidField } from '../registry-error.ts';
import type { Transition } from '../states.ts';
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
  if (until !== undefined && until <= now) throw invalidField('/until', 'is not in the future');
  return {
    state,
    stateReason: reason,
    stateReasonCode: reasonCode,
    stateChangedAt: now,
    suspendedUntil: until ?? null,
  };
}
