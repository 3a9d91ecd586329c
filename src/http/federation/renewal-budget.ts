/** How many requests renewals may send: of each subject, to each host, and altogether. @see OIDFED §18.1 */
import { FederationError } from '../../federation/errors.ts';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import type { Clock } from '../../federation/time.ts';
import { type RateLimitPolicy, RateLimits } from './rate-limits.ts';

/**
 * In any minute at most: 192 for a subject, 128 to a host, 1,200 for all strangers and 6,000 for all others. A subject
 * with forty dead superiors is still renewed in one go; a host is asked no more however many subjects name it.
 */
export const RENEWAL_POLICIES = {
  subject: { name: 'subject', units: 128, windowSeconds: 120 },
  host: { name: 'host', units: 64, windowSeconds: 60 },
  strangers: { name: 'strangers', units: 600, windowSeconds: 60 },
  vouchedFor: { name: 'vouched-for', units: 3_000, windowSeconds: 60 },
} as const satisfies Record<string, RateLimitPolicy>;

/** A request to others that a renewal wants to send. */
export interface RenewalRequest {
  subject: EntityIdentifier;
  /** An authority of ours vouches for the subject, so that strangers cannot use up its renewals. */
  isVouchedFor: boolean;
  url: string;
}

/** Anybody may cause a renewal, as often as the statements of others are short-lived: also those of our own members. */
export class RenewalBudget {
  readonly #limits: RateLimits;

  /** @param maxRemembered subjects and hosts remembered at a time */
  constructor(clock: Clock, maxRemembered?: number) {
    this.#limits = new RateLimits({ clock, maxClients: maxRemembered });
  }

  /** Subjects and hosts that are remembered. */
  get size(): number {
    return this.#limits.size;
  }

  /** Takes what one request costs, or nothing. @throws FederationError budget_exhausted */
  take({ subject, isVouchedFor, url }: RenewalRequest): void {
    const { subject: ofSubject, host, strangers, vouchedFor } = RENEWAL_POLICIES;
    const limits = [
      { name: subject, policy: ofSubject },
      { name: URL.parse(url)?.hostname ?? url, policy: host },
      { name: 'all', policy: isVouchedFor ? vouchedFor : strangers },
    ];
    for (const [index, limit] of limits.entries()) {
      if (this.#limits.charge(limit, 1).isAllowed) continue;
      for (const taken of limits.slice(0, index)) this.#limits.giveBack(taken, 1);
      throw new FederationError('budget_exhausted', 'too many requests are sent for renewals; try again later');
    }
  }
}
