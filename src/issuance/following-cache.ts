/** A bounded cache of what follows from the registry: one load at a time a key, and nothing outdated is kept. */
import { LRUCache } from 'lru-cache';

interface Flight<V> {
  promise: Promise<V | undefined>;
  /** The registry changed under it: its result may be answered to those who asked before, but not kept. */
  isOutdated: boolean;
}

/** How many keys are remembered as having no value, so that asking for strangers costs the database little. */
const MAX_ABSENT_KEYS = 20_000;

export class FollowingCache<V extends object> {
  readonly #values: LRUCache<string, V>;
  readonly #absent = new LRUCache<string, true>({ max: MAX_ABSENT_KEYS });
  readonly #flights = new Map<string, Flight<V>>();

  /** @param sizeOf size of a value in bytes, its key aside */
  constructor(maxBytes: number, sizeOf: (value: V) => number) {
    this.#values = new LRUCache({ maxSize: maxBytes, sizeCalculation: (value, key) => sizeOf(value) + key.length + 1 });
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  /** Whether a load found that there is nothing under this key. */
  isAbsent(key: string): boolean {
    return this.#absent.has(key);
  }

  /** Loads a value, or joins the load that is under way and still up to date. */
  load(key: string, loader: () => Promise<V | undefined>): Promise<V | undefined> {
    const running = this.#flights.get(key);
    if (running !== undefined && !running.isOutdated) return running.promise;
    const flight: Flight<V> = { promise: Promise.resolve(undefined), isOutdated: false };
    this.#flights.set(key, flight);
    flight.promise = this.#run(key, flight, loader);
    return flight.promise;
  }

  async #run(key: string, flight: Flight<V>, loader: () => Promise<V | undefined>): Promise<V | undefined> {
    try {
      const value = await loader();
      if (flight.isOutdated) return value;
      if (value === undefined) this.#absent.set(key, true);
      else this.#values.set(key, value);
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
