/** A bounded cache of what follows from the registry: one load at a time a key, and nothing outdated is kept. */
import { LRUCache } from 'lru-cache';

interface Flight<V> {
  promise: Promise<V | undefined>;
  /** The registry changed under it: its result is not kept. */
  isOutdated: boolean;
}

/** Memory for keys that are known to have no value, in bytes, so that asking for strangers costs the database little. */
const ABSENT_BYTES = 8 * 1024 * 1024;
/** What such a key costs beyond its text. */
const ABSENT_ENTRY_BYTES = 150;

/** More loads at a time than this help nobody: the database works them off one after another. */
const DEFAULT_MAX_LOADS = 256;

/** Too many loads are under way; the same request may succeed in a moment. */
export class TooManyLoads extends Error {
  override readonly name = 'TooManyLoads';
}

export interface FollowingCacheOptions<V> {
  maxBytes: number;
  /** Size of a value in bytes, its key aside. */
  sizeOf: (value: V) => number;
  maxLoads?: number;
  /**
   * Load again what changed while it was loaded, for values that go on being believed after they were answered.
   * Without it the answer is as of a moment after the request came in.
   */
  isRepeated?: boolean;
}

export class FollowingCache<V extends object> {
  readonly #maxLoads: number;
  readonly #isRepeated: boolean;
  readonly #values: LRUCache<string, V>;
  readonly #absent = new LRUCache<string, true>({
    maxSize: ABSENT_BYTES,
    sizeCalculation: (_, key) => key.length + ABSENT_ENTRY_BYTES,
  });
  readonly #flights = new Map<string, Flight<V>>();

  constructor({ maxBytes, sizeOf, maxLoads = DEFAULT_MAX_LOADS, isRepeated = false }: FollowingCacheOptions<V>) {
    this.#maxLoads = maxLoads;
    this.#isRepeated = isRepeated;
    this.#values = new LRUCache({ maxSize: maxBytes, sizeCalculation: (value, key) => sizeOf(value) + key.length + 1 });
  }

  /** Does not count as use: what is loaded first goes first, and a busy endpoint touches no list of recent use. */
  get(key: string): V | undefined {
    return this.#values.peek(key);
  }

  /** Whether a load found that there is nothing under this key. */
  isAbsent(key: string): boolean {
    return this.#absent.has(key);
  }

  /**
   * Loads a value, or joins the load that is under way and still up to date.
   * @throws TooManyLoads
   */
  load(key: string, loader: () => Promise<V | undefined>): Promise<V | undefined> {
    const running = this.#flights.get(key);
    if (running !== undefined && !running.isOutdated) return running.promise;
    if (running === undefined && this.#flights.size >= this.#maxLoads) {
      return Promise.reject(new TooManyLoads('too many answers are being made; try again in a moment'));
    }
    const flight: Flight<V> = { promise: Promise.resolve(undefined), isOutdated: false };
    this.#flights.set(key, flight);
    flight.promise = this.#run(key, flight, loader);
    return flight.promise;
  }

  async #run(key: string, flight: Flight<V>, loader: () => Promise<V | undefined>): Promise<V | undefined> {
    try {
      const value = await loader();
      if (flight.isOutdated) return this.#isRepeated ? await this.load(key, loader) : value;
      if (value === undefined) {
        this.#values.delete(key);
        this.#absent.set(key, true);
      } else {
        this.#values.set(key, value);
      }
      return value;
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }

  delete(key: string): void {
    this.#values.delete(key);
    this.#absent.delete(key);
    const flight = this.#flights.get(key);
    if (flight !== undefined) flight.isOutdated = true;
  }

  /** Drops every key that begins so. Takes time in proportion to the whole cache. */
  deletePrefix(prefix: string): void {
    for (const key of [...this.#values.keys(), ...this.#absent.keys(), ...this.#flights.keys()]) {
      if (key.startsWith(prefix)) this.delete(key);
    }
  }
}
