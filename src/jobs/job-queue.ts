/**
 * Work that one node at a time does, kept in the database by pg-boss: again and again, or for as long as a key is there.
 * A turn is held by saying so every few seconds. Of a node that died others take it over within 25 seconds (after 15
 * without a word the queue gives it up, it looks for such every 5, and nodes ask every second); a node that cannot reach
 * the database ends its work after 10. Work must heed its signal, and bear it that a part of it is done once more.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { PgBoss } from 'pg-boss';
import type { Log } from '../observability/log.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Database } from '../storage/connect.ts';
import { type Attempt, HeldTurns, type Turn } from './held-turns.ts';
import { CLOSELY_SECONDS, type JobRun, noteEnd, noteNextRun, noteStart, readJobRuns } from './job-runs.ts';

/** Something that is to happen again and again. */
export interface PeriodicJob {
  /** Of the row that is kept of it: never changed once released. */
  name: string;
  /** From the end of one turn to the beginning of the next. */
  everySeconds: number;
  /** From when the database first knows it; at once unless given. */
  firstAfterSeconds?: number;
  /** What it does, for operators. */
  summary: string;
  run: (signal: AbortSignal) => Promise<void>;
}

/** Something that goes on for each key; it must go by the database alone, as any node may go on with it. */
export interface KeyedJob {
  /** Of its queue, which a migration makes. */
  name: string;
  summary: string;
  /** Those that it is to go on for. */
  keys: () => Promise<string[]>;
  /** Ends by itself when there is nothing to hold any more. Whatever else ends it, it begins anew while the key is there. */
  run: (key: string, signal: AbortSignal) => Promise<void>;
  /** When a part of it last went well, as far as that is on record: a turn seldom ends, and says little when it does. */
  lastSucceededAt: () => Promise<Date | null>;
}

/** How a job fares. */
export interface JobReport extends JobRun {
  summary: string;
  /** Null for what goes on all the time. */
  everySeconds: number | null;
  /** Turns under way at this node. */
  held: number;
  /** `failing`: the last turn failed, and it waits for the next. */
  state: 'waiting' | 'running' | 'failing';
}

export interface JobQueueOptions {
  database: Pick<Database, 'kind' | 'db' | 'executeJobSql'>;
  /** Names this node to people. */
  node: string;
  log: Pick<Log, 'jobFailed' | 'jobTakenOver' | 'jobsGivenUp' | 'jobsStalled' | 'jobsResumed' | 'warning'>;
  /** Milliseconds of a clock that is never set; that of the process unless given. */
  monotonicMs?: () => number;
  /** How long the stop waits for work under way. */
  stopTimeoutMs?: number;
}

/** One turn's work. */
interface Work {
  name: string;
  run: (signal: AbortSignal) => Promise<void>;
  /** Undefined for work with a key. */
  periodic: PeriodicJob | undefined;
  /** The job as it is put into the queue again. */
  again: { singletonKey: string; data: JobData };
}

/** The name of a periodic job, or the key. */
interface JobData {
  key: string;
}

const SCHEMA = 'holdfast_jobs';
/** The queue of all periodic jobs, each under its name. */
const PERIODIC = 'periodic';
/** The embedded database has this node alone, which knows when what it put back is due: it is spared most looks. */
const LOOK_EVERY_MS = { postgresql: 1_000, embedded: 10_000 } as const;
const SUPERVISE_EVERY_MS = { postgresql: 5_000, embedded: 60_000 } as const;
/** For jobs and keys that the queue lacks. */
const PLANT_EVERY_MS = 30_000;
const NAP_MS = 1_000;
const TAKEN_AT_ONCE = 50;
const LONGEST_BACKOFF_SECONDS = 900;
const STOP_TIMEOUT_MS = 10_000;

export class JobQueue implements AsyncDisposable {
  readonly #options: JobQueueOptions;
  readonly #monotonicMs: () => number;
  readonly #held: HeldTurns;
  readonly #periodic = new Map<string, PeriodicJob>();
  readonly #keyed = new Map<string, KeyedJob>();
  readonly #stop = new AbortController();
  #rest = new AbortController();
  #opening: Promise<PgBoss> | undefined;
  #working: Promise<void> | undefined;
  #superviseAtMs = Number.NEGATIVE_INFINITY;
  #plantAtMs = Number.NEGATIVE_INFINITY;
  /** When periodic jobs are due that this node put back. */
  readonly #dueAtMs = new Map<string, number>();
  #isStalled = false;

  constructor(options: JobQueueOptions) {
    this.#options = options;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#held = new HeldTurns({
      confirm: async (queue, attempts) => settledIds(await (await this.#opened()).touch(queue, attempts)),
      monotonicMs: this.#monotonicMs,
    });
  }

  /** What this node can do: what it does not know, it leaves to nodes that do. */
  define({ periodic = [], keyed = [] }: { periodic?: readonly PeriodicJob[]; keyed?: readonly KeyedJob[] }): void {
    for (const job of periodic) this.#periodic.set(job.name, job);
    for (const job of keyed) this.#keyed.set(job.name, job);
    this.#plantAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Looks for what is due from now on, in the background, also while the database is away. */
  start(): void {
    this.#working ??= this.#work();
  }

  /** A key may be new: it is looked for at once. Costs nothing here. */
  keysChanged(): void {
    this.#plantAtMs = Number.NEGATIVE_INFINITY;
    this.#rest.abort();
  }

  /** Of all jobs that this node knows, by their names. One small query, and one for each job with keys. */
  async list(): Promise<JobReport[]> {
    const runs = new Map((await readJobRuns(this.#options.database.db)).map((run) => [run.name, run]));
    const held = Map.groupBy(this.#held.names, (name) => name);
    const keyed = await Promise.all(
      [...this.#keyed.values()].map(async (job) => {
        const lastSucceededAt = await job.lastSucceededAt();
        return { job, run: { ...(runs.get(job.name) ?? neverRun(job)), lastSucceededAt } };
      }),
    );
    const periodic = [...this.#periodic.values()].map((job) => ({ job, run: runs.get(job.name) ?? neverRun(job) }));
    return [...periodic, ...keyed]
      .map(({ job, run }) => reportOf(job, run, held.get(job.name)?.length ?? 0))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Lets a job run next, on whichever node looks first.
   * @throws RegistryError not_found, illegal_transition
   */
  async runNow(name: string): Promise<void> {
    const job = this.#periodic.get(name);
    if (job === undefined) {
      if (this.#keyed.has(name)) throw new RegistryError('illegal_transition', `${name} goes on all the time`);
      throw new RegistryError('not_found', `there is no job ${name}`);
    }
    const boss = await this.#opened();
    const { updated } = await boss.update(PERIODIC, undefined, { singletonKey: name, startAfter: 0 });
    const planted = updated > 0 || (await boss.insert(PERIODIC, [planting(job, 0)], { returnId: true })) !== null;
    if (!planted) throw new RegistryError('illegal_transition', `${name} runs right now`);
    await noteNextRun(this.#options.database.db, name, 0);
    this.#rest.abort();
  }

  /** One look for what is due; that of the loop, or of a test. Turns that it begins go on by themselves. */
  async look(): Promise<void> {
    const boss = await this.#opened();
    const { kind } = this.#options.database;
    for (const [name, atMs] of this.#dueAtMs) if (atMs <= this.#monotonicMs()) this.#dueAtMs.delete(name);
    if (this.#monotonicMs() >= this.#superviseAtMs) {
      await boss.supervise();
      this.#superviseAtMs = this.#monotonicMs() + SUPERVISE_EVERY_MS[kind];
    }
    if (this.#monotonicMs() >= this.#plantAtMs) {
      // Whoever says meanwhile that a key is new has it looked for once more.
      this.#plantAtMs = this.#monotonicMs() + PLANT_EVERY_MS;
      await this.#plant(boss);
    }
    await this.#take(boss, PERIODIC);
    for (const queue of this.#keyed.keys()) await this.#take(boss, queue);
  }

  /** Resolves when no turn is under way here. */
  async idle(): Promise<void> {
    await this.#held.ended();
  }

  /** One word to the queue about what is under way; that of the timer, or of a test. */
  async beat(): Promise<void> {
    await this.#held.beat();
  }

  /** Tells work under way to end and waits for it, for a while: what goes on nevertheless is left to be taken over. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { log, stopTimeoutMs = STOP_TIMEOUT_MS } = this.#options;
    this.#stop.abort();
    this.#rest.abort();
    this.#held.abort();
    const ended = (async () => {
      await this.#working;
      await this.#held.ended();
    })();
    await Promise.race([ended, pause(stopTimeoutMs, undefined, { ref: false })]);
    this.#held[Symbol.dispose]();
    const left = this.#held.names;
    if (left.length > 0) log.jobsGivenUp([...new Set(left)]);
    const boss = await this.#opening?.catch(() => undefined);
    await boss?.stop({ graceful: false, close: false });
  }

  async #work(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#rest = new AbortController();
      try {
        await this.look();
        if (this.#isStalled) this.#options.log.jobsResumed();
        this.#isStalled = false;
      } catch (error) {
        this.#stalled(error);
      }
      await this.#untilNextLook();
    }
  }

  async #untilNextLook(): Promise<void> {
    const endsAtMs = this.#monotonicMs() + LOOK_EVERY_MS[this.#options.database.kind];
    for (;;) {
      const restMs = Math.min(endsAtMs, ...this.#dueAtMs.values()) - this.#monotonicMs();
      if (restMs <= 0 || this.#rest.signal.aborted) return;
      // What ends meanwhile may be due again before that.
      const options = { ref: false, signal: this.#rest.signal };
      await pause(Math.min(restMs, NAP_MS), undefined, options).catch(() => undefined);
    }
  }

  /** A database that is away fails every question: one line tells that, and one that it is over. */
  #stalled(error: unknown): void {
    if (this.#isStalled || this.#stop.signal.aborted) return;
    this.#isStalled = true;
    this.#options.log.jobsStalled(error);
  }

  async #opened(): Promise<PgBoss> {
    this.#opening ??= this.#open();
    try {
      return await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  async #open(): Promise<PgBoss> {
    const { database, log } = this.#options;
    // With the first look, so that nobody waits for it at the start.
    const { PgBoss } = await import('pg-boss');
    const boss = new PgBoss({
      db: { executeSql: (text, values) => database.executeJobSql(text, values) },
      backend: database.kind === 'embedded' ? 'pglite' : 'postgres',
      schema: SCHEMA,
      // All that needs the owner of the tables is in the migrations, or left undone.
      ...{ migrate: false, createSchema: false, reindex: false, monitorVacuum: false },
      // By the looks above.
      ...{ supervise: false, schedule: false },
      monitorIntervalSeconds: SUPERVISE_EVERY_MS.postgresql / 1000 - 1,
    });
    // What fails in its own timers fails in the next look as well.
    boss.on('error', () => undefined);
    boss.on('warning', ({ message }) => log.warning(`queue of jobs: ${message}`));
    try {
      await boss.start();
      if (database.kind === 'embedded') await this.#freeLeftBehind(boss);
      return boss;
    } catch (error) {
      await boss.stop({ graceful: false, close: false });
      throw error;
    }
  }

  /** Whoever was at work in an embedded database is gone when another has opened it. */
  async #freeLeftBehind(boss: PgBoss): Promise<void> {
    for (const queue of [PERIODIC, ...this.#keyed.keys()]) {
      const active = (await boss.findJobs(queue)).filter(({ state }) => state === 'active');
      if (active.length > 0) await boss.fail(queue, active.map(attemptOf), { message: 'its process has ended' });
    }
  }

  /** What the queue has already stays as it is. */
  async #plant(boss: PgBoss): Promise<void> {
    const jobs = [...this.#periodic.values()].map((job) => planting(job, job.firstAfterSeconds ?? 0));
    if (jobs.length > 0) await boss.insert(PERIODIC, jobs);
    for (const { name, keys } of this.#keyed.values()) {
      const keyed = (await keys()).map((key) => ({ singletonKey: key, data: { key } }));
      if (keyed.length > 0) await boss.insert(name, keyed);
    }
  }

  async #take(boss: PgBoss, queue: string): Promise<void> {
    for (let taken = TAKEN_AT_ONCE; taken === TAKEN_AT_ONCE && !this.#stop.signal.aborted; ) {
      const askedAtMs = this.#monotonicMs();
      const jobs = await boss.fetch<JobData>(queue, { batchSize: TAKEN_AT_ONCE });
      taken = jobs.length;
      for (const job of jobs) {
        const attempt = attemptOf(job);
        const work = this.#workOf(queue, job.data);
        // A node that knows it plants it anew; if none does, it is gone.
        if (work === undefined) await boss.deleteJob(queue, attempt);
        else this.#begin(boss, { queue, name: work.name, attempt }, askedAtMs, work);
      }
    }
  }

  #workOf(queue: string, { key }: JobData): Work | undefined {
    const again = { singletonKey: key, data: { key } };
    if (queue !== PERIODIC) {
      const job = this.#keyed.get(queue);
      return job && { name: queue, run: (signal) => job.run(key, signal), periodic: undefined, again };
    }
    const job = this.#periodic.get(key);
    return job && { name: key, run: job.run, periodic: job, again };
  }

  #begin(boss: PgBoss, turn: Omit<Turn, 'signal'>, askedAtMs: number, work: Work): void {
    if (turn.attempt.retryCount > 0) this.#options.log.jobTakenOver(turn.name);
    this.#held.hold(turn, askedAtMs, async (held) => {
      try {
        await this.#run(boss, held, work);
      } catch (error) {
        // What became of it is not on record: it is taken over like that of a node that died.
        this.#stalled(error);
      }
    });
    // What was fetched while the service stopped.
    if (this.#stop.signal.aborted) this.#held.abort();
  }

  async #run(boss: PgBoss, { queue, attempt, signal }: Turn, work: Work): Promise<void> {
    const { database, node, log } = this.#options;
    const { name, periodic } = work;
    const failuresBefore = await noteStart(database.db, name, periodic === undefined ? null : node);
    const startedAtMs = this.#monotonicMs();
    const failure = await failureOf(work, signal);
    const durationMs = this.#monotonicMs() - startedAtMs;
    const { affected } = (await boss.deleteJob(queue, attempt)) as { affected: number };
    // Somebody else has it by now, and says what became of it.
    if (affected === 0) return;
    const outcome = signal.aborted ? 'interrupted' : failure === undefined ? 'succeeded' : 'failed';
    const expected = outcome === 'failed' ? failuresBefore + 1 : 0;
    const nextAfterSeconds = periodic && (outcome === 'interrupted' ? 0 : pauseSeconds(periodic, expected));
    if (periodic !== undefined || outcome === 'interrupted') {
      await boss.insert(queue, [{ ...work.again, startAfter: nextAfterSeconds ?? 0 }]);
    }
    if (nextAfterSeconds !== undefined) this.#dueAtMs.set(name, this.#monotonicMs() + nextAfterSeconds * 1000);
    const end = { outcome, error: failure?.error, durationMs, nextAfterSeconds } as const;
    const failures = await noteEnd(database.db, name, end);
    if (outcome === 'failed' && failures === 1) log.jobFailed(failure?.error, name);
  }
}

function neverRun({ name }: PeriodicJob | KeyedJob): JobRun {
  return {
    name,
    ...{ lastStartedAt: null, lastSucceededAt: null, lastFailedAt: null, lastDurationMs: null },
    ...{ failures: 0, lastError: null, nextRunAt: null, runningOn: null },
  };
}

function reportOf(job: PeriodicJob | KeyedJob, noted: JobRun, held: number): JobReport {
  const { summary } = job;
  const everySeconds = 'everySeconds' in job ? job.everySeconds : null;
  const isLongAgo = Date.now() - Number(noted.lastFailedAt) > CLOSELY_SECONDS * 1000;
  const failures = everySeconds === null && isLongAgo ? 0 : noted.failures;
  const isRunning = noted.runningOn !== null || held > 0;
  const state = isRunning ? 'running' : failures > 0 ? 'failing' : 'waiting';
  return { ...noted, failures, summary, everySeconds, held, state };
}

async function failureOf({ run }: Work, signal: AbortSignal): Promise<{ error: unknown } | undefined> {
  try {
    if (!signal.aborted) await run(signal);
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** After failures in a row twice as long each time, up to a quarter of an hour; what is rarer anyway is not made rarer. */
function pauseSeconds({ everySeconds }: PeriodicJob, failures: number): number {
  const longest = Math.max(everySeconds, LONGEST_BACKOFF_SECONDS);
  return Math.min(everySeconds * 2 ** Math.max(failures - 1, 0), longest);
}

function planting({ name }: PeriodicJob, startAfter: number) {
  return { singletonKey: name, data: { key: name }, startAfter };
}

function attemptOf({ id, retryCount }: Attempt): Attempt {
  return { id, retryCount };
}

/** What the types of pg-boss keep to themselves. */
function settledIds(response: object): readonly string[] {
  return 'settled' in response && Array.isArray(response.settled) ? response.settled : [];
}
