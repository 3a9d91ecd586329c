/**
 * How many requests evaluations may send for what was never obtained: to each host, for each subject, and altogether.
 * @see OIDFED §18.1
 */
import { FederationError } from '../../federation/errors.ts';
import { type EntityIdentifier, entityConfigurationUrl } from '../../federation/identifiers.ts';
import type { Clock } from '../../federation/time.ts';
import type { OnRequest } from '../../resolver/counting-client.ts';
import { type Client, type RateLimitPolicy, RateLimits } from './rate-limits.ts';

/** Most new requests in any minute: half of them may be sent at once. */
export interface NewRequests {
  /** To one host, for all anonymous callers and renewals together. */
  hostPerMinute: number;
  /** To one host, for one caller that proved a name; twice as many for all of them. */
  authenticatedHostPerMinute: number;
  /** For renewals of all subjects that no authority of ours vouches for. */
  strangersPerMinute: number;
}

export const DEFAULT_NEW_REQUESTS: Readonly<NewRequests> = {
  hostPerMinute: 128,
  authenticatedHostPerMinute: 1_200,
  strangersPerMinute: 1_200,
};

/** In any minute at most 192 for a subject, so that one with forty dead superiors is renewed in one go. */
const SUBJECT_POLICY: RateLimitPolicy = { name: 'subject', units: 128, windowSeconds: 120 };
/** In any minute at most 6,000 for all subjects that authorities of ours vouch for. */
const VOUCHED_FOR_POLICY: RateLimitPolicy = { name: 'vouched-for', units: 3_000, windowSeconds: 60 };

/**
 * On whose account an evaluation sends requests. `named`: of a caller that proved a name. `anybody`: nobody's, as its
 * evaluation may be caused by anybody, as often as statements are short-lived: a renewal, or an active subject that is
 * evaluated on demand. `background`: of the budget of the background evaluations, which counts for itself.
 */
export type Account =
  | { kind: 'named'; caller: string }
  | { kind: 'anybody'; subject: EntityIdentifier; isVouchedFor: boolean }
  | { kind: 'background' };

/**
 * A host that many name is asked for little that it may not have, whoever names it. To ask again for a statement that
 * it gave takes nothing: that is bounded by the life of the statement, and so no subject's renewals depend on others.
 */
export class RequestBudget {
  readonly #limits: RateLimits;
  readonly #policies: Record<'host' | 'namedHost' | 'callerHost' | 'strangers', RateLimitPolicy>;

  /** @param maxRemembered subjects, hosts and callers remembered at a time */
  constructor(clock: Clock, settings: Partial<NewRequests> = {}, maxRemembered?: number) {
    const { hostPerMinute, authenticatedHostPerMinute, strangersPerMinute } = { ...DEFAULT_NEW_REQUESTS, ...settings };
    this.#limits = new RateLimits({ clock, maxClients: maxRemembered });
    this.#policies = {
      host: halfAtOnce('host', hostPerMinute),
      namedHost: halfAtOnce('named-host', 2 * authenticatedHostPerMinute),
      callerHost: halfAtOnce('caller-host', authenticatedHostPerMinute),
      strangers: halfAtOnce('strangers', strangersPerMinute),
    };
  }

  /** Subjects, hosts and callers that are remembered. */
  get size(): number {
    return this.#limits.size;
  }

  /**
   * Begins an evaluation.
   * @returns called before each of its requests; throws FederationError budget_exhausted
   */
  begin(account: Account): OnRequest {
    const asked = new Set<string>();
    return (url, isKnown) => {
      if (isKnown) return;
      const host = URL.parse(url)?.hostname ?? url;
      const isFirst = !asked.has(host);
      asked.add(host);
      this.#take(this.#limitsOf(account, url, host, isFirst), host);
    };
  }

  #limitsOf(account: Account, url: string, host: string, isFirst: boolean): Client[] {
    const { host: hostPolicy, namedHost, callerHost, strangers } = this.#policies;
    const ofHost = { name: host, policy: hostPolicy };
    switch (account.kind) {
      case 'background':
        return [ofHost];
      case 'named':
        // One request to a host is no more than its caller could send itself, and its quota bounds it.
        if (isFirst) return [];
        return [
          { name: `${account.caller} ${host}`, policy: callerHost },
          { name: host, policy: namedHost },
        ];
      case 'anybody': {
        const { subject, isVouchedFor } = account;
        // Where it was approved: that is no third host, and many subjects may share it.
        const isItself = isVouchedFor && url === entityConfigurationUrl(subject);
        return [
          { name: subject, policy: SUBJECT_POLICY },
          ...(isItself ? [] : [ofHost]),
          { name: 'all', policy: isVouchedFor ? VOUCHED_FOR_POLICY : strangers },
        ];
      }
    }
  }

  /** Takes a request from all of them, or from none. @throws FederationError budget_exhausted */
  #take(limits: readonly Client[], host: string): void {
    for (const [index, limit] of limits.entries()) {
      if (this.#limits.charge(limit, 1).isAllowed) continue;
      for (const taken of limits.slice(0, index)) this.#limits.giveBack(taken, 1);
      const message = `too many new requests were sent, to ${host} or altogether; try again later`;
      throw new FederationError('budget_exhausted', message);
    }
  }
}

function halfAtOnce(name: string, perMinute: number): RateLimitPolicy {
  return { name, units: Math.max(1, Math.floor(perMinute / 2)), windowSeconds: 60 };
}
