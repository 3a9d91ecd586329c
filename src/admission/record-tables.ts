/** Records in memory, found by their id and by what else callers show. */

export interface Identified {
  id: string;
}

/** What follows a table: each record that comes and goes. */
export interface Follower<Kept> {
  add(record: Kept): void;
  remove(record: Kept): void;
}

/** Where the record of an id is found: a record that names others holds theirs, and looks none of them up again. */
export interface Place<Kept> {
  /** Whichever has the id now; undefined: not yet, or no more. */
  record: Kept | undefined;
  /** How many hold it. */
  holders: number;
}

/** Records by their id. */
export class Table<Kept extends Identified> {
  readonly #places = new Map<string, Place<Kept>>();
  readonly #followers: readonly Follower<Kept>[];
  #size = 0;

  constructor(...followers: Follower<Kept>[]) {
    this.#followers = followers;
  }

  get size(): number {
    return this.#size;
  }

  get(id: string): Kept | undefined {
    return this.#places.get(id)?.record;
  }

  put(record: Kept): void {
    this.remove(record.id);
    this.#placeOf(record.id).record = record;
    this.#size += 1;
    for (const follower of this.#followers) follower.add(record);
  }

  remove(id: string): void {
    const place = this.#places.get(id);
    if (place?.record === undefined) return;
    const { record } = place;
    place.record = undefined;
    this.#size -= 1;
    this.#dropUnused(id, place);
    for (const follower of this.#followers) follower.remove(record);
  }

  /** The place of whatever has this id, now or later, until it is released as often as it was held. */
  hold(id: string): Place<Kept> {
    const place = this.#placeOf(id);
    place.holders += 1;
    return place;
  }

  release(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    place.holders -= 1;
    this.#dropUnused(id, place);
  }

  #placeOf(id: string): Place<Kept> {
    const known = this.#places.get(id);
    if (known !== undefined) return known;
    const place: Place<Kept> = { record: undefined, holders: 0 };
    this.#places.set(id, place);
    return place;
  }

  #dropUnused(id: string, { record, holders }: Place<Kept>): void {
    if (record === undefined && holders === 0) this.#places.delete(id);
  }
}

/** Records by something that several may share, in the order of their ids. */
export class Grouping<Kept extends Identified> implements Follower<Kept> {
  /** Nearly every group is of one, which stands for itself. A group is replaced when it changes. */
  readonly #groups = new Map<string, Kept | readonly Kept[]>();
  readonly #keyOf: (record: Kept) => string | null;

  /** @param keyOf null: in no group */
  constructor(keyOf: (record: Kept) => string | null) {
    this.#keyOf = keyOf;
  }

  get(key: string): readonly Kept[] {
    const group = this.#groups.get(key);
    if (group === undefined) return NONE;
    return isSeveral(group) ? group : [group];
  }

  add(record: Kept): void {
    const key = this.#keyOf(record);
    if (key !== null) this.#set(key, [...this.get(key), record]);
  }

  /** The one that has its id. */
  remove(record: Kept): void {
    const key = this.#keyOf(record);
    if (key === null) return;
    const group = this.get(key).filter(({ id }) => id !== record.id);
    this.#set(key, group);
  }

  #set(key: string, group: readonly Kept[]): void {
    const [first, ...others] = group.toSorted((one, other) => (one.id < other.id ? -1 : 1));
    if (first === undefined) this.#groups.delete(key);
    else this.#groups.set(key, others.length === 0 ? first : [first, ...others]);
  }
}

function isSeveral<Kept>(group: Kept | readonly Kept[]): group is readonly Kept[] {
  return Array.isArray(group);
}

export const NONE: readonly never[] = [];
