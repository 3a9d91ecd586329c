/** How much work each client may cause, and what it is told of that. @see draft-ietf-httpapi-ratelimit-headers-10 */
import type { Clock } from '../../federation/time.ts';
import { TokenBucket } from './token-bucket.ts';
import { TryAgainLater } from './try-again-later.ts';

/** A quota by the name that its clients read. */
export interface RateLimitPolicy {
  /** Letters and hyphens only: it stands in header fields. */
  name: string;
  /** Units of a client in a window. */
  units: number;
  windowSeconds: number;
}

/** For an address that gave no name, and for a caller that proved one. */
export const DEFAULT_ANONYMOUS_POLICY: RateLimitPolicy = { name: 'anonymous', units: 3_000, windowSeconds: 60 };
export const DEFAULT_AUTHENTICATED_POLICY: RateLimitPolicy = {
  name: 'authenticated',
  units: 30_000,
  windowSeconds: 60,
};

/** Clients remembered at a time; a bucket takes some 300 bytes with its name. */
const MAX_CLIENTS = 20_000;

/** A client as a quota sees it. */
export interface Client {
  /** What tells it from others: a network address, or the name that it proved. */
  name: string;
  policy: RateLimitPolicy;
}

export interface RateLimitsOptions {
  clock: Clock;
  /** Clients remembered at a time; whoever was heard of longest ago is forgotten first. */
  maxClients?: number;
}

export class RateLimits {
  readonly #clock: Clock;
  readonly #maxClients: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor({ clock, maxClients = MAX_CLIENTS }: RateLimitsOptions) {
    this.#clock = clock;
    this.#maxClients = maxClients;
  }

  /** Number of clients that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes units from the client's quota if it has them. */
  charge(client: Client, units: number): { isAllowed: boolean; retryAfterSeconds: number } {
    const now = this.#clock.now();
    const bucket = this.#bucketOf(client);
    const isAllowed = bucket.take(units, now);
    return { isAllowed, retryAfterSeconds: isAllowed ? 0 : bucket.secondsUntil(units, now) };
  }

  /** Returns units that turned out not to be due. */
  giveBack(client: Client, units: number): void {
    this.#bucketOf(client).giveBack(units);
  }

  /** Header fields that tell the client how it stands. */
  headersFor(client: Client): Record<string, string> {
    const now = this.#clock.now();
    const bucket = this.#bucketOf(client);
    const { name, units, windowSeconds } = client.policy;
    return {
      'ratelimit-policy': `"${name}";q=${units};w=${windowSeconds}`,
      ratelimit: `"${name}";r=${bucket.available(now)};t=${bucket.secondsUntil(units, now)}`,
    };
  }

  #bucketOf({ name, policy }: Client): TokenBucket {
    const key = `${policy.name} ${name}`;
    const known = this.#buckets.get(key);
    const { units: capacity, windowSeconds: fillSeconds } = policy;
    const bucket = known ?? new TokenBucket({ capacity, fillSeconds }, this.#clock.now());
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#maxClients) this.#forgetOldest();
    return bucket;
  }

  #forgetOldest(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}

/** @throws TryAgainLater rate_limited, with status 429 */
export function refuseBeyondQuota({ isAllowed, retryAfterSeconds }: ReturnType<RateLimits['charge']>): void {
  if (isAllowed) return;
  const message = 'too many requests that cost work came from here; what is evaluated already is still answered';
  throw new TryAgainLater('rate_limited', message, { retryAfterSeconds, status: 429 });
}
