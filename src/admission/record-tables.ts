/** Records in memory, found by their id and by what else callers show. */

export interface Identified {
  id: string;
}

/** What follows a table: each record that comes and goes. */
export interface Follower<Kept> {
  add(record: Kept): void;
  remove(record: Kept): void;
}

/** Records by their id. */
export class Table<Kept extends Identified> {
  readonly #records = new Map<string, Kept>();
  readonly #followers: readonly Follower<Kept>[];

  constructor(...followers: Follower<Kept>[]) {
    this.#followers = followers;
  }

  get size(): number {
    return this.#records.size;
  }

  get(id: string): Kept | undefined {
    return this.#records.get(id);
  }

  put(record: Kept): void {
    this.remove(record.id);
    this.#records.set(record.id, record);
    for (const follower of this.#followers) follower.add(record);
  }

  remove(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#records.delete(id);
    for (const follower of this.#followers) follower.remove(record);
  }
}

/** Records by something that several may share, in the order of their ids. Nearly every group has one. */
export class Grouping<Kept extends Identified> implements Follower<Kept> {
  /** A group is replaced when it changes. */
  readonly #groups = new Map<string, readonly Kept[]>();
  readonly #keyOf: (record: Kept) => string | null;

  /** @param keyOf null: in no group */
  constructor(keyOf: (record: Kept) => string | null) {
    this.#keyOf = keyOf;
  }

  get(key: string): readonly Kept[] {
    return this.#groups.get(key) ?? NONE;
  }

  add(record: Kept): void {
    const key = this.#keyOf(record);
    if (key === null) return;
    const group = [...this.get(key), record];
    this.#groups.set(key, group.length === 1 ? group : group.toSorted((one, other) => (one.id < other.id ? -1 : 1)));
  }

  remove(record: Kept): void {
    const key = this.#keyOf(record);
    if (key === null) return;
    const group = this.get(key).filter(({ id }) => id !== record.id);
    if (group.length === 0) this.#groups.delete(key);
    else this.#groups.set(key, group);
  }
}

export const NONE: readonly never[] = [];
