/** The turns that this node holds: it says so again and again, and gives up a turn in time that others may take over. */

/** Which attempt at which job of the queue: one that another worker has meanwhile is another. */
export interface Attempt {
  id: string;
  retryCount: number;
}

export interface Turn {
  /** Of pg-boss. */
  readonly queue: string;
  /** What is done, for people. */
  readonly name: string;
  readonly attempt: Attempt;
  /** Aborted when the turn is lost, is to end, or has taken too long. */
  readonly signal: AbortSignal;
}

interface HeldTurn extends Turn {
  readonly lost: AbortController;
  readonly begunAtMs: number;
  /** When the word was sent that the database last confirmed, by a clock that is never set. */
  confirmedAtMs: number;
  ended: Promise<void>;
}

/** A worker that the database has not heard of for so long has lost its job: in drizzle/0030_jobs.sql as well. */
export const HEARTBEAT_SECONDS = 15;
const BEAT_EVERY_MS = 3_000;
/** Then work is told to end, so that it has when another node may begin it. */
const GIVE_UP_AFTER_MS = 10_000;
/** Well before the queue takes a job for hung, in a day; what is not done goes on in the next turn, at any node. */
const LONGEST_TURN_MS = 12 * 3_600_000;

export interface HeldTurnsOptions {
  /** Tells the queue that they are being worked at. @returns the ids of those that still are this node's */
  confirm: (queue: string, attempts: Attempt[]) => Promise<readonly string[]>;
  /** Milliseconds of a clock that is never set. */
  monotonicMs: () => number;
}

export class HeldTurns {
  readonly #options: HeldTurnsOptions;
  readonly #turns = new Set<HeldTurn>();
  #beating: NodeJS.Timeout | undefined;
  #confirming = false;

  constructor(options: HeldTurnsOptions) {
    this.#options = options;
  }

  /** The names of what is under way, a turn each. */
  get names(): string[] {
    return [...this.#turns].map(({ name }) => name);
  }

  /**
   * Begins a turn, and holds it until the work has ended.
   * @param askedAtMs when the queue was asked for it
   * @param work never rejects
   */
  hold(turn: Omit<Turn, 'signal'>, askedAtMs: number, work: (turn: Turn) => Promise<void>): void {
    const lost = new AbortController();
    const times = { begunAtMs: askedAtMs, confirmedAtMs: askedAtMs };
    const held: HeldTurn = { ...turn, ...times, lost, signal: lost.signal, ended: Promise.resolve() };
    this.#turns.add(held);
    held.ended = work(held).finally(() => this.#turns.delete(held));
    this.#beating ??= setInterval(() => void this.beat(), BEAT_EVERY_MS).unref();
  }

  /** One beat; that of the timer, or of a test. Never rejects. */
  async beat(): Promise<void> {
    const nowMs = this.#options.monotonicMs();
    for (const { confirmedAtMs, begunAtMs, lost } of this.#turns) {
      if (nowMs - confirmedAtMs > GIVE_UP_AFTER_MS || nowMs - begunAtMs > LONGEST_TURN_MS) lost.abort();
    }
    // A database that keeps one waiting is not asked by all beats meanwhile.
    if (this.#confirming) return;
    this.#confirming = true;
    try {
      for (const [queue, turns] of Map.groupBy(this.#turns, (turn) => turn.queue)) await this.#confirm(queue, turns);
    } catch {
      // Not confirmed: the next beat may be, or they are given up.
    } finally {
      this.#confirming = false;
    }
  }

  async #confirm(queue: string, turns: HeldTurn[]): Promise<void> {
    const sentAtMs = this.#options.monotonicMs();
    const ours = new Set(
      await this.#options.confirm(
        queue,
        turns.map(({ attempt }) => attempt),
      ),
    );
    for (const turn of turns) {
      if (ours.has(turn.attempt.id)) turn.confirmedAtMs = sentAtMs;
      else turn.lost.abort();
    }
  }

  /** Tells all work to end. */
  abort(): void {
    for (const { lost } of this.#turns) lost.abort();
  }

  /** Resolves when nothing is under way any more. */
  async ended(): Promise<void> {
    while (this.#turns.size > 0) await Promise.all([...this.#turns].map(({ ended }) => ended));
  }

  /** No beat comes any more: what is still held is anybody's soon. */
  [Symbol.dispose](): void {
    clearInterval(this.#beating);
  }
}
