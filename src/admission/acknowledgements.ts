/** Which `seq` each enforcement point acts on: by its calls, or because it says so. Noted in memory, saved in batches. */

/** When a point was first known here to act on a seq. */
export interface Acknowledgement {
  enforcementPointId: string;
  seq: number;
  via: 'call' | 'stream';
  /** How long ago, in milliseconds, when it is saved. */
  ageMs: number;
}

export interface Sighting {
  enforcementPointId: string;
  seq: number;
  ageMs: number;
}

export interface AcknowledgementsOptions {
  /** @param read gives what is to be saved as of the moment when it is called, as late as can be */
  save: (read: () => { acknowledged: Acknowledgement[]; seen: Sighting[] }) => Promise<void>;
  /** Told of the first of several failures in a row. */
  onError: (error: unknown) => void;
  /** Milliseconds of a clock that is never set. */
  monotonicMs?: () => number;
}

/** From one batch to the next, so that the way of a change is known soon and thousands of points are one message. */
const BATCH_EVERY_MS = 100;
const RETRY_AFTER_MS = 1_000;
/** When a point was last seen need not be known better. */
const SEEN_EVERY_MS = 5_000;
/** While the database is away; a later seq acknowledges those before it, too. */
const MAX_WAITING = 10_000;

interface Seen {
  seq: number;
  atMs: number;
  isSaved: boolean;
}

interface Waiting {
  enforcementPointId: string;
  seq: number;
  via: Acknowledgement['via'];
  atMs: number;
}

export class Acknowledgements {
  readonly #options: AcknowledgementsOptions;
  readonly #monotonicMs: () => number;
  readonly #seen = new Map<string, Seen>();
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #flushedAtMs = Number.NEGATIVE_INFINITY;
  #seenSavedAtMs = Number.NEGATIVE_INFINITY;
  #isFailing = false;

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  /** Cheap, and throws nothing. */
  note(enforcementPointId: string, seq: number, via: Acknowledgement['via']): void {
    const atMs = this.#monotonicMs();
    let seen = this.#seen.get(enforcementPointId);
    if (seen === undefined) {
      seen = { seq: -1, atMs, isSaved: false };
      this.#seen.set(enforcementPointId, seen);
    }
    seen.atMs = atMs;
    seen.isSaved = false;
    if (seq > seen.seq && this.#waiting.length < MAX_WAITING) {
      seen.seq = seq;
      this.#waiting.push({ enforcementPointId, seq, via, atMs });
      this.#schedule(BATCH_EVERY_MS);
    } else if (atMs - this.#seenSavedAtMs >= SEEN_EVERY_MS) this.#schedule(SEEN_EVERY_MS);
  }

  /** At once, unless a batch was saved a moment ago. */
  #schedule(pauseMs: number): void {
    if (this.#timer !== undefined || this.#flushing !== undefined) return;
    const inMs = Math.max(0, this.#flushedAtMs + pauseMs - this.#monotonicMs());
    this.#timer = setTimeout(() => void this.flush(), inMs);
    this.#timer.unref();
  }

  /** Saves what was noted. Told again while it does so, it does the rest after that. */
  async flush(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
    if (this.#waiting.length > 0) this.#schedule(this.#isFailing ? RETRY_AFTER_MS : BATCH_EVERY_MS);
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    const seen = this.#newlySeen();
    if (batch.length === 0 && seen.length === 0) return;
    this.#waiting = [];
    this.#flushedAtMs = this.#monotonicMs();
    const read = () => {
      const nowMs = this.#monotonicMs();
      const aged = ({ atMs, ...rest }: Waiting) => ({ ...rest, ageMs: nowMs - atMs });
      return {
        acknowledged: batch.map(aged),
        seen: seen.map(([enforcementPointId, { seq, atMs }]) => ({ enforcementPointId, seq, ageMs: nowMs - atMs })),
      };
    };
    for (const [, sighting] of seen) sighting.isSaved = true;
    try {
      await this.#options.save(read);
      if (seen.length > 0) this.#seenSavedAtMs = this.#flushedAtMs;
      this.#isFailing = false;
    } catch (error) {
      // Their age grows meanwhile, so nothing is falsified by the delay.
      this.#waiting = [...batch, ...this.#waiting];
      for (const [, sighting] of seen) sighting.isSaved = false;
      if (!this.#isFailing) this.#options.onError(error);
      this.#isFailing = true;
    }
  }

  #newlySeen(): [string, Seen][] {
    if (this.#monotonicMs() - this.#seenSavedAtMs < SEEN_EVERY_MS) return [];
    return [...this.#seen].filter(([, { isSaved }]) => !isSaved);
  }
}
