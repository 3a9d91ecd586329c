/** Records behind the scenes which keys Trust Anchors were seen with; what the database refuses is tried again. */
import { setTimeout as pause } from 'node:timers/promises';
import { canonicalJson, type JsonObject } from '../../federation/json.ts';
import type { ChangeContext } from '../change.ts';
import { recordSeenKeys, type SeenConfiguration } from './record-seen-keys.ts';

const PAUSE_MS = 10_000;

export interface SeenKeysRecorderOptions {
  context: () => ChangeContext;
  /** Told of the first of several failures in a row. */
  onError: (error: unknown) => void;
  /** Time between two rounds: every change drops what all nodes resolved, and a Trust Anchor may roll over often. */
  pauseMs?: number;
}

/** Waiting are as many as Trust Anchors are pinned, at most twice: the newest of each kind counts. */
export class SeenKeysRecorder implements AsyncDisposable {
  readonly #options: SeenKeysRecorderOptions;
  readonly #waiting = new Map<string, SeenConfiguration>();
  readonly #stop = new AbortController();
  #work: Promise<void> | undefined;

  constructor(options: SeenKeysRecorderOptions) {
    this.#options = options;
  }

  record(seen: SeenConfiguration): void {
    const { kind, trustAnchor, pinned } = seen;
    this.#waiting.set(`${kind} ${trustAnchor} ${canonicalJson(pinned.keys as JsonObject[])}`, seen);
    this.#work ??= this.#recordAll();
  }

  async #recordAll(): Promise<void> {
    const { onError, pauseMs = PAUSE_MS } = this.#options;
    let isFailing = false;
    while (this.#waiting.size > 0 && !this.#stop.signal.aborted) {
      const errors = await this.#recordWaiting();
      if (!isFailing && errors.length > 0) onError(errors[0]);
      isFailing = errors.length > 0;
      await pause(pauseMs, undefined, { ref: false, signal: this.#stop.signal }).catch(() => undefined);
    }
    this.#work = undefined;
  }

  /** What fails waits on and holds up none behind it. */
  async #recordWaiting(): Promise<unknown[]> {
    const errors: unknown[] = [];
    for (const [name, seen] of this.#waiting) {
      try {
        await recordSeenKeys(this.#options.context(), seen);
        if (this.#waiting.get(name) === seen) this.#waiting.delete(name);
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  /** What still waits is tried once more: the next start would know nothing of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work;
    const [error] = await this.#recordWaiting();
    if (error !== undefined) this.#options.onError(error);
  }
}
