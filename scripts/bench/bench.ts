/** What every figure is given: how long to measure, where to tell progress, and what several figures share. */

export interface RoundPlan {
  rounds: number;
  /** Length of a round, in seconds. */
  roundSeconds: number;
}

/** What counts; anything shorter is for trying out. */
export const FULL_PLAN: RoundPlan = { rounds: 7, roundSeconds: 3 };

export class Bench implements AsyncDisposable {
  readonly plan: RoundPlan;
  readonly #progress: (message: string) => void;
  readonly #stack = new AsyncDisposableStack();
  readonly #shared = new Map<unknown, Promise<AsyncDisposable>>();

  constructor(plan: RoundPlan, progress: (message: string) => void) {
    this.plan = plan;
    this.#progress = progress;
  }

  progress(message: string): void {
    this.#progress(message);
  }

  /** Starts what other figures of this run want as well, once; it lives until the run is over. */
  async shared<T extends AsyncDisposable>(start: (bench: Bench) => Promise<T>): Promise<T> {
    let running = this.#shared.get(start) as Promise<T> | undefined;
    if (running === undefined) {
      running = start(this).then((started) => this.#stack.use(started));
      this.#shared.set(start, running);
    }
    return await running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
