/** Those who wait for events here: long polls and streams, each no faster than it reads, and no more than there is room for. */
import type { Actor } from '../../../registry/actor.ts';
import { type EventPlace, isBehindAll } from '../../../registry/events/event-body.ts';
import { eventBodyFor } from '../../../registry/events/events-in-reach.ts';
import type { EventPage, LiveEvents } from '../../../registry/events/live-events.ts';
import type { EventFilter } from '../../../registry/events/read-events.ts';
import { HttpProblem } from '../../problem.ts';
import { serverSentEvent } from '../../server-sent-events.ts';
import { placeText } from './event-query.ts';

/** Who reads, and how to find out whether he still may. */
export interface EventReader {
  actor: Actor;
  /** @throws RegistryError */
  filterOf: (actor: Actor) => EventFilter;
  /** Who his token stands for by now; undefined once it ended or was revoked. */
  authenticate: () => Promise<Actor | undefined>;
}

export interface EventPoll {
  after: EventPlace;
  limit: number;
  waitMs: number;
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
}

/** As often a stream's token is looked at again, if no token changed before. */
const HEARTBEAT_EVERY_MS = 10_000;
const MAX_STREAMS_PER_TOKEN = 8;
const MAX_POLLS_PER_TOKEN = 16;
const MAX_IN_ALL = 1000;
/** Read at a time; nothing more is kept for a reader. */
const EVENTS_AT_A_TIME = 50;

/** Somebody who waits. */
interface Waiting {
  kind: 'poll' | 'stream';
  tokenId: string;
  ending: AbortController;
}

export class EventStreams implements Disposable {
  readonly #live: LiveEvents;
  readonly #heartbeatEveryMs: number;
  readonly #waiting = new Set<Waiting>();
  #isClosed = false;

  constructor({ live, heartbeatEveryMs = HEARTBEAT_EVERY_MS }: { live: LiveEvents; heartbeatEveryMs?: number }) {
    this.#live = live;
    this.#heartbeatEveryMs = heartbeatEveryMs;
  }

  /** How many wait now. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Events after a place, at once if there are any, otherwise as soon as some come, or none when the time is over.
   * @throws RegistryError resync_required; HttpProblem too_many_requests
   */
  async poll(reader: EventReader, { after, limit, waitMs, signal }: EventPoll): Promise<EventPage> {
    const first = await this.#live.read(after, limit, reader.filterOf(reader.actor));
    if (first.items.length > 0 || waitMs === 0 || signal.aborted) return first;
    const waiting = this.#take('poll', reader.actor.id);
    const abandon = () => waiting.ending.abort();
    signal.addEventListener('abort', abandon);
    try {
      return await this.#nextPage(reader, first.reached, { limit, waitMs, over: waiting.ending.signal });
    } finally {
      signal.removeEventListener('abort', abandon);
      this.#waiting.delete(waiting);
    }
  }

  /** Every change wakes it; what is new is read once for all who wait. */
  async #nextPage(
    reader: EventReader,
    reached: EventPlace,
    { limit, waitMs, over }: { limit: number; waitMs: number; over: AbortSignal },
  ): Promise<EventPage> {
    const { waiters } = this.#live;
    const endsAt = performance.now() + waitMs;
    const caller = new Caller(reader, waiters.seq);
    let page: EventPage = { items: [], reached };
    for (let leftMs = waitMs; leftMs > 0 && !over.aborted; leftMs = endsAt - performance.now()) {
      await waiters.newer(page.reached.seq, over, leftMs);
      // The answer is for who asked; the next request learns more.
      if (waiters.tokensChangedAt > caller.checkedAt && !(await caller.check(waiters.seq))) break;
      page = await this.#live.read(page.reached, limit, reader.filterOf(caller.actor));
      if (page.items.length > 0) break;
    }
    return page;
  }

  /**
   * Begins with what is there already.
   * @throws RegistryError resync_required; HttpProblem too_many_requests
   */
  async open(reader: EventReader, after: EventPlace): Promise<ReadableStream<Uint8Array>> {
    // Tells before the stream begins that the place is too old.
    const first = await this.#live.read(after, EVENTS_AT_A_TIME, reader.filterOf(reader.actor));
    const waiting = this.#take('stream', reader.actor.id);
    const { signal } = waiting.ending;
    const pieces = this.#pieces(reader, first, signal);
    let isCancelled = false;
    return new ReadableStream(
      {
        start: (controller) => {
          const end = () => {
            this.#waiting.delete(waiting);
            if (!isCancelled) controller.close();
          };
          if (signal.aborted) end();
          else signal.addEventListener('abort', end, { once: true });
        },
        // Asked for only when the piece before is on its way: a slow reader is behind in the database, not in memory.
        pull: async (controller) => {
          const { value, done } = await pieces.next();
          if (signal.aborted) return;
          if (done === true) waiting.ending.abort();
          else controller.enqueue(value);
        },
        cancel: () => {
          isCancelled = true;
          waiting.ending.abort();
        },
      },
      { highWaterMark: 1 },
    );
  }

  /** Ends when it is over, when the token ends, or when what follows is no longer kept. */
  async *#pieces(reader: EventReader, first: EventPage, over: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const { waiters } = this.#live;
    const caller = new Caller(reader, waiters.seq);
    let page = first;
    // Who finds nothing new hears at once that it works.
    let heartbeatAt = first.items.length === 0 ? 0 : performance.now() + this.#heartbeatEveryMs;
    try {
      while (!over.aborted) {
        for (const event of page.items) {
          if (waiters.tokensChangedAt > caller.checkedAt && !(await caller.check(waiters.seq))) return;
          const body = eventBodyFor(caller.actor, event);
          yield serverSentEvent(body.type, body, body.id);
        }
        const pauseMs = heartbeatAt - performance.now();
        if (pauseMs > 0 && isBehindAll(page.reached)) await waiters.newer(page.reached.seq, over, pauseMs);
        const isDue = heartbeatAt <= performance.now();
        if (over.aborted) return;
        if ((isDue || waiters.tokensChangedAt > caller.checkedAt) && !(await caller.check(waiters.seq))) return;
        if (isDue) {
          heartbeatAt = performance.now() + this.#heartbeatEveryMs;
          yield serverSentEvent('heartbeat', { seq: page.reached.seq }, placeText(page.reached));
        }
        page = await this.#live.read(page.reached, EVENTS_AT_A_TIME, reader.filterOf(caller.actor));
      }
    } catch {
      // Nothing more can be said than that it is over; who comes again is told why.
    }
  }

  /** @throws HttpProblem too_many_requests */
  #take(kind: Waiting['kind'], tokenId: string): Waiting {
    const own = [...this.#waiting].filter((other) => other.kind === kind && other.tokenId === tokenId);
    // Of a connection that was lost the reader knows first: he is there again before it ends here.
    if (kind === 'stream' && own.length >= MAX_STREAMS_PER_TOKEN) own[0]?.ending.abort();
    const isFull = this.#waiting.size >= MAX_IN_ALL || (kind === 'poll' && own.length >= MAX_POLLS_PER_TOKEN);
    if (isFull) throw new HttpProblem('too_many_requests', 'too many wait for events already', { 'retry-after': '5' });
    const waiting = { kind, tokenId, ending: new AbortController() };
    if (this.#isClosed) waiting.ending.abort();
    else this.#waiting.add(waiting);
    return waiting;
  }

  /** Ends all of them, and from now on each as soon as it begins. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const { ending } of [...this.#waiting]) ending.abort();
    this.#waiting.clear();
  }
}

/** Who reads, as far as that was looked at. */
class Caller {
  readonly #reader: EventReader;
  actor: Actor;
  checkedAt: number;

  constructor(reader: EventReader, checkedAt: number) {
    this.#reader = reader;
    this.actor = reader.actor;
    this.checkedAt = checkedAt;
  }

  /** @returns whether the token still stands for anybody */
  async check(seq: number): Promise<boolean> {
    this.checkedAt = seq;
    const actor = await this.#reader.authenticate();
    this.actor = actor ?? this.actor;
    return actor !== undefined;
  }
}
