/** Learns that the person or the system wants the demo to stop, so that it can stop its programs first. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

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
  readonly #onSignal = (signal: NodeJS.Signals): void => this.#happened.resolve(new Interrupted(signal));

  /** Listens until it is disposed of; further signals change nothing, as stopping is under way. */
  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    // `npm run demo | head`: nobody watches any more.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => this.#onSignal('SIGTERM'));
  }

  get happened(): Promise<Interrupted> {
    return this.#happened.promise;
  }

  /** The outcome of `work`, unless the interruption comes first. @throws Interrupted */
  async before<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.happened.then((interrupted) => Promise.reject(interrupted))]);
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }
}
