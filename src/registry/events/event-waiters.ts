/** Wakes those of this node who wait for what is new, by the change feed: waiting costs no question to the database. */

export interface EventWaitersOptions {
  /** The last change that this node answers by. */
  seq: () => number;
}

export class EventWaiters {
  readonly #seq: () => number;
  readonly #wake = new Set<() => void>();
  #announced = 0;
  #tokensChangedAt = 0;

  constructor({ seq }: EventWaitersOptions) {
    this.#seq = seq;
  }

  /** Changes up to this one may be told of. */
  get seq(): number {
    return Math.max(this.#announced, this.#seq());
  }

  /** When a token was last made, rotated or revoked: whoever waits since before then may be nobody by now. */
  get tokensChangedAt(): number {
    return this.#tokensChangedAt;
  }

  /** To be called once all caches follow the registry up to `seq`. */
  announce(seq: number, { concernsTokens = false }: { concernsTokens?: boolean } = {}): void {
    this.#announced = Math.max(this.#announced, seq);
    if (concernsTokens) this.#tokensChangedAt = this.#announced;
    const waiting = [...this.#wake];
    this.#wake.clear();
    for (const wake of waiting) wake();
  }

  /** Resolves when there is anything after `seq`, when the time is over, or once the signal is aborted. */
  async newer(seq: number, signal: AbortSignal, timeoutMs: number): Promise<void> {
    if (this.seq > seq || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    this.#wake.add(wake);
    signal.addEventListener('abort', wake);
    const timer = setTimeout(wake, timeoutMs).unref();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      this.#wake.delete(wake);
    }
  }
}
