/** Reads the stream for those who follow it: who is at its end reads what comes next together with all others there. */
import type { Db } from '../../storage/connect.ts';
import { type EventPlace, type EventRow, isBehindAll, placeAfterSeq } from './event-body.ts';
import type { EventWaiters } from './event-waiters.ts';
import { type EventFilter, isWantedEvent, readEvents, requireKeptSince } from './read-events.ts';

export interface EventPage {
  items: EventRow[];
  /** Everything up to there was looked at. */
  reached: EventPlace;
}

/** Who is further behind reads for himself. */
const MAX_SHARED_CHANGES = 64;
const MAX_SHARED_EVENTS = 256;
/** Readings that are kept: nearly all read the last one. */
const MAX_READINGS = 4;

export class LiveEvents {
  readonly #db: Db;
  readonly waiters: EventWaiters;
  /** By the changes that they are of. */
  readonly #readings = new Map<string, Promise<EventRow[]>>();

  constructor({ db, waiters }: { db: Db; waiters: EventWaiters }) {
    this.#db = db;
    this.waiters = waiters;
  }

  /**
   * Up to `limit` events after a place that this node may tell of.
   * @throws RegistryError resync_required
   */
  async read(after: EventPlace, limit: number, filter: EventFilter): Promise<EventPage> {
    const throughSeq = this.waiters.seq;
    if (after.seq >= throughSeq && isBehindAll(after)) return { items: [], reached: after };
    const items =
      (await this.#shared(after, throughSeq, limit, filter)) ?? (await this.#own(after, throughSeq, limit, filter));
    const last = items.at(-1);
    return { items, reached: last === undefined || items.length < limit ? placeAfterSeq(throughSeq) : last };
  }

  async #own(after: EventPlace, throughSeq: number, limit: number, filter: EventFilter): Promise<EventRow[]> {
    const items = await readEvents(this.#db, { after, throughSeq, limit }, filter);
    await requireKeptSince(this.#db, after.seq);
    return items;
  }

  /** @returns undefined where there is too much of it to be kept */
  async #shared(
    after: EventPlace,
    throughSeq: number,
    limit: number,
    filter: EventFilter,
  ): Promise<EventRow[] | undefined> {
    if (!isBehindAll(after) || throughSeq - after.seq > MAX_SHARED_CHANGES) return undefined;
    const key = `${after.seq}-${throughSeq}`;
    let reading = this.#readings.get(key);
    if (reading === undefined) {
      reading = this.#own(after, throughSeq, MAX_SHARED_EVENTS + 1, { authorityIds: 'all', types: [], roleIds: [] });
      reading.catch(() => this.#readings.delete(key));
      this.#readings.set(key, reading);
      for (const old of [...this.#readings.keys()].slice(0, -MAX_READINGS)) this.#readings.delete(old);
    }
    const all = await reading;
    if (all.length > MAX_SHARED_EVENTS) return undefined;
    return all.filter((event) => isWantedEvent(event, filter)).slice(0, limit);
  }
}
