/** Remembers which client assertions were used, so that none is used twice. @see RFC 7523 §3, OIDFED §8.8 */
import { createHash } from 'node:crypto';
import { type ClientAssertion, MAX_ASSERTION_SECONDS } from '../../federation/client-assertion.ts';
import { FederationError } from '../../federation/errors.ts';
import { type Clock, DEFAULT_LEEWAY_SECONDS, type NumericDate } from '../../federation/time.ts';
import { TryAgainLater } from './try-again-later.ts';

/** No assertion is good for longer, leeway on both ends included. */
const GENERATION_SECONDS = MAX_ASSERTION_SECONDS + 2 * DEFAULT_LEEWAY_SECONDS;

export interface UsedAssertionsOptions {
  clock: Clock;
  /** Assertions of one caller remembered from one generation. */
  maxPerCaller?: number;
  /** Assertions remembered from one generation; each takes some 150 bytes. */
  maxTotal?: number;
}

/** Used assertions by caller. */
type Generation = Map<string, Set<string>>;

/**
 * Remembers in two generations: an assertion is forgotten only when it has expired for sure. Full, it lets none pass
 * instead of forgetting one. Each node remembers for itself: an assertion may be used once on each.
 */
export class UsedAssertions {
  readonly #clock: Clock;
  readonly #maxPerCaller: number;
  readonly #maxTotal: number;
  #begunAt: NumericDate;
  #count = 0;
  #present: Generation = new Map();
  #past: Generation = new Map();

  constructor({ clock, maxPerCaller = 5_000, maxTotal = 100_000 }: UsedAssertionsOptions) {
    this.#clock = clock;
    this.#maxPerCaller = maxPerCaller;
    this.#maxTotal = maxTotal;
    this.#begunAt = clock.now();
  }

  /**
   * Takes note of an assertion whose signature was verified.
   * @throws FederationError client_assertion_replayed
   * @throws TryAgainLater rate_limited when there is no room to remember it
   */
  use({ caller, jti }: Pick<ClientAssertion, 'caller' | 'jti'>, audience: string): void {
    this.#turn();
    const name = createHash('sha256')
      .update(JSON.stringify([audience, jti]))
      .digest('base64url');
    if (this.#past.get(caller)?.has(name) || this.#present.get(caller)?.has(name)) {
      throw new FederationError('client_assertion_replayed', 'this client assertion was used before', '/jti');
    }
    const used = this.#present.get(caller) ?? new Set();
    if (used.size >= this.#maxPerCaller || this.#count >= this.#maxTotal) {
      const retryAfterSeconds = this.#begunAt + GENERATION_SECONDS - this.#clock.now();
      throw new TryAgainLater('rate_limited', 'too many client assertions were used', {
        retryAfterSeconds,
        status: 429,
      });
    }
    this.#present.set(caller, used.add(name));
    this.#count++;
  }

  #turn(): void {
    const age = this.#clock.now() - this.#begunAt;
    if (age < GENERATION_SECONDS) return;
    this.#past = age < 2 * GENERATION_SECONDS ? this.#present : new Map();
    this.#present = new Map();
    this.#count = 0;
    this.#begunAt = this.#clock.now();
  }
}
