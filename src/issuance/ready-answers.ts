/** What the federation endpoints serve, ready as bytes: functions of the registry at its seq. @see OIDFED §8, §9 */
import { createHash } from 'node:crypto';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import type { AffectedSubject } from '../registry/affected-subjects.ts';
import type { AuthorityDirectory, ServedAuthority } from '../registry/authorities/authority-directory.ts';
import {
  listEntityTypes,
  listSubordinatesJson,
  type SubordinateFilter,
} from '../registry/entities/list-subordinates.ts';
import type { AffectedTrustMark } from '../registry/trust-marks/affected-trust-marks.ts';
import { firstEndOfMarks } from '../registry/trust-marks/list-holders.ts';
import type { RegistryChange } from '../storage/change-feed.ts';
import type { Db } from '../storage/connect.ts';
import { FollowingCache } from './following-cache.ts';
import type { IssuedStatement } from './issued-statement.ts';
import type { StatementIssuer } from './statement-issuer.ts';

/** A 200 answer to a public GET. */
export type ReadyAnswer = SignedAnswer | UnsignedAnswer;

interface Answer {
  contentType: string;
  /** Where it is not 200. */
  status?: 202;
  /** When the answer stops to be true by itself and when a fresh one is made, seconds since the epoch. */
  expiresAt: NumericDate;
  refreshAt: NumericDate;
  /** For an answer that rests on statements of others: when the oldest of them was retrieved, as an HTTP date. */
  oldestStatement?: string;
}

/** Needs no other entity tag than its signature, see {@link entityTagOf}. */
export interface SignedAnswer extends Answer {
  body: string;
  etag?: undefined;
}

export interface UnsignedAnswer extends Answer {
  body: Uint8Array;
  /** Strong entity tag of the bytes, quoted. */
  etag: string;
}

export interface ReadyAnswersOptions {
  db: Db;
  issuer: StatementIssuer;
  clock: Clock;
  /** Follows the registry before the answers do. */
  directory: Pick<AuthorityDirectory, 'get'>;
  /** Memory for Subordinate Statements, in bytes. */
  statementCacheBytes: number;
}

/** Lists may reach some megabytes each; the few that do not join Entity Types stay ready. */
const LIST_CACHE_BYTES = 64 * 1024 * 1024;
/** A list of 100,000 takes the database some tenths of a second; these leave it connections for all else. */
const MAX_LIST_LOADS = 6;
/** Lists of several Entity Types are made for each question, and anybody may ask. */
const MAX_UNION_LOADS = 2;
/** Nothing fits. */
const KEEPS_NOTHING = 1;
const AUTHORITY_CACHE_BYTES = 8 * 1024 * 1024;
/** What an authority publishes about itself. */
type OwnDocument = 'configuration' | 'historical-keys';

/** What an entry costs beyond its body. */
const ENTRY_BYTES = 300;

export class ReadyAnswers {
  readonly #options: ReadyAnswersOptions;
  readonly #statements: FollowingCache<ReadyAnswer>;
  readonly #lists = new FollowingCache<ReadyAnswer>({ maxBytes: LIST_CACHE_BYTES, sizeOf, maxLoads: MAX_LIST_LOADS });
  /** Lists of those with Trust Marks, which change with these. */
  readonly #markedLists = new FollowingCache<ReadyAnswer>({
    maxBytes: LIST_CACHE_BYTES,
    sizeOf,
    maxLoads: MAX_LIST_LOADS,
  });
  /** Lists of several Entity Types: there is one for each subset, too many to keep. Equal questions share one load. */
  readonly #unions = new FollowingCache<ReadyAnswer>({ maxBytes: KEEPS_NOTHING, sizeOf, maxLoads: MAX_UNION_LOADS });
  /** Entity Types that active subordinates play, by authority. */
  readonly #playedTypes = new FollowingCache<PlayedTypes>({
    maxBytes: AUTHORITY_CACHE_BYTES,
    sizeOf: ({ types }) => 100 * types.length,
  });
  /** Entity Configurations and historical keys, by authority. */
  readonly #own = new FollowingCache<ReadyAnswer>({
    maxBytes: AUTHORITY_CACHE_BYTES,
    sizeOf,
    isRepeated: true,
  });

  /** Statements about subjects that lay ready, and others. */
  readonly reads = { hits: 0, misses: 0 };

  constructor(options: ReadyAnswersOptions) {
    this.#options = options;
    this.#statements = new FollowingCache({ maxBytes: options.statementCacheBytes, sizeOf, isRepeated: true });
  }

  /** §9 */
  entityConfiguration(served: ServedAuthority): ReadyAnswer | Promise<ReadyAnswer> {
    const load = async () => statementAnswer(await this.#options.issuer.entityConfiguration(this.#present(served)));
    return this.#ownDocument(served.authority.id, 'configuration', load);
  }

  /** §8.7 */
  historicalKeys(served: ServedAuthority): ReadyAnswer | Promise<ReadyAnswer> {
    const load = async () => {
      const issued = await this.#options.issuer.historicalKeys(this.#present(served));
      return signedAnswer(issued, MEDIA_TYPE.jwkSet);
    };
    return this.#ownDocument(served.authority.id, 'historical-keys', load);
  }

  /** The statement about a subject if it lies ready: what a busy endpoint does. */
  readyStatement(served: ServedAuthority, subject: string): ReadyAnswer | undefined {
    const ready = this.#statements.get(served.authority.id, subject);
    if (ready === undefined || ready.refreshAt <= this.#options.clock.now()) return undefined;
    this.reads.hits++;
    return ready;
  }

  /** §8.1; undefined when this authority vouches for no such subject. */
  subordinateStatement(
    served: ServedAuthority,
    subject: EntityIdentifier,
  ): ReadyAnswer | Promise<ReadyAnswer | undefined> | undefined {
    const ready = this.readyStatement(served, subject);
    if (ready !== undefined) return ready;
    this.reads.misses++;
    const { id } = served.authority;
    if (this.#statements.isAbsent(id, subject)) return undefined;
    return this.#statements.load(id, subject, async () => {
      const issued = await this.#options.issuer.subordinateStatement(this.#present(served), subject);
      return issued && statementAnswer(issued);
    });
  }

  /**
   * §8.2. Types that no subordinate plays are left out first, so that made-up ones cost next to nothing.
   * @throws TooManyLoads
   */
  list(served: ServedAuthority, filter: SubordinateFilter): ReadyAnswer | Promise<ReadyAnswer> {
    const authorityId = served.authority.id;
    const { entityTypes } = filter;
    if (entityTypes.length === 0) return this.#list(authorityId, filter);
    const narrowed = (known: readonly string[]) =>
      known.length === 0 ? NOBODY : this.#list(authorityId, { ...filter, entityTypes: known });
    const known = this.playedAmong(authorityId, entityTypes);
    return known instanceof Promise ? known.then(narrowed) : narrowed(known);
  }

  /** Those of these Entity Types that a subordinate of the authority plays, in code point order. @throws TooManyLoads */
  playedAmong(authorityId: string, entityTypes: readonly string[]): readonly string[] | Promise<readonly string[]> {
    const among = ({ types }: PlayedTypes) => types.filter((type) => entityTypes.includes(type));
    const played = this.#playedTypes.get(authorityId, '');
    if (played !== undefined) return among(played);
    const load = async () => ({ types: await listEntityTypes(this.#options.db, [authorityId]) });
    return present(this.#playedTypes.load(authorityId, '', load)).then(among);
  }

  #list(authorityId: string, filter: SubordinateFilter): ReadyAnswer | Promise<ReadyAnswer> {
    const { db, clock } = this.#options;
    const { intermediate, entityTypes, marks } = filter;
    const key = JSON.stringify([intermediate, entityTypes, marks?.typeIds ?? null]);
    const load = async () => {
      const now = new Date(clock.now() * 1000);
      const changesAt = marks === undefined ? null : await firstEndOfMarks(db, marks.typeIds, now);
      const ends = [changesAt, marks?.issuedUntil ?? null].map((end) => end?.getTime() ?? Number.POSITIVE_INFINITY);
      return listAnswer(await listSubordinatesJson(db, authorityId, filter, now), Math.min(...ends) / 1000);
    };
    const kept = marks === undefined ? this.#lists : this.#markedLists;
    const lists = entityTypes.length > 1 ? this.#unions : kept;
    const ready = lists.get(authorityId, key);
    return ready !== undefined && ready.refreshAt > clock.now() ? ready : present(lists.load(authorityId, key, load));
  }

  /** What is loaded again because the authority changed must not say, or be signed with, what it was before. */
  #present(served: ServedAuthority): ServedAuthority {
    return this.#options.directory.get(served.authority.id) ?? served;
  }

  #ownDocument(
    authorityId: string,
    kind: OwnDocument,
    load: () => Promise<ReadyAnswer>,
  ): ReadyAnswer | Promise<ReadyAnswer> {
    const ready = this.#own.get(authorityId, kind);
    if (ready !== undefined && ready.refreshAt > this.#options.clock.now()) return ready;
    return present(this.#own.load(authorityId, kind, load));
  }

  /** Drops what the changes made untrue, before their seq is served. */
  follow(
    changes: readonly RegistryChange[],
    affected: readonly AffectedSubject[],
    marks: readonly AffectedTrustMark[] = [],
  ): void {
    const retyped = changes.filter(({ subjectKind }) => subjectKind === 'trust_mark_type');
    for (const authorityId of new Set([...marks, ...retyped, ...affected].map((changed) => changed.authorityId))) {
      if (authorityId === null) continue;
      this.#markedLists.deleteScope(authorityId);
      this.#unions.deleteScope(authorityId);
    }
    for (const { authorityId, entityIdentifier } of affected) {
      this.#statements.delete(authorityId, entityIdentifier);
    }
    for (const authorityId of new Set(affected.map((subject) => subject.authorityId))) {
      this.#lists.deleteScope(authorityId);
      this.#unions.deleteScope(authorityId);
      this.#playedTypes.deleteScope(authorityId);
    }
    for (const authorityId of resignedAuthorities(changes)) this.#statements.deleteScope(authorityId);
    for (const authorityId of rewrittenAuthorities(changes)) this.#own.deleteScope(authorityId);
  }
}

/** The authority's own record and its keys. */
const RESIGNING: ReadonlySet<string> = new Set(['authority', 'authority_key']);
/** What else stands in its configuration, besides. */
const REWRITING: ReadonlySet<string> = new Set([...RESIGNING, 'trust_mark_type', 'held_trust_mark']);

/** Authorities whose own record or keys changed: all that they sign may read differently now. */
export function resignedAuthorities(changes: readonly RegistryChange[]): Set<string> {
  return authoritiesOf(changes, RESIGNING);
}

/** Those, and authorities that changed in what they say about themselves alone. */
export function rewrittenAuthorities(changes: readonly RegistryChange[]): Set<string> {
  return authoritiesOf(changes, REWRITING);
}

function authoritiesOf(changes: readonly RegistryChange[], kinds: ReadonlySet<string>): Set<string> {
  const concerned = changes.filter(({ subjectKind }) => kinds.has(subjectKind));
  return new Set(concerned.flatMap(({ authorityId }) => (authorityId === null ? [] : [authorityId])));
}

function statementAnswer(issued: IssuedStatement): ReadyAnswer {
  return signedAnswer(issued, MEDIA_TYPE.entityStatement);
}

export function signedAnswer({ jwt, expiresAt, refreshAt }: IssuedStatement, contentType: string): SignedAnswer {
  return { body: jwt, contentType, expiresAt, refreshAt };
}

/** Characters of a signature's end that tell two signed bodies apart, 6 bits each. */
const TAG_LENGTH = 43;

/** Strong entity tag of an answer's bytes, quoted. */
export function entityTagOf(answer: ReadyAnswer): string {
  return answer.etag ?? `"${answer.body.slice(-TAG_LENGTH)}"`;
}

/** Memory that an answer takes, in bytes. */
export function sizeOf({ body }: ReadyAnswer): number {
  return body.length + ENTRY_BYTES;
}

/** @param changesAt when the list stops to be true by itself, seconds since the epoch */
export function listAnswer(json: string, changesAt: NumericDate = Number.POSITIVE_INFINITY): UnsignedAnswer {
  const body = Buffer.from(json);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  return { body, contentType: MEDIA_TYPE.json, etag, expiresAt: changesAt, refreshAt: changesAt };
}

/** The list of an authority that vouches for nobody of the kind asked for. */
export const NOBODY = listAnswer('[]');

interface PlayedTypes {
  types: readonly string[];
}

/** The loaders of what every authority has never find nothing. */
export async function present<T>(loaded: Promise<T | undefined>): Promise<T> {
  const answer = await loaded;
  if (answer === undefined) throw new Error('an authority without what every authority has');
  return answer;
}
