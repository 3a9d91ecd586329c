/** Outcomes of resolutions, kept while they hold and dropped when what they rest on changes. @see OIDFED §10.2, §10.4 */
import { LRUCache } from 'lru-cache';
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import { attemptOf } from '../federation/trust-chain/attempt.ts';
import type { ResolveOutcome } from './resolver.ts';

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
  /** Longest time that a resolution is kept; never beyond its own expiry. */
  maxAgeSeconds?: number;
  /** How long a refusal is kept that cost requests to others. One that cost none is not kept. */
  refusalSeconds?: number;
}

/** What an outcome is for, in full identifiers: two authorities on one host share nothing. */
export interface ResolutionKey {
  /** Whose question it is, such as the id of the authority that answers it. */
  scope: string;
  subject: EntityIdentifier;
  trustAnchor: EntityIdentifier;
}

/** What an evaluation is handed; both fit into the request of a resolver. */
export interface Evaluation {
  /** Is to be told of each thing the outcome rests on before that is looked at. */
  onDependency: (key: string) => void;
  /** Aborts when the outcome would be out of date; whatever the evaluation gives then is thrown away. */
  signal: AbortSignal;
}

export type Evaluate = (evaluation: Evaluation) => Promise<ResolveOutcome>;

interface Entry {
  outcome: ResolveOutcome;
  dependencies: ReadonlySet<string>;
  /** From then on it is not served. */
  endsAt: NumericDate;
}

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
  readonly #entries: LRUCache<string, Entry>;
  /** Names of the entries that rest on a dependency. */
  readonly #restingOn = new Map<string, Set<string>>();
  readonly #outcomesUnderWay = new Map<string, Promise<ResolveOutcome>>();
  readonly #flights = new Set<Flight>();

  constructor(options: ResolutionCacheOptions) {
    this.#clock = options.clock;
    this.#maxAgeSeconds = options.maxAgeSeconds ?? DEFAULT_MAX_AGE_SECONDS;
    this.#refusalSeconds = options.refusalSeconds ?? DEFAULT_REFUSAL_SECONDS;
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

  /** What was evaluated already and still holds. */
  peek(key: ResolutionKey): ResolveOutcome | undefined {
    return this.#fresh(nameOf(key))?.outcome;
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
    if (entry !== undefined) return entry.outcome;
    let underWay = this.#outcomesUnderWay.get(name);
    if (underWay === undefined) {
      underWay = this.#evaluate(key, evaluate).finally(() => this.#outcomesUnderWay.delete(name));
      this.#outcomesUnderWay.set(name, underWay);
    }
    return await underWay;
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

  async #evaluate(key: ResolutionKey, evaluate: Evaluate): Promise<ResolveOutcome> {
    for (let count = 0; count < MAX_EVALUATIONS; count++) {
      const flight: Flight = { dependencies: new Set(), outdated: new AbortController() };
      const outcome = await this.#fly(flight, evaluate);
      if (outcome === undefined) continue;
      this.#keep(nameOf(key), outcome, flight.dependencies);
      return outcome;
    }
    const message = `its federation changed ${MAX_EVALUATIONS} times while ${key.subject} was resolved; try again`;
    const attempt = attemptOf([key.subject], new FederationError('timed_out', message));
    return { attempts: [attempt], requests: 0 };
  }

  /** Undefined when the outcome is out of date before it is there. */
  async #fly(flight: Flight, evaluate: Evaluate): Promise<ResolveOutcome | undefined> {
    const { dependencies, outdated } = flight;
    this.#flights.add(flight);
    try {
      const onDependency = (key: string): void => void dependencies.add(key);
      const outcome = await evaluate({ onDependency, signal: outdated.signal });
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
    if (endsAt <= now) return;
    const entry: Entry = { outcome, dependencies, endsAt };
    this.#entries.set(name, entry);
    if (this.#entries.peek(name) === entry) this.#link(name, entry);
  }

  #endOf(outcome: ResolveOutcome, now: NumericDate): NumericDate {
    if ('resolved' in outcome) return Math.min(outcome.resolved.expiresAt, now + this.#maxAgeSeconds);
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

function nameOf({ scope, subject, trustAnchor }: ResolutionKey): string {
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
  const { trustChain, metadata } = outcome.resolved;
  for (const jwt of trustChain) bytes += jwt.length;
  return bytes + 4 * JSON.stringify(metadata).length;
}
