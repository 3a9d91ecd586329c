/** A token bucket: so much at once, and no more than so much in any window. */
import type { NumericDate } from '../../federation/time.ts';

export interface BucketPolicy {
  /** Units in a full bucket. */
  capacity: number;
  /** Seconds in which an empty bucket fills up evenly. */
  fillSeconds: number;
}

/** Starts full. Holds two numbers, so that there may be one for each of many clients. */
export class TokenBucket {
  readonly #policy: BucketPolicy;
  #units: number;
  #at: NumericDate;

  constructor(policy: BucketPolicy, now: NumericDate) {
    this.#policy = policy;
    this.#units = policy.capacity;
    this.#at = now;
  }

  /** Whole units left. */
  available(now: NumericDate): number {
    this.#fill(now);
    return Math.floor(this.#units);
  }

  /** Takes all of these units, or none. */
  take(units: number, now: NumericDate): boolean {
    this.#fill(now);
    if (units > this.#units) return false;
    this.#units -= units;
    return true;
  }

  /** Returns units that were taken and not used. */
  giveBack(units: number): void {
    this.#units = Math.min(this.#policy.capacity, this.#units + units);
  }

  /** Seconds until so many units are there, or until the bucket is full where it never holds so many. */
  secondsUntil(units: number, now: NumericDate): number {
    this.#fill(now);
    const missing = Math.min(units, this.#policy.capacity) - this.#units;
    return Math.max(0, Math.ceil((missing * this.#policy.fillSeconds) / this.#policy.capacity));
  }

  /** A clock that was set back fills nothing, and takes nothing away. */
  #fill(now: NumericDate): void {
    const { capacity, fillSeconds } = this.#policy;
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#units = Math.min(capacity, this.#units + (elapsed * capacity) / fillSeconds);
  }
}
