/** How much one receiver of events is asked at a time: one that fails is spared until it answers again. */

/** Deliveries under way to a receiver that answers. */
export const DELIVERIES_AT_A_TIME = 8;

/** Different deliveries that fail one after the other: it is the receiver then, and not one event. */
const FAILURES_TO_SPARE = 5;

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A receiver may ask for longer pauses, up to this. */
const LONGEST_ASKED_PAUSE_MS = 3_600_000;

const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 4 * 3_600_000;

/** A delivery is given up when it fails this long after it was planned. */
export const GIVEN_UP_AFTER_MS = 3 * 86_400_000;

/**
 * From one attempt of a delivery to the next: 2 s, doubled each time up to 4 h, shorter or longer by a fifth by chance.
 * @param attempts that failed, from 1
 * @param random uniform in [0, 1)
 */
export function retryPauseMs(attempts: number, random: number): number {
  const pauseMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 20));
  return Math.round(pauseMs * (0.8 + 0.4 * random));
}

/** Its moments are of a clock that nobody can set, in milliseconds. */
export class ReceiverPatience {
  readonly #random: () => number;
  /** Deliveries that failed since the last success. */
  readonly #failed = new Set<string>();
  /** Failures since the receiver is spared. */
  #probes = 0;
  #notBeforeMs = 0;

  /** @param random uniform in [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Whether it gets one delivery at a time, with pauses. */
  get isSpared(): boolean {
    return this.#failed.size >= FAILURES_TO_SPARE;
  }

  /** Before this moment it gets nothing. */
  get notBeforeMs(): number {
    return this.#notBeforeMs;
  }

  /** How many more may be under way. */
  room(underWay: number, nowMs: number): number {
    if (nowMs < this.#notBeforeMs) return 0;
    return Math.max(0, (this.isSpared ? 1 : DELIVERIES_AT_A_TIME) - underWay);
  }

  /** @returns whether it was spared until now */
  succeeded(): boolean {
    const wasSpared = this.isSpared;
    this.#failed.clear();
    this.#probes = 0;
    this.#notBeforeMs = 0;
    return wasSpared;
  }

  /**
   * @param id of the delivery
   * @param askedSeconds for how long the receiver wants to be left alone
   */
  failed(id: string, nowMs: number, askedSeconds = 0): void {
    if (!this.isSpared) this.#failed.add(id);
    const ownMs = this.isSpared ? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#probes++, 10)) : 0;
    const pauseMs = Math.max(
      ownMs * (0.8 + 0.4 * this.#random()),
      Math.min(LONGEST_ASKED_PAUSE_MS, askedSeconds * 1000),
    );
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs + pauseMs);
  }
}
