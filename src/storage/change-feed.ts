/** Follows the registry's changes in their order, and knows how fresh that knowledge is. */
import { and, asc, eq, gt, lte } from 'drizzle-orm';
import type { Database, Db } from './connect.ts';
import { audit } from './schema/audit.ts';
import { registryCounter } from './schema/registry-counter.ts';

/** Every change to the registry notifies here, in its transaction, with its seq as payload. */
export const CHANGES_CHANNEL = 'holdfast_changes';

/** One row of the audit: what a change touched. */
export interface RegistryChange {
  /** Number of the change. All numbers exist, and they follow the order of the commits. */
  seq: number;
  /** Position within the change, from 0. */
  ordinal: number;
  action: string;
  /** Null for what concerns the whole deployment. */
  authorityId: string | null;
  subjectKind: string;
  subjectId: string;
}

export interface ChangeFeedOptions {
  database: Database;
  /**
   * Takes over whole changes in the order of their seq. Should it throw, the same changes come again, perhaps with
   * later ones, so it must bear repetition.
   */
  onChanges: (changes: RegistryChange[]) => void | Promise<void>;
  /** Called once when the feed loses the registry, not again until it has found it. */
  onError: (error: unknown) => void;
  /** Milliseconds of a clock that is never set; it may stand still while the machine is paused. */
  monotonicMs?: () => number;
  /** Milliseconds of the clock that goes on meanwhile, and that somebody may set. */
  wallMs?: () => number;
  pollIntervalMs?: number;
  /** How old the last confirmation may be for the feed to count as current. */
  maxAgeMs?: number;
}

export interface ChangeFeed {
  /** Begins with the changes after the registry's present seq. Dispose of the feed if this throws, too. */
  start(): Promise<void>;
  /** The last change that `onChanges` took over. */
  readonly seq: number;
  /**
   * Milliseconds since the database last confirmed `seq` as its latest: by the clock that says more, so that neither a
   * pause of the machine nor a clock set back makes it younger. Costs nothing.
   */
  readonly ageMs: number;
  /** Whether the database confirmed `seq` as its latest less than `maxAgeMs` ago. Costs nothing. */
  isCurrent(): boolean;
  /**
   * Resolves when the feed is current; asks the database if it has to, for at most `maxAgeMs`.
   * @throws StaleStateError
   */
  ensureCurrent(): Promise<void>;
  /**
   * Reads what is new and resolves once `seq` has reached `toSeq`, or, without `toSeq`, everything that was committed
   * before the call. A writer awaits it with the seq of its own change, to read its own writes.
   * @throws StaleStateError if the registry does not have `toSeq` yet
   */
  catchUp(toSeq?: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What is known of the registry may be outdated, and the database does not confirm it: refuse rather than guess. */
export class StaleStateError extends Error {
  override readonly name = 'StaleStateError';
}

const DEFAULT_POLL_INTERVAL_MS = 250;
const DEFAULT_MAX_AGE_MS = 1_000;
/** A query that takes longer is given up, so that one lost connection does not hold up the feed. */
const QUERY_TIMEOUT_MS = 5_000;
/** Changes read at a time. */
const BATCH_SIZE = 1_000;

export function createChangeFeed(options: ChangeFeedOptions): ChangeFeed {
  return new RegistryChangeFeed(options);
}

/** By both clocks. */
interface Moment {
  monotonicMs: number;
  wallMs: number;
}

class RegistryChangeFeed implements ChangeFeed {
  readonly #database: Database;
  readonly #onChanges: ChangeFeedOptions['onChanges'];
  readonly #onError: ChangeFeedOptions['onError'];
  readonly #monotonicMs: () => number;
  readonly #wallMs: () => number;
  readonly #pollIntervalMs: number;
  readonly #maxAgeMs: number;

  #seq = 0;
  /** When the query was sent whose answer last confirmed that nothing is newer than `#seq`. */
  #confirmedAt: Moment = { monotonicMs: Number.NEGATIVE_INFINITY, wallMs: Number.NEGATIVE_INFINITY };
  #reading: Promise<void> | undefined;
  #failing = false;
  #state: 'new' | 'started' | 'stopped' = 'new';
  #timer: NodeJS.Timeout | undefined;
  #unlisten: (() => Promise<void>) | undefined;

  constructor(options: ChangeFeedOptions) {
    this.#database = options.database;
    this.#onChanges = options.onChanges;
    this.#onError = options.onError;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#wallMs = options.wallMs ?? Date.now;
    this.#pollIntervalMs = options.pollIntervalMs ?? DEFAULT_POLL_INTERVAL_MS;
    this.#maxAgeMs = options.maxAgeMs ?? DEFAULT_MAX_AGE_MS;
  }

  get seq(): number {
    return this.#seq;
  }

  async start(): Promise<void> {
    if (this.#state !== 'new') throw new Error('the change feed was started before');
    this.#unlisten = await this.#database.listen(CHANGES_CHANNEL, (payload) => this.#notified(Number(payload)));
    const sentAt = this.#now();
    this.#seq = await this.#query(currentSeq);
    this.#confirmedAt = sentAt;
    this.#state = 'started';
    this.#schedulePoll();
  }

  get ageMs(): number {
    const { monotonicMs, wallMs } = this.#confirmedAt;
    return Math.max(this.#monotonicMs() - monotonicMs, this.#wallMs() - wallMs);
  }

  #now(): Moment {
    return { monotonicMs: this.#monotonicMs(), wallMs: this.#wallMs() };
  }

  isCurrent(): boolean {
    return this.ageMs < this.#maxAgeMs;
  }

  async ensureCurrent(): Promise<void> {
    if (this.isCurrent()) return;
    try {
      await withinTime(
        this.#maxAgeMs,
        this.#readUntil(() => this.isCurrent()),
      );
    } catch (cause) {
      throw new StaleStateError('the database does not confirm that the registry is unchanged', { cause });
    }
    if (!this.isCurrent()) throw new StaleStateError('the database took too long to confirm the registry');
  }

  async catchUp(toSeq?: number): Promise<void> {
    await this.#readUntil(() => toSeq !== undefined && this.#seq >= toSeq);
    if (toSeq !== undefined && this.#seq < toSeq) {
      throw new StaleStateError(`the registry is at seq ${this.#seq} and does not have ${toSeq} yet`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'stopped';
    clearTimeout(this.#timer);
    await this.#unlisten?.();
    await this.#reading?.catch(() => {});
  }

  /** Returns when `reached`, at the latest after a reading that began after the call. One reading serves all callers. */
  async #readUntil(reached: () => boolean): Promise<void> {
    if (reached()) return;
    if (this.#reading !== undefined) {
      await this.#reading.catch(() => {});
      if (reached()) return;
    }
    // Whatever runs now began after the one that was awaited.
    await (this.#reading ?? this.#read());
  }

  #read(): Promise<void> {
    this.#reading = this.#readEverythingNew()
      .then(
        () => {
          this.#failing = false;
        },
        (error) => {
          this.#reportOnce(error);
          throw error;
        },
      )
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async #readEverythingNew(): Promise<void> {
    if (this.#state !== 'started') throw new Error('the change feed is not running');
    const sentAt = this.#now();
    const latest = await this.#query(currentSeq);
    if (latest < this.#seq) {
      throw new Error(`the registry went back from seq ${this.#seq} to ${latest}: restart every node after a restore`);
    }
    while (this.#seq < latest) {
      const through = Math.min(this.#seq + BATCH_SIZE, latest);
      const changes = await this.#query((db) => changesBetween(db, this.#seq, through));
      requireEverySeq(changes, this.#seq, through);
      await this.#onChanges(changes);
      this.#seq = through;
    }
    this.#confirmedAt = sentAt;
  }

  #query<T>(query: (db: Db) => Promise<T>): Promise<T> {
    return withinTime(QUERY_TIMEOUT_MS, query(this.#database.feedDb));
  }

  #reportOnce(error: unknown): void {
    if (this.#failing || this.#state === 'stopped') return;
    this.#failing = true;
    this.#onError(error);
  }

  #notified(seq: number): void {
    if (this.#state !== 'started') return;
    // A failure was reported already, and polling goes on.
    this.catchUp(seq).catch(() => {});
  }

  #schedulePoll(): void {
    if (this.#state !== 'started') return;
    this.#timer = setTimeout(() => {
      (this.#reading ?? this.#read()).catch(() => {}).finally(() => this.#schedulePoll());
    }, this.#pollIntervalMs);
    this.#timer.unref();
  }
}

async function currentSeq(db: Db): Promise<number> {
  const [counter] = await db
    .select({ seq: registryCounter.seq })
    .from(registryCounter)
    .where(eq(registryCounter.id, 1));
  if (counter === undefined) throw new Error('the registry has lost its counter');
  return counter.seq;
}

async function changesBetween(db: Db, after: number, through: number): Promise<RegistryChange[]> {
  return await db
    .select({
      seq: audit.seq,
      ordinal: audit.ordinal,
      action: audit.action,
      authorityId: audit.authorityId,
      subjectKind: audit.subjectKind,
      subjectId: audit.subjectId,
    })
    .from(audit)
    .where(and(gt(audit.seq, after), lte(audit.seq, through)))
    .orderBy(asc(audit.seq), asc(audit.ordinal));
}

/** Without a change in between, what is built upon the feed would be wrong and not know it. */
function requireEverySeq(changes: RegistryChange[], after: number, through: number): void {
  const seen = new Set(changes.map(({ seq }) => seq));
  for (let seq = after + 1; seq <= through; seq++) {
    if (!seen.has(seq)) throw new Error(`change ${seq} of the registry is missing from the audit`);
  }
}

async function withinTime<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([work, timedOut]);
  } finally {
    clearTimeout(timer);
  }
}
