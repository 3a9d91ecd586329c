/** What the steps of one decision found, in their order: the decision and its explanation come from the same findings. */
import type { NumericDate } from '../federation/time.ts';
import { type CanMend, DENY_REASONS, type DenyReason } from './deny-reasons.ts';

/** What is looked at, in this order. */
const CHECKS = [
  ...(['state', 'certificate', 'participant', 'validity', 'issuer', 'standing', 'place', 'entity'] as const),
  ...(['delegation', 'api', 'token', 'binding', 'trust_chain'] as const),
];

export type Check = (typeof CHECKS)[number];

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
  readonly #failed: Check[] = [];
  /** Only where the decision is to be explained: nobody else reads them. */
  readonly #steps: Step[] | undefined;
  /** How long everything that was found holds if nothing changes. */
  validUntil = Number.POSITIVE_INFINITY;

  constructor(isExplained: boolean) {
    this.#steps = isExplained ? [] : undefined;
  }

  get areBad(): boolean {
    return this.#failed.length > 0;
  }

  /** Whether this failed at most, and nothing else. */
  areGoodBut(check: Check): boolean {
    return this.#failed.every((failed) => failed === check);
  }

  /** All of them, also those that were never reached; undefined if nobody asked. */
  get steps(): Step[] | undefined {
    const steps = this.#steps;
    return steps && CHECKS.map((check) => steps.find((step) => step.check === check) ?? skipped(check, NOT_REACHED));
  }

  /** @param until it holds until then */
  pass(check: Check, detail: () => string, until?: NumericDate): void {
    if (until !== undefined) this.limit(until);
    this.#steps?.push({ check, outcome: 'passed', reason: null, detail: detail(), canMend: null, hint: null });
  }

  limit(until: NumericDate): void {
    this.validUntil = Math.min(this.validUntil, until);
  }

  fail(check: Check, reason: DenyReason, detail: () => string): void {
    this.#failed.push(check);
    if (!this.reasons.includes(reason)) this.reasons.push(reason);
    const { canMend, hint } = DENY_REASONS[reason];
    this.#steps?.push({ check, outcome: 'failed', reason, detail: detail(), canMend, hint });
  }

  skip(check: Check, detail: () => string): void {
    this.#steps?.push(skipped(check, detail()));
  }
}

const NOT_REACHED = 'not looked at: a step before it did not pass';

function skipped(check: Check, detail: string): Step {
  return { check, outcome: 'skipped', reason: null, detail, canMend: null, hint: null };
}
