/** Statements of others, kept as received while they are fresh; one request at a time for each. @see OIDFED §10.2, §10.4 */
import { LRUCache } from 'lru-cache';
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import { namingOlderDrafts, olderNamesLength } from './refused-statement.ts';
import { untilAborted } from './until-aborted.ts';

export const DEFAULT_STATEMENT_CACHE_BYTES = 128 * 1024 * 1024;
/** How long a statement is used again whose answer says nothing about that. */
export const DEFAULT_FRESH_SECONDS = 300;
/** Longest time that a statement is used again without asking, whatever its answer says. */
export const DEFAULT_MAX_FRESH_SECONDS = 3600;
/** How long a refusal by a server, or its silence, is believed. */
export const DEFAULT_FAILURE_SECONDS = 5;

/** An entity whose keys do not fit is asked for them anew at most that often. */
export const DOUBT_SECONDS = 30;

const FAILURE_CACHE_BYTES = 8 * 1024 * 1024;
const DOUBT_CACHE_BYTES = 1024 * 1024;
/** Longer statements than that are rare; whoever makes many of them does not fill the store of all nodes. */
const MAX_STORED_LENGTH = 32 * 1024;
/** How far the clocks of two nodes may be apart. */
const CLOCK_DIFFERENCE_SECONDS = 60;
/** For the objects around the text. */
const ENTRY_BYTES = 400;
/** A statement is asked for again when this share of its fresh time is over, plus up to as much again by chance. */
const REFRESH = { earliest: 0.7, spread: 0.2 } as const;

/** Full identifiers: two authorities on one host share nothing. Equal ones name an Entity Configuration. */
export interface StatementName {
  issuer: EntityIdentifier;
  subject: EntityIdentifier;
}

/** A statement as it was received, and when. Times in seconds since the epoch. */
export interface KeptStatement {
  jwt: string;
  etag: string | undefined;
  /** When it was asked for: what its server said later is newer. */
  retrievedAt: NumericDate;
  /** Until then it is used without asking. */
  freshUntil: NumericDate;
  /** Its own `exp`. */
  expiresAt: NumericDate;
}

/** What a server answered. */
export interface Retrieval {
  /** Undefined: the statement that we know is still the one (304). */
  jwt: string | undefined;
  etag: string | undefined;
  /** See response-freshness.ts. */
  freshSeconds: number | undefined;
  isTransient: boolean;
}

/** When a statement was definitely refused, seconds since the epoch. */
export interface Removal {
  removedAt: NumericDate;
  /** From then on nothing that was retrieved before the removal could still be fresh. */
  forgettableAt: NumericDate;
}

/**
 * Keeps statements for all nodes and beyond a restart. What it gives is validated like anything retrieved. Nodes write
 * in any order: what was retrieved earlier replaces nothing that was retrieved later, and what was retrieved up to a
 * removal does not come back, until that is forgettable.
 */
export interface StatementStore {
  read(name: StatementName): Promise<KeptStatement | undefined>;
  write(name: StatementName, statement: KeptStatement): Promise<void>;
  remove(name: StatementName, removal: Removal): Promise<void>;
}

export interface StatementCacheOptions {
  clock: Clock;
  /** Memory for statements, in bytes; the least recently used goes first. */
  maxBytes?: number;
  freshSeconds?: number;
  maxFreshSeconds?: number;
  failureSeconds?: number;
  store?: StatementStore;
  /** Told when the store fails; the cache goes on without it. */
  onStoreError?: (error: unknown) => void;
  /** Uniform in [0, 1): spreads refreshes, so that statements retrieved together are not asked for together. */
  random?: () => number;
}

export interface StatementRequest {
  name: StatementName;
  /** Asks the server; `known` may be confirmed instead of sent again. */
  retrieve: (known: KeptStatement | undefined, signal: AbortSignal) => Promise<Retrieval>;
  validate: (jwt: string) => Promise<EntityStatement>;
  signal: AbortSignal;
  /** Ask again for what will soon be stale. */
  isRefresh?: boolean;
  /** What was retrieved before, or refused until then, does not do, however fresh it is. */
  since?: NumericDate | undefined;
}

/** A validated statement, and how old it is. */
export interface ObtainedStatement {
  statement: EntityStatement;
  retrievedAt: NumericDate;
  freshUntil: NumericDate;
}

/** A request under way, for all who want its answer. */
interface Flight {
  answer: Promise<Retrieval>;
  readonly beganAt: NumericDate;
  /** The server may confirm it: an answer to those only who know the same. */
  readonly known: KeptStatement | undefined;
  waiting: number;
  isAnswered: boolean;
  /** The limits of who began it ended it. */
  isRefused: boolean;
  readonly stop: AbortController;
}

interface Failure {
  error: FederationError;
  /** When the server was asked. */
  at: NumericDate;
  /** Until then nobody asks again. */
  until: NumericDate;
  /** The last definite refusal: what was retrieved up to then counts no longer. */
  removedAt: NumericDate;
}

export class StatementCache {
  readonly #options: StatementCacheOptions;
  readonly #kept: LRUCache<string, KeptStatement & { refreshAt: NumericDate }>;
  readonly #failures: LRUCache<string, Failure>;
  /** When an entity was asked for its keys because they did not fit. */
  readonly #doubts = new LRUCache<EntityIdentifier, NumericDate>({
    maxSize: DOUBT_CACHE_BYTES,
    sizeCalculation: (_, entity) => entity.length + ENTRY_BYTES,
  });
  readonly #flights = new Map<string, Flight>();

  constructor(options: StatementCacheOptions) {
    this.#options = options;
    this.#kept = new LRUCache({
      maxSize: options.maxBytes ?? DEFAULT_STATEMENT_CACHE_BYTES,
      sizeCalculation: ({ jwt, etag = '' }, key) => jwt.length + etag.length + key.length + ENTRY_BYTES,
    });
    this.#failures = new LRUCache({
      maxSize: FAILURE_CACHE_BYTES,
      sizeCalculation: ({ error }, key) => error.message.length + olderNamesLength(error) + key.length + ENTRY_BYTES,
    });
  }

  /** Approximate memory of the statements kept. */
  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  /**
   * The validated statement: one that is fresh, or what the server gives. One that does not validate any more, such as
   * after its issuer changed keys, is asked for anew before it is refused.
   * @throws FederationError what `retrieve` and `validate` fail with, or the reason of `signal`
   */
  async obtain(request: StatementRequest): Promise<ObtainedStatement> {
    const { name, validate, signal } = request;
    const key = keyOf(name);
    const known = await this.#known(key, name);
    const statement = known && (await stillValid(known.jwt, validate));
    const usable = statement === undefined ? undefined : known;
    if (statement !== undefined && known !== undefined && this.#isFresh(known, request)) return { statement, ...known };
    this.#throwRecentFailure(key, request.since);
    for (;;) {
      signal.throwIfAborted();
      const shared = this.#flightFor(key, usable, request.since);
      const flight = shared ?? this.#takeOff(key, usable, request.retrieve);
      try {
        return await this.#ride(flight, request, usable);
      } catch (error) {
        // Another caller's limits are not ours.
        if (shared === undefined || !flight.isRefused) throw error;
      }
    }
  }

  /**
   * Since when statements by and about an entity count, whose keys do not fit: now; or the last such moment, unless
   * that is long ago, so that nobody makes us ask all the time by signing with keys that he does not publish.
   */
  doubt(entity: EntityIdentifier): NumericDate {
    const now = this.#options.clock.now();
    const last = this.#doubts.get(entity);
    if (last !== undefined && now - last < DOUBT_SECONDS) return last;
    this.#doubts.set(entity, now);
    return now;
  }

  async #ride(flight: Flight, request: StatementRequest, known: KeptStatement | undefined): Promise<ObtainedStatement> {
    const { name, signal } = request;
    flight.waiting++;
    try {
      return await this.#accept(request, await untilAborted(signal, flight.answer), flight.beganAt, known);
    } catch (error) {
      // That the time of a caller is over says nothing about the server: others may have used it up.
      const isFinding = error instanceof FederationError && !signal.aborted;
      if (isFinding) this.#noteFailure(name, error, flight.beganAt);
      throw error;
    } finally {
      flight.waiting--;
      if (flight.waiting === 0) this.#land(keyOf(name), flight, signal.reason);
    }
  }

  #isFresh(
    { retrievedAt, freshUntil, refreshAt }: KeptStatement & { refreshAt: NumericDate },
    { isRefresh = false, since = 0 }: StatementRequest,
  ): boolean {
    return retrievedAt >= since && (isRefresh ? refreshAt : freshUntil) > this.#options.clock.now();
  }

  async #accept(
    { name, validate }: StatementRequest,
    { jwt, etag, freshSeconds, isTransient }: Retrieval,
    retrievedAt: NumericDate,
    known: KeptStatement | undefined,
  ): Promise<ObtainedStatement> {
    const text = jwt ?? known?.jwt ?? '';
    const statement = await namingOlderDrafts(text, validate);
    const { freshSeconds: usual = DEFAULT_FRESH_SECONDS, maxFreshSeconds = DEFAULT_MAX_FRESH_SECONDS } = this.#options;
    const expiresAt = statement.claims.exp;
    const freshUntil = Math.min(expiresAt, retrievedAt + Math.min(freshSeconds ?? usual, maxFreshSeconds));
    const kept: KeptStatement = { jwt: text, etag: etag ?? known?.etag, retrievedAt, freshUntil, expiresAt };
    const key = keyOf(name);
    if (this.#lastHeard(key) > retrievedAt) return { statement, retrievedAt, freshUntil };
    this.#failures.delete(key);
    if (isTransient) this.#kept.delete(key);
    else {
      this.#keep(key, kept);
      if (text.length <= MAX_STORED_LENGTH) this.#inStore((store) => store.write(name, kept));
    }
    return { statement, retrievedAt, freshUntil };
  }

  #keep(key: string, statement: KeptStatement): KeptStatement & { refreshAt: NumericDate } {
    const { retrievedAt, freshUntil } = statement;
    const share = REFRESH.earliest + REFRESH.spread * (this.#options.random ?? Math.random)();
    const kept = { ...statement, refreshAt: retrievedAt + Math.floor((freshUntil - retrievedAt) * share) };
    this.#kept.set(key, kept);
    return kept;
  }

  /** From memory, else from the store. What has expired serves nobody. */
  async #known(key: string, name: StatementName): Promise<(KeptStatement & { refreshAt: NumericDate }) | undefined> {
    const now = this.#options.clock.now();
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.freshUntil > now) return kept;
    const stored = await this.#stored(name);
    const newest = stored !== undefined && stored.retrievedAt > this.#lastHeard(key) ? this.#keep(key, stored) : kept;
    return newest !== undefined && newest.expiresAt > now ? newest : undefined;
  }

  /** When the server was asked for what is kept, or for what it definitely refused: what it said before is outdated. */
  #lastHeard(key: string): NumericDate {
    return Math.max(this.#kept.peek(key)?.retrievedAt ?? 0, this.#failures.peek(key)?.removedAt ?? 0);
  }

  async #stored(name: StatementName): Promise<KeptStatement | undefined> {
    try {
      const stored = await this.#options.store?.read(name);
      return stored && this.#plausible(stored);
    } catch (error) {
      this.#options.onStoreError?.(error);
      return undefined;
    }
  }

  /** What a node with another clock, or other limits, wrote counts no longer than what this one would write. */
  #plausible(stored: KeptStatement): KeptStatement | undefined {
    const { clock, maxFreshSeconds = DEFAULT_MAX_FRESH_SECONDS } = this.#options;
    const now = clock.now();
    if (stored.retrievedAt > now + CLOCK_DIFFERENCE_SECONDS) return undefined;
    const retrievedAt = Math.min(stored.retrievedAt, now);
    return { ...stored, retrievedAt, freshUntil: Math.min(stored.freshUntil, retrievedAt + maxFreshSeconds) };
  }

  /** Nobody waits for the store. */
  #inStore(change: (store: StatementStore) => Promise<void>): void {
    const { store, onStoreError } = this.#options;
    if (store !== undefined) change(store).catch((error: unknown) => onStoreError?.(error));
  }

  /** A request under way whose answer will do, whatever it is. */
  #flightFor(key: string, known: KeptStatement | undefined, since: NumericDate = 0): Flight | undefined {
    const flight = this.#flights.get(key);
    if (flight === undefined || flight.beganAt < since) return undefined;
    return flight.known === undefined || flight.known.jwt === known?.jwt ? flight : undefined;
  }

  /** From now on others wait for this request, and no more for one that began before. */
  #takeOff(key: string, known: KeptStatement | undefined, retrieve: StatementRequest['retrieve']): Flight {
    const stop = new AbortController();
    const flight: Flight = {
      beganAt: this.#options.clock.now(),
      answer: retrieve(known, stop.signal),
      ...{ known, waiting: 0, isAnswered: false, isRefused: false, stop },
    };
    const answered = () => {
      flight.isAnswered = true;
    };
    flight.answer.then(answered, (error: unknown) => {
      answered();
      flight.isRefused = isOfItsCaller(error);
      if (flight.isRefused) this.#forget(key, flight);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  #forget(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  /** When nobody waits any more: then what they waited for is kept, or not wanted. */
  #land(key: string, flight: Flight, reason: unknown): void {
    this.#forget(key, flight);
    if (flight.isAnswered) return;
    // Nobody hears of its failure either.
    flight.answer.catch(() => {});
    flight.stop.abort(reason);
  }

  #throwRecentFailure(key: string, since: NumericDate = 0): void {
    const failure = this.#failures.get(key);
    if (failure === undefined || failure.at <= since || failure.until <= this.#options.clock.now()) return;
    throw failure.error;
  }

  /** A definite refusal ends what was believed before. @param at when the server was asked */
  #noteFailure(name: StatementName, error: FederationError, at: NumericDate): void {
    // That a caller may not ask says nothing of who would have been asked.
    if (isOfItsCaller(error)) return;
    const {
      clock,
      failureSeconds = DEFAULT_FAILURE_SECONDS,
      maxFreshSeconds = DEFAULT_MAX_FRESH_SECONDS,
    } = this.#options;
    const key = keyOf(name);
    if (this.#lastHeard(key) > at) return;
    const isDefinite = error.wire !== 'temporarily_unavailable';
    const removedAt = isDefinite ? at : (this.#failures.get(key)?.removedAt ?? 0);
    this.#failures.set(key, { error, at, until: clock.now() + failureSeconds, removedAt });
    if (!isDefinite || !this.#kept.delete(key)) return;
    this.#inStore((store) => store.remove(name, { removedAt: at, forgettableAt: at + maxFreshSeconds }));
  }
}

/** What refuses a caller for its own sake: the limits of its resolution, or what its `onRequest` throws. */
function isOfItsCaller(error: unknown): boolean {
  return !(error instanceof FederationError) || error.reason === 'budget_exhausted';
}

async function stillValid(jwt: string, validate: StatementRequest['validate']): Promise<EntityStatement | undefined> {
  try {
    return await validate(jwt);
  } catch (error) {
    if (error instanceof FederationError) return undefined;
    throw error;
  }
}

/** Identifiers contain no spaces. */
function keyOf({ issuer, subject }: StatementName): string {
  return `${issuer} ${subject}`;
}
