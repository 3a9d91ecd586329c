/** Learns that the person or the system wants the demo to stop, so that it can stop its programs first. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PARENT_CHECK_MS = 500;

/** The demo was told to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** As a shell reports a program that a signal ended. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

export class Interruption implements Disposable {
  readonly #happened = Promise.withResolvers<Interrupted>();
  readonly #stop = (signal: NodeJS.Signals): void => this.#happened.resolve(new Interrupted(signal));
  readonly #parentCheck: NodeJS.Timeout | undefined;

  /** Listens until it is disposed of; further signals change nothing, as stopping is under way. */
  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#stop);
    // `npm run demo | head`: nobody watches any more.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => this.#stop('SIGHUP'));
    this.#parentCheck = watchNpm(() => this.#stop('SIGHUP'));
  }

  get happened(): Promise<Interrupted> {
    return this.#happened.promise;
  }

  /** The outcome of `work`, unless the interruption comes first. @throws Interrupted */
  async before<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.happened.then((interrupted) => Promise.reject(interrupted))]);
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#stop);
    clearInterval(this.#parentCheck);
  }
}

/** A signal to npm ends npm and the shell between us, which passes nothing on. */
function watchNpm(whenGone: () => void): NodeJS.Timeout | undefined {
  if (process.env['npm_lifecycle_event'] === undefined) return undefined;
  const parent = process.ppid;
  const check = (): void => {
    if (process.ppid !== parent) whenGone();
  };
  return setInterval(check, PARENT_CHECK_MS).unref();
}
