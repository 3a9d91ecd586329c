/** Pages of the Extended Subordinate Listing, ready as bytes: functions of the registry at its seq. @see EXTLIST §3 */
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../federation/json.ts';
import type { Clock, NumericDate } from '../../federation/time.ts';
import type { AffectedSubject } from '../../registry/affected-subjects.ts';
import type { ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import type { SubordinateFilter } from '../../registry/entities/list-subordinates.ts';
import { type PagedSubordinate, pageSubordinates } from '../../registry/entities/page-subordinates.ts';
import type { AffectedTrustMark } from '../../registry/trust-marks/affected-trust-marks.ts';
import { firstEndOfMarks } from '../../registry/trust-marks/list-holders.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { FollowingCache } from '../following-cache.ts';
import { StatementUnfit } from '../lint-own.ts';
import { listAnswer, type ReadyAnswer, type ReadyAnswers, resignedAuthorities, sizeOf } from '../ready-answers.ts';
import { pagePointer, recordOfPointer } from './page-pointer.ts';

/** Entities on a page at most, and where no `limit` asks for fewer: with all their statements some 200 kB. */
export const MAX_PAGE_ENTITIES = 100;

/** What a statement about the subject says, and the statement itself. */
export const SUBORDINATE_STATEMENT = 'subordinate_statement';

export interface ExtendedListQuery {
  filter: SubordinateFilter;
  /** `next` of the page before; undefined: the first page. */
  from: string | undefined;
  /** At most {@link MAX_PAGE_ENTITIES}. */
  limit: number;
  updatedAfter: NumericDate | null;
  updatedBefore: NumericDate | null;
  hasAuditTimestamps: boolean;
  /** Claims of the Subordinate Statement that each entry shows, in code point order, none twice. */
  claims: readonly string[];
}

export interface ExtendedListsOptions {
  db: Db;
  answers: Pick<ReadyAnswers, 'subordinateStatement' | 'playedAmong'>;
  clock: Clock;
  /** Our own records would make a statement that readers refuse: its entry does without. */
  onUnfit: (error: StatementUnfit) => void;
  /** Memory for pages, in bytes. */
  pageCacheBytes?: number;
}

/** With statements, those of 300 pages; it is dropped page by page where there are more. */
const DEFAULT_PAGE_CACHE_BYTES = 64 * 1024 * 1024;
/** With the statements that are made for them, these leave the database connections for all else. */
const MAX_PAGE_LOADS = 3;
/** Nothing fits. */
const KEEPS_NOTHING = 1;
/** There is no end to times, claims and marks that may be asked for: such pages are made for each question. */
const MAX_PASSING_LOADS = 4;
/** How long an entry stays without a statement that could not be made, unless something changes. */
const UNFIT_REFRESH_SECONDS = 60;
/** Statements of one page that are made at a time, so that a page leaves the database and the signer to others. */
const STATEMENTS_AT_A_TIME = 2;

/** What an authority answers that vouches for nobody of the kind asked for. */
export const NO_SUBORDINATES = listAnswer('{"immediate_subordinate_entities":[]}');

export class ExtendedLists {
  readonly #options: ExtendedListsOptions;
  readonly #pages: FollowingCache<ReadyAnswer>;
  readonly #passing = new FollowingCache<ReadyAnswer>({ maxBytes: KEEPS_NOTHING, sizeOf, maxLoads: MAX_PASSING_LOADS });

  constructor(options: ExtendedListsOptions) {
    this.#options = options;
    const maxBytes = options.pageCacheBytes ?? DEFAULT_PAGE_CACHE_BYTES;
    this.#pages = new FollowingCache({ maxBytes, sizeOf, maxLoads: MAX_PAGE_LOADS });
  }

  /**
   * Entity Types that nobody plays are left out first, so that made-up ones cost next to nothing.
   * @returns undefined when `from` points to no page
   * @throws TooManyLoads
   */
  page(served: ServedAuthority, query: ExtendedListQuery): ReadyAnswer | Promise<ReadyAnswer | undefined> {
    const { entityTypes } = query.filter;
    if (entityTypes.length === 0) return this.#page(served, query);
    const narrowed = (known: readonly string[]) =>
      known.length === 0
        ? NO_SUBORDINATES
        : this.#page(served, { ...query, filter: { ...query.filter, entityTypes: known } });
    const known = this.#options.answers.playedAmong(served.authority.id, entityTypes);
    return known instanceof Promise ? known.then(narrowed) : narrowed(known);
  }

  #page(served: ServedAuthority, query: ExtendedListQuery): ReadyAnswer | Promise<ReadyAnswer | undefined> {
    const { filter, from, limit, updatedAfter, updatedBefore, hasAuditTimestamps, claims } = query;
    const { entityTypes, intermediate, marks } = filter;
    const pages = isUsual(query) ? this.#pages : this.#passing;
    const key = JSON.stringify([
      ...[from, limit, hasAuditTimestamps, claims, entityTypes, intermediate, marks],
      ...[updatedAfter, updatedBefore],
    ]);
    const ready = pages.get(served.authority.id, key);
    if (ready !== undefined && ready.refreshAt > this.#options.clock.now()) return ready;
    return pages.load(served.authority.id, key, () => this.#load(served, query));
  }

  async #load(served: ServedAuthority, query: ExtendedListQuery): Promise<ReadyAnswer | undefined> {
    const { db, clock } = this.#options;
    const { marks } = query.filter;
    const from = query.from === undefined ? null : recordOfPointer(query.from);
    if (from === undefined) return undefined;
    const now = new Date(clock.now() * 1000);
    const changesAt = marks === undefined ? null : await firstEndOfMarks(db, marks.typeIds, now);
    const page = await pageSubordinates(db, served.authority.id, { ...query, from }, now);
    if (page === undefined) return undefined;
    const entries = await this.#entries(served, page.subordinates, query);
    const body: JsonObject = { immediate_subordinate_entities: entries.map(({ entry }) => entry) };
    if (page.next !== null) body['next'] = pagePointer(page.next);
    const ends = [changesAt, marks?.issuedUntil ?? null].flatMap((end) => (end === null ? [] : [end.getTime() / 1000]));
    const expiresAt = Math.min(...ends, ...entries.map((entry) => entry.expiresAt));
    const refreshAt = Math.min(...ends, ...entries.map((entry) => entry.refreshAt));
    return { ...listAnswer(JSON.stringify(body), expiresAt), refreshAt };
  }

  async #entries(
    served: ServedAuthority,
    subordinates: readonly PagedSubordinate[],
    query: ExtendedListQuery,
  ): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let first = 0; first < subordinates.length; first += STATEMENTS_AT_A_TIME) {
      const some = subordinates.slice(first, first + STATEMENTS_AT_A_TIME);
      entries.push(...(await Promise.all(some.map((subordinate) => this.#entry(served, subordinate, query)))));
    }
    return entries;
  }

  /** The statement is the one that the fetch endpoint serves, byte for byte. */
  async #entry(
    served: ServedAuthority,
    { entityIdentifier, registered, updated }: PagedSubordinate,
    { claims, hasAuditTimestamps }: ExtendedListQuery,
  ): Promise<Entry> {
    const entry: JsonObject = { id: entityIdentifier, ...(hasAuditTimestamps && { registered, updated }) };
    const never = Number.POSITIVE_INFINITY;
    if (claims.length === 0) return { entry, expiresAt: never, refreshAt: never };
    const statement = await this.#statement(served, entityIdentifier as EntityIdentifier);
    if (statement === 'unfit') {
      return { entry, expiresAt: never, refreshAt: this.#options.clock.now() + UNFIT_REFRESH_SECONDS };
    }
    if (typeof statement?.body !== 'string') return { entry, expiresAt: never, refreshAt: never };
    const { body, expiresAt, refreshAt } = statement;
    const said = claims.some((claim) => claim !== SUBORDINATE_STATEMENT) ? claimsOf(body) : {};
    for (const claim of claims) {
      if (claim === SUBORDINATE_STATEMENT) entry[claim] = body;
      else if (Object.hasOwn(said, claim) && !Object.hasOwn(entry, claim)) entry[claim] = said[claim] ?? null;
    }
    return { entry, expiresAt, refreshAt };
  }

  /** One that cannot be made must not take the others with it: fetch refuses it alone, too. */
  async #statement(served: ServedAuthority, subject: EntityIdentifier): Promise<ReadyAnswer | 'unfit' | undefined> {
    const { answers, onUnfit } = this.#options;
    try {
      return await answers.subordinateStatement(served, subject);
    } catch (error) {
      if (!(error instanceof StatementUnfit)) throw error;
      onUnfit(error);
      return 'unfit';
    }
  }

  /** Drops what the changes made untrue, before their seq is served. */
  follow(
    changes: readonly RegistryChange[],
    affected: readonly AffectedSubject[],
    marks: readonly AffectedTrustMark[],
  ): void {
    const concerned = [...affected, ...marks].map(({ authorityId }) => authorityId);
    for (const authorityId of new Set([...concerned, ...resignedAuthorities(changes)])) {
      this.#pages.deleteScope(authorityId);
      this.#passing.deleteScope(authorityId);
    }
  }
}

/** Pages that many ask for: whole ones, of all, of Intermediates or of one Entity Type, with statements or without. */
export function isUsual({ filter, limit, updatedAfter, updatedBefore, claims }: ExtendedListQuery): boolean {
  const isTimed = updatedAfter !== null || updatedBefore !== null;
  const isPlain = filter.entityTypes.length <= 1 && filter.marks === undefined && !isTimed;
  return isPlain && limit === MAX_PAGE_ENTITIES && claims.every((claim) => claim === SUBORDINATE_STATEMENT);
}

interface Entry {
  entry: JsonObject;
  /** Until when its statement counts, and when another takes its place; seconds since the epoch. */
  expiresAt: NumericDate;
  refreshAt: NumericDate;
}

/** The claims of a statement of ours: it needs no verifying. */
function claimsOf(jwt: string): JsonObject {
  const claims = parseJson(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
  return isJsonObject(claims) ? claims : {};
}
