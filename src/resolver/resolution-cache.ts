/** Outcomes of resolutions, kept while they hold and dropped when what they rest on changes. @see OIDFED §10.2, §10.4 */
import { LRUCache } from 'lru-cache';
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import { attemptOf } from '../federation/trust-chain/attempt.ts';
import type { ResolveOutcome } from './resolution.ts';
import { verdictOf } from './verdict.ts';

export const DEFAULT_MAX_CACHE_BYTES = 64 * 1024 * 1024;
export const DEFAULT_MAX_AGE_SECONDS = 3600;
/** Long enough that a burst of equal questions costs one round of requests, short enough to try a repair at once. */
export const DEFAULT_REFUSAL_SECONDS = 5;
/** How often an evaluation begins anew because what it rests on changed meanwhile. */
export const MAX_EVALUATIONS = 5;

export interface ResolutionCacheOptions {
  clock: Clock;
  /** Approximate memory of everything kept; the least recently used goes first. */
  maxBytes?: number;
  /** Longest time that a resolution is kept; never beyond its own expiry, nor beyond what its statements are fresh for. */
  maxAgeSeconds?: number;
  /** How long a refusal is kept that cost requests to others. One that cost none is not kept. */
  refusalSeconds?: number;
  /** Uniform in [0, 1): spreads renewals, so that what was evaluated together is not renewed together. */
  random?: () => number;
}

/** What an outcome is for, in full identifiers: two authorities on one host share nothing. */
export interface ResolutionKey {
  /** Whose question it is, such as the id of the authority that answers it. */
  scope: string;
  subject: EntityIdentifier;
  trustAnchor: EntityIdentifier;
  /** The other members as one text, where they were put together before; see {@link named}. */
  readonly name?: string;
}

/** The key with its name, for who asks with it again and again. */
export function named({ scope, subject, trustAnchor }: Omit<ResolutionKey, 'name'>): ResolutionKey {
  return { scope, subject, trustAnchor, name: joined(scope, subject, trustAnchor) };
}

/** What an evaluation is handed; both fit into the request of a resolver. */
export interface Evaluation {
  /** Is to be told of each thing the outcome rests on before that is looked at. */
  onDependency: (key: string) => void;
  /** Aborts when the outcome would be out of date; whatever the evaluation gives then is thrown away. */
  signal: AbortSignal;
  /** The outcome is to outlive the one that is kept. */
  isRefresh: boolean;
}

export type Evaluate = (evaluation: Evaluation) => Promise<ResolveOutcome>;

interface Entry {
  outcome: ResolveOutcome;
  dependencies: ReadonlySet<string>;
  /** From then on it is not served. */
  endsAt: NumericDate;
  /** From then on whoever asks causes a renewal. */
  renewAt: NumericDate;
}

/** An outcome is renewed when this share of its time is over, plus up to as much again by chance. */
const RENEWAL = { earliest: 0.7, spread: 0.2 } as const;
/** When a renewal failed for trouble on the way, the next one waits so long. */
const RENEWAL_PAUSE_SECONDS = 5;

/** An evaluation under way. */
interface Flight {
  readonly dependencies: Set<string>;
  readonly outdated: AbortController;
}

/**
 * Caches outcomes. Concurrent questions with one key share one evaluation, and the object that it gives: it is not to
 * be changed.
 */
export class ResolutionCache {
  readonly #clock: Clock;
  readonly #maxAgeSeconds: number;
  readonly #refusalSeconds: number;
  readonly #random: () => number;
  readonly #entries: LRUCache<string, Entry>;
  /** Names of the entries that rest on a dependency. */
  readonly #restingOn = new Map<string, Set<string>>();
  readonly #outcomesUnderWay = new Map<string, Promise<ResolveOutcome>>();
  readonly #flights = new Set<Flight>();
  /** Outcomes that were there, and evaluations that somebody had to wait for. */
  readonly reads = { hits: 0, misses: 0 };

  constructor(options: ResolutionCacheOptions) {
    this.#clock = options.clock;
    this.#maxAgeSeconds = options.maxAgeSeconds ?? DEFAULT_MAX_AGE_SECONDS;
    this.#refusalSeconds = options.refusalSeconds ?? DEFAULT_REFUSAL_SECONDS;
    this.#random = options.random ?? Math.random;
    this.#entries = new LRUCache({
      maxSize: options.maxBytes ?? DEFAULT_MAX_CACHE_BYTES,
      sizeCalculation: bytesOf,
      dispose: (entry, name) => this.#unlink(name, entry),
    });
  }

  /** Approximate memory of what is kept. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** Number of outcomes kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** Number of distinct things that kept outcomes rest on. */
  get dependencies(): number {
    return this.#restingOn.size;
  }

  /**
   * What was evaluated already and still holds.
   * @param evaluate renews it behind the scenes, once for all who ask, if it will not hold for much longer
   */
  peek(key: ResolutionKey, evaluate?: Evaluate): ResolveOutcome | undefined {
    const name = nameOf(key);
    const entry = this.#fresh(name);
    if (entry !== undefined) this.reads.hits++;
    if (entry !== undefined && evaluate !== undefined) this.#renewIfDue(name, entry, key, evaluate);
    return entry?.outcome;
  }

  /**
   * The outcome for this key: the one kept, or the one that an evaluation under way will give, or that of a new one.
   * An outcome that was invalidated while it was evaluated is never given; the evaluation begins anew.
   * Whoever asks first brings the evaluation for all who ask meanwhile: it must not end with one caller's signal.
   * @throws whatever the evaluation throws, to everyone who waits for it; nothing is kept then
   */
  async get(key: ResolutionKey, evaluate: Evaluate): Promise<ResolveOutcome> {
    const name = nameOf(key);
    const entry = this.#fresh(name);
    if (entry !== undefined) {
      this.reads.hits++;
      this.#renewIfDue(name, entry, key, evaluate);
      return entry.outcome;
    }
    let underWay = this.#outcomesUnderWay.get(name);
    if (underWay === undefined) {
      this.reads.misses++;
      underWay = this.#begin(name, key, evaluate);
    }
    return await underWay;
  }

  #begin(name: string, key: ResolutionKey, evaluate: Evaluate, kept?: Entry): Promise<ResolveOutcome> {
    const underWay = this.#evaluate(key, evaluate, kept).finally(() => this.#outcomesUnderWay.delete(name));
    this.#outcomesUnderWay.set(name, underWay);
    return underWay;
  }

  #renewIfDue(name: string, entry: Entry, key: ResolutionKey, evaluate: Evaluate): void {
    const now = this.#clock.now();
    if (entry.renewAt > now || !('resolved' in entry.outcome) || this.#outcomesUnderWay.has(name)) return;
    entry.renewAt = now + RENEWAL_PAUSE_SECONDS;
    // Nobody waits for it: what fails here fails again, and is heard of, when the entry has ended.
    this.#begin(name, key, evaluate, entry).catch(() => undefined);
  }

  /**
   * Drops every outcome that rests on one of these, also those still under way. To be called after the change was made
   * and before anything is answered that should know of it.
   */
  invalidate(dependencyKeys: Iterable<string>): void {
    for (const key of dependencyKeys) {
      for (const name of [...(this.#restingOn.get(key) ?? [])]) this.#entries.delete(name);
      for (const flight of this.#flights) if (flight.dependencies.has(key)) flight.outdated.abort();
    }
  }

  /** Drops everything, also what is under way: for changes that cannot be told apart. */
  clear(): void {
    this.#entries.clear();
    for (const flight of this.#flights) flight.outdated.abort();
  }

  /** @param kept what is to be renewed; it stays if only the way to a new one is blocked */
  async #evaluate(key: ResolutionKey, evaluate: Evaluate, kept?: Entry): Promise<ResolveOutcome> {
    for (let count = 0; count < MAX_EVALUATIONS; count++) {
      const flight: Flight = { dependencies: new Set(), outdated: new AbortController() };
      const outcome = await this.#fly(flight, evaluate, kept !== undefined);
      if (outcome === undefined) continue;
      if (kept !== undefined && kept === this.#entries.peek(nameOf(key)) && isTrouble(outcome)) return kept.outcome;
      this.#keep(nameOf(key), outcome, flight.dependencies);
      return outcome;
    }
    const message = `its federation changed ${MAX_EVALUATIONS} times while ${key.subject} was resolved; try again`;
    const attempt = attemptOf([key.subject], new FederationError('timed_out', message));
    return { attempts: [attempt], requests: 0 };
  }

  /** Undefined when the outcome is out of date before it is there. */
  async #fly(flight: Flight, evaluate: Evaluate, isRefresh: boolean): Promise<ResolveOutcome | undefined> {
    const { dependencies, outdated } = flight;
    this.#flights.add(flight);
    try {
      const onDependency = (key: string): void => void dependencies.add(key);
      const outcome = await evaluate({ onDependency, signal: outdated.signal, isRefresh });
      return outdated.signal.aborted ? undefined : outcome;
    } catch (error) {
      if (outdated.signal.aborted) return undefined;
      throw error;
    } finally {
      this.#flights.delete(flight);
    }
  }

  #fresh(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.endsAt > this.#clock.now()) return entry;
    this.#entries.delete(name);
    return undefined;
  }

  #keep(name: string, outcome: ResolveOutcome, dependencies: ReadonlySet<string>): void {
    const now = this.#clock.now();
    const endsAt = this.#endOf(outcome, now);
    if (endsAt <= now) {
      this.#entries.delete(name);
      return;
    }
    const renewAt = now + Math.floor((endsAt - now) * (RENEWAL.earliest + RENEWAL.spread * this.#random()));
    const entry: Entry = { outcome, dependencies, endsAt, renewAt };
    this.#entries.set(name, entry);
    if (this.#entries.peek(name) === entry) this.#link(name, entry);
  }

  #endOf(outcome: ResolveOutcome, now: NumericDate): NumericDate {
    if ('resolved' in outcome) {
      const { expiresAt, freshUntil } = outcome.resolved;
      return Math.min(expiresAt, freshUntil, now + this.#maxAgeSeconds);
    }
    return outcome.requests > 0 ? now + this.#refusalSeconds : now;
  }

  #link(name: string, { dependencies }: Entry): void {
    for (const key of dependencies) {
      const names = this.#restingOn.get(key);
      if (names === undefined) this.#restingOn.set(key, new Set([name]));
      else names.add(name);
    }
  }

  /** Called for every entry that leaves, whatever the reason. */
  #unlink(name: string, { dependencies }: Entry): void {
    for (const key of dependencies) {
      const names = this.#restingOn.get(key);
      names?.delete(name);
      if (names?.size === 0) this.#restingOn.delete(key);
    }
  }
}

/** Nothing is known to have changed; the same may succeed later. */
function isTrouble(outcome: ResolveOutcome): boolean {
  return !('resolved' in outcome) && verdictOf(outcome.attempts) === 'temporarily_unavailable';
}

function nameOf({ scope, subject, trustAnchor, name }: ResolutionKey): string {
  return name ?? joined(scope, subject, trustAnchor);
}

function joined(scope: string, subject: string, trustAnchor: string): string {
  return JSON.stringify([scope, subject, trustAnchor]);
}

/** For objects, maps and sets around the text. */
const OVERHEAD_BYTES = 1024;
const OVERHEAD_PER_DEPENDENCY_BYTES = 128;

/** Text counts once in the entry; parsed JSON takes about four times the memory of its text. */
function bytesOf({ outcome, dependencies }: Entry, name: string): number {
  let bytes = OVERHEAD_BYTES + 2 * name.length;
  for (const key of dependencies) bytes += OVERHEAD_PER_DEPENDENCY_BYTES + 2 * key.length;
  if (!('resolved' in outcome)) return bytes + 4 * JSON.stringify(outcome.attempts).length;
  const { trustChain, metadata, trustMarks, refusedTrustMarks } = outcome.resolved;
  for (const jwt of trustChain) bytes += jwt.length;
  return bytes + 4 * JSON.stringify([metadata, trustMarks, refusedTrustMarks]).length;
}
