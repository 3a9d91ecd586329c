/** What the steps of one decision found, in their order: the decision and its explanation come from the same findings. */
import type { NumericDate } from '../federation/time.ts';
import { type CanMend, DENY_REASONS, type DenyReason } from './deny-reasons.ts';

/** What is looked at, in this order. */
export type Check =
  | 'state'
  | 'certificate'
  | 'participant'
  | 'validity'
  | 'issuer'
  | 'standing'
  | 'place'
  | 'entity'
  | 'delegation'
  | 'api'
  | 'token'
  | 'binding'
  | 'trust_chain';

/** One step, as explained. */
export interface Step {
  check: Check;
  outcome: 'passed' | 'failed' | 'skipped';
  /** Why not; null unless it failed. */
  reason: DenyReason | null;
  detail: string;
  canMend: CanMend | null;
  hint: string | null;
}

export class Findings {
  readonly reasons: DenyReason[] = [];
  /** Only where the decision is to be explained: nobody else reads them. */
  readonly steps: Step[] | undefined;
  /** How long everything that was found holds if nothing changes. */
  validUntil = Number.POSITIVE_INFINITY;

  constructor(isExplained: boolean) {
    this.steps = isExplained ? [] : undefined;
  }

  get areBad(): boolean {
    return this.reasons.length > 0;
  }

  /** @param until it holds until then */
  pass(check: Check, detail: () => string, until?: NumericDate): void {
    if (until !== undefined) this.limit(until);
    this.steps?.push({ check, outcome: 'passed', reason: null, detail: detail(), canMend: null, hint: null });
  }

  limit(until: NumericDate): void {
    this.validUntil = Math.min(this.validUntil, until);
  }

  fail(check: Check, reason: DenyReason, detail: () => string): void {
    if (!this.reasons.includes(reason)) this.reasons.push(reason);
    const { canMend, hint } = DENY_REASONS[reason];
    this.steps?.push({ check, outcome: 'failed', reason, detail: detail(), canMend, hint });
  }

  skip(check: Check, detail: () => string): void {
    this.steps?.push({ check, outcome: 'skipped', reason: null, detail: detail(), canMend: null, hint: null });
  }
}
