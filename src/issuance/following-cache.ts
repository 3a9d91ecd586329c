/** A bounded cache of what follows from the registry: one load at a time a key, and nothing outdated is kept. */
import { BoundedMap } from './bounded-map.ts';

interface Flight<V> {
  scope: string;
  key: string;
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
  readonly #values: BoundedMap<V>;
  readonly #absent = new BoundedMap<true>(ABSENT_BYTES, (_, key) => key.length + ABSENT_ENTRY_BYTES);
  readonly #flights = new Map<string, Flight<V>>();

  constructor({ maxBytes, sizeOf, maxLoads = DEFAULT_MAX_LOADS, isRepeated = false }: FollowingCacheOptions<V>) {
    this.#maxLoads = maxLoads;
    this.#isRepeated = isRepeated;
    this.#values = new BoundedMap(maxBytes, (value, key) => sizeOf(value) + key.length);
  }

  get(scope: string, key: string): V | undefined {
    return this.#values.get(scope, key);
  }

  /** Whether a load found that there is nothing under this key. */
  isAbsent(scope: string, key: string): boolean {
    return this.#absent.get(scope, key) === true;
  }

  /**
   * Loads a value, or joins the load that is under way and still up to date.
   * @throws TooManyLoads
   */
  load(scope: string, key: string, loader: () => Promise<V | undefined>): Promise<V | undefined> {
    const name = flightName(scope, key);
    const running = this.#flights.get(name);
    if (running !== undefined && !running.isOutdated) return running.promise;
    if (running === undefined && this.#flights.size >= this.#maxLoads) {
      return Promise.reject(new TooManyLoads('too many answers are being made; try again in a moment'));
    }
    const flight: Flight<V> = { scope, key, promise: Promise.resolve(undefined), isOutdated: false };
    this.#flights.set(name, flight);
    flight.promise = this.#run(flight, loader);
    return flight.promise;
  }

  async #run(flight: Flight<V>, loader: () => Promise<V | undefined>): Promise<V | undefined> {
    const { scope, key } = flight;
    try {
      const value = await loader();
      if (flight.isOutdated) return this.#isRepeated ? await this.load(scope, key, loader) : value;
      if (value === undefined) {
        this.#values.delete(scope, key);
        this.#absent.set(scope, key, true);
      } else {
        this.#values.set(scope, key, value);
      }
      return value;
    } finally {
      const name = flightName(scope, key);
      if (this.#flights.get(name) === flight) this.#flights.delete(name);
    }
  }

  delete(scope: string, key: string): void {
    this.#values.delete(scope, key);
    this.#absent.delete(scope, key);
    const flight = this.#flights.get(flightName(scope, key));
    if (flight !== undefined) flight.isOutdated = true;
  }

  deleteScope(scope: string): void {
    this.#values.deleteScope(scope);
    this.#absent.deleteScope(scope);
    for (const flight of this.#flights.values()) if (flight.scope === scope) flight.isOutdated = true;
  }
}

function flightName(scope: string, key: string): string {
  return `${scope} ${key}`;
}
