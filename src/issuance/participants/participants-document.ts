/** `/participants` as bytes: made beside the requests, as of one `seq`, and served until the next is made. */
import type { Clock, NumericDate } from '../../federation/time.ts';
import { type PublicParticipant, readPublicParticipants } from '../../registry/directory/public-participants.ts';
import { activeOrganisations, readSeq, touchedOrganisations } from '../../registry/directory/touched-organisations.ts';
import { type RegistryChange, StaleStateError } from '../../storage/change-feed.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { type GzipMember, gzipMember, smallPiece } from './deflated-pieces.ts';
import { type ParticipantSegment, renderSegments, runsOf, SEPARATOR, type SegmentRun } from './participant-segments.ts';

export interface ParticipantsDocumentOptions {
  db: Db;
  clock: Clock;
  /** Where clients reach the service. */
  baseUrl: string;
  /** Told of a document that could not be made; it is tried again. */
  onError: (error: unknown) => void;
  /** Milliseconds of a clock that is never set. */
  monotonicMs?: () => number;
}

/** What was true at a change of the registry, whole. */
export interface PublishedParticipants {
  /** The last change that it has. */
  readonly seq: number;
  /** When a date next makes another document of it. */
  readonly changesAt: NumericDate;
  /** Of all authorities. */
  readonly all: GzipMember;
  /** Of one, by its id. */
  of(authorityId: string): GzipMember;
}

type Layout = ReadonlyMap<string, readonly ParticipantSegment[]>;

const OPENING = smallPiece('[');
const BETWEEN = smallPiece(SEPARATOR);
const CLOSING = smallPiece(']\n');

/** Of what changed in between, all is made anew. */
const MAX_CHANGES = 20_000;
/** Organisations read in one transaction; more are read before it, piece by piece, and what changes meanwhile in it. */
const MAX_IN_TRANSACTION = 1_000;
/** From one document to the next, so that many changes a second cost no more than a few. */
const INTERVAL_MS = 200;
/** Nobody is told for longer what is known to be outdated. */
export const MAX_LAG_SECONDS = 30;

/**
 * Made when somebody asks, as of then; from the first `keepUp` on after each change and each date, and whoever asks gets
 * the last one.
 */
export class ParticipantsDocument implements AsyncDisposable {
  readonly #options: ParticipantsDocumentOptions;
  readonly #monotonicMs: () => number;
  #layout: Layout = new Map();
  /** The change up to which all is in the layout but what is to be rendered anew. */
  #layoutSeq: number | undefined;
  /** Organisations to be rendered anew, with their authorities. */
  #touched = new Map<string, string>();
  #published: PublishedParticipants | undefined;
  #building: Promise<void> | undefined;
  #isKept = false;
  #followedSeq = 0;
  /** Since when a change is known that is not in what is published. */
  #behindSinceMs: number | undefined;
  #builtAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isDisposed = false;

  constructor(options: ParticipantsDocumentOptions) {
    this.#options = options;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
  }

  /** Hears of changes as they are served elsewhere. */
  follow(changes: readonly RegistryChange[]): void {
    for (const { seq } of changes) this.#followedSeq = Math.max(this.#followedSeq, seq);
    this.#behindSinceMs ??= this.#monotonicMs();
    if (this.#isKept) this.#schedule();
  }

  /** Makes what is due. To be called every second: dates come without a change, and what failed is tried again. */
  async keepUp(): Promise<void> {
    this.#isKept = true;
    if (this.#isDue(this.#followedSeq)) await this.#build();
    if (this.#isDue(this.#followedSeq)) this.#schedule();
  }

  /**
   * @param seq what the registry is known to hold; what is kept up may be behind it for a moment
   * @throws StaleStateError when it could not be made for too long
   */
  current(seq: number): PublishedParticipants | Promise<PublishedParticipants> {
    const published = this.#published;
    if (published === undefined || (!this.#isKept && this.#isDue(seq))) return this.#asOf(seq);
    if (this.#isOverdue(published)) throw new StaleStateError('the participants are behind the registry');
    return published;
  }

  async #asOf(seq: number): Promise<PublishedParticipants> {
    while (this.#published === undefined || this.#isDue(seq)) await this.#build();
    return this.#published;
  }

  #isDue(seq: number): boolean {
    const published = this.#published;
    return published === undefined || published.seq < seq || published.changesAt <= this.#options.clock.now();
  }

  #isOverdue({ changesAt }: PublishedParticipants): boolean {
    const behindMs = this.#behindSinceMs === undefined ? 0 : this.#monotonicMs() - this.#behindSinceMs;
    return behindMs > MAX_LAG_SECONDS * 1000 || changesAt + MAX_LAG_SECONDS < this.#options.clock.now();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#building !== undefined || this.#isDisposed) return;
    const waitMs = Math.max(0, this.#builtAtMs + INTERVAL_MS - this.#monotonicMs());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#build().then(
        () => {
          if (this.#isDue(this.#followedSeq)) this.#schedule();
        },
        (error) => this.#options.onError(error),
      );
    }, waitMs);
    this.#timer.unref();
  }

  /** One at a time; who comes while one is made gets that. */
  #build(): Promise<void> {
    if (this.#isDisposed) return Promise.reject(new StaleStateError('the service stops'));
    this.#building ??= this.#makeNext().finally(() => {
      this.#building = undefined;
      this.#builtAtMs = this.#monotonicMs();
    });
    return this.#building;
  }

  async #makeNext(): Promise<void> {
    const begunAtMs = this.#monotonicMs();
    for (;;) {
      // The same moment for all: what is due by then is rendered by then.
      const now = this.#options.clock.now();
      const { seq, runs, read } = await this.#look(now);
      const ids = [...this.#touched.keys()];
      await this.#render(runs, read ?? ((wanted) => readPublicParticipants(this.#options.db, wanted)), now);
      for (const id of ids) this.#touched.delete(id);
      if (this.#isDisposed) return;
      if (read === undefined) continue;
      this.#publish(seq, runs.length > 0);
      this.#behindSinceMs = seq < this.#followedSeq ? begunAtMs : undefined;
      return;
    }
  }

  /** Finds out what is to be rendered and, unless that is much, reads it in the same view of the registry. */
  async #look(now: NumericDate) {
    return await this.#options.db.transaction(
      async (tx) => {
        const seq = await readSeq(tx);
        for (const [id, authorityId] of await this.#touchedUntil(tx, seq)) this.#touched.set(id, authorityId);
        this.#layoutSeq = seq;
        for (const [id, authorityId] of this.#due(now)) this.#touched.set(id, authorityId);
        const runs = this.#runs();
        const ids = runs.flatMap((run) => run.ids);
        if (ids.length > MAX_IN_TRANSACTION) return { seq, runs, read: undefined };
        const found = new Map((await readPublicParticipants(tx, ids)).map((one) => [one.id, one]));
        const read = (wanted: readonly string[]) => wanted.flatMap((id) => found.get(id) ?? []);
        return { seq, runs, read };
      },
      { isolationLevel: 'repeatable read', accessMode: 'read only' },
    );
  }

  async #touchedUntil(tx: Tx, seq: number): Promise<Iterable<[string, string]>> {
    const after = this.#layoutSeq;
    if (after !== undefined && seq - after <= MAX_CHANGES) {
      return await touchedOrganisations(tx, { after, through: seq });
    }
    return [...this.#all(), ...(await activeOrganisations(tx))];
  }

  *#all(isWanted: (segment: ParticipantSegment) => boolean = () => true): Generator<[string, string]> {
    for (const [authorityId, segments] of this.#layout) {
      for (const segment of segments) {
        if (isWanted(segment)) for (const id of segment.ids) yield [id, authorityId];
      }
    }
  }

  #due(now: NumericDate): Generator<[string, string]> {
    return this.#all(({ changesAt }) => changesAt <= now);
  }

  #runs(): (SegmentRun & { authorityId: string })[] {
    const byAuthority = Map.groupBy(this.#touched, ([, authorityId]) => authorityId);
    return [...byAuthority].flatMap(([authorityId, touched]) => {
      const ids = touched.map(([id]) => id);
      return runsOf(this.#layout.get(authorityId) ?? [], ids).map((run) => ({ ...run, authorityId }));
    });
  }

  async #render(
    runs: readonly (SegmentRun & { authorityId: string })[],
    read: (ids: readonly string[]) => PublicParticipant[] | Promise<PublicParticipant[]>,
    now: NumericDate,
  ): Promise<void> {
    const layout = new Map(this.#layout);
    // From the last one on, so that the places of the others stay.
    for (const { authorityId, start, end, ids } of runs.toReversed()) {
      const segments = await renderSegments(ids, read, { now, baseUrl: this.#options.baseUrl });
      layout.set(authorityId, (layout.get(authorityId) ?? []).toSpliced(start, end - start, ...segments));
      if (this.#isDisposed) return;
    }
    this.#layout = layout;
  }

  #publish(seq: number, isChanged: boolean): void {
    const before = this.#published;
    this.#published =
      before !== undefined && !isChanged ? { ...before, seq } : publishedParticipants(this.#layout, seq);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    await this.#building?.catch(() => {});
  }
}

function publishedParticipants(layout: Layout, seq: number): PublishedParticipants {
  const authorityIds = [...layout.keys()].toSorted();
  const segments = authorityIds.flatMap((id) => layout.get(id) ?? []);
  const byAuthority = new Map<string, GzipMember>();
  return {
    seq,
    changesAt: segments.reduce((first, { changesAt }) => Math.min(first, changesAt), Number.POSITIVE_INFINITY),
    all: memberOf(segments),
    of(authorityId) {
      const ready = byAuthority.get(authorityId) ?? memberOf(layout.get(authorityId) ?? []);
      // Of ids that nobody knows there is no end.
      if (layout.has(authorityId)) byAuthority.set(authorityId, ready);
      return ready;
    },
  };
}

function memberOf(segments: readonly ParticipantSegment[]): GzipMember {
  const pieces = segments.flatMap(({ piece }, index) => (index === 0 ? [piece] : [BETWEEN, piece]));
  return gzipMember([OPENING, ...pieces, CLOSING]);
}
