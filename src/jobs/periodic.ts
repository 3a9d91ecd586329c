/** Work that is done again and again until it is told to stop, one round at a time. */
import { setTimeout as pause } from 'node:timers/promises';

export interface PeriodicOptions {
  /** From the end of one round to the beginning of the next. */
  everyMs: number;
  /** Lengthens each pause by up to this share of it, by chance, so that nodes started together part company. */
  jitter?: number;
  /** One round. Nodes do not know of each other: what only one may do, the work itself has to see to. */
  run: (signal: AbortSignal) => Promise<void>;
  /** Told of the first of several failures in a row; it is tried again after the next pause all the same. */
  onError: (error: unknown) => void;
  /** Uniform in [0, 1). */
  random?: () => number;
}

const DEFAULT_JITTER = 0.1;

/** Begins now. Disposing of it waits for the round under way, whose signal it aborts. */
export function startPeriodic(options: PeriodicOptions): AsyncDisposable {
  const stop = new AbortController();
  const running = keepRunning(options, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

async function keepRunning(options: PeriodicOptions, signal: AbortSignal): Promise<void> {
  const { everyMs, jitter = DEFAULT_JITTER, run, onError, random = Math.random } = options;
  let isFailing = false;
  while (!signal.aborted) {
    try {
      await run(signal);
      isFailing = false;
    } catch (error) {
      // What was broken off by the stop is no failure.
      if (!isFailing && !signal.aborted) onError(error);
      isFailing = true;
    }
    const pauseMs = everyMs * (1 + jitter * random());
    await pause(pauseMs, undefined, { ref: false, signal }).catch(() => undefined);
  }
}
