/** A wall clock for one piece of work, which other signals may end as well. */

export interface DeadlineOptions {
  timeoutMs: number;
  /** Makes the reason that the signal aborts with when the time is over. */
  expired: () => Error;
  /** Ends the work early, with this signal's own reason. */
  outer?: AbortSignal | undefined;
}

/** Aborts its signal after `timeoutMs` or with `outer`. Dispose it when the work has ended. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #outer: AbortSignal | undefined;
  readonly #endedByOuter = (): void => this.#controller.abort(this.#outer?.reason);

  constructor({ timeoutMs, expired, outer }: DeadlineOptions) {
    this.#timer = setTimeout(() => this.#controller.abort(expired()), timeoutMs);
    this.#outer = outer;
    if (outer?.aborted) this.#endedByOuter();
    outer?.addEventListener('abort', this.#endedByOuter, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Settles like `work`, or rejects with the signal's reason if that comes first. `work` itself is not stopped. */
  async race<T>(work: Promise<T>): Promise<T> {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(this.signal.reason);
    this.signal.addEventListener('abort', onAbort, { once: true });
    if (this.signal.aborted) onAbort();
    try {
      return await Promise.race([work, aborted]);
    } finally {
      this.signal.removeEventListener('abort', onAbort);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#endedByOuter);
  }
}
