/** What the federation endpoints serve, ready as bytes: functions of the registry at its seq. @see OIDFED §8, §9 */
import { createHash } from 'node:crypto';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import type { AffectedSubject } from '../registry/affected-subjects.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';
import {
  listEntityTypes,
  listSubordinatesJson,
  type SubordinateFilter,
} from '../registry/entities/list-subordinates.ts';
import type { RegistryChange } from '../storage/change-feed.ts';
import type { Db } from '../storage/connect.ts';
import { FollowingCache } from './following-cache.ts';
import type { IssuedStatement, StatementIssuer } from './statement-issuer.ts';

/** A 200 answer to a public GET. */
export type ReadyAnswer = SignedAnswer | UnsignedAnswer;

interface Answer {
  contentType: string;
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

  constructor(options: ReadyAnswersOptions) {
    this.#options = options;
    this.#statements = new FollowingCache({ maxBytes: options.statementCacheBytes, sizeOf, isRepeated: true });
  }

  /** §9 */
  entityConfiguration(served: ServedAuthority): ReadyAnswer | Promise<ReadyAnswer> {
    const load = async () => statementAnswer(await this.#options.issuer.entityConfiguration(served));
    return this.#ownDocument(served.authority.id, 'configuration', load);
  }

  /** §8.7 */
  historicalKeys(served: ServedAuthority): ReadyAnswer | Promise<ReadyAnswer> {
    const load = async () => {
      const issued = await this.#options.issuer.historicalKeys(served);
      return signedAnswer(issued, MEDIA_TYPE.jwkSet);
    };
    return this.#ownDocument(served.authority.id, 'historical-keys', load);
  }

  /** The statement about a subject if it lies ready: what a busy endpoint does. */
  readyStatement(served: ServedAuthority, subject: string): ReadyAnswer | undefined {
    const ready = this.#statements.get(served.authority.id, subject);
    return ready !== undefined && ready.refreshAt > this.#options.clock.now() ? ready : undefined;
  }

  /** §8.1; undefined when this authority vouches for no such subject. */
  subordinateStatement(
    served: ServedAuthority,
    subject: EntityIdentifier,
  ): ReadyAnswer | Promise<ReadyAnswer | undefined> | undefined {
    const ready = this.readyStatement(served, subject);
    if (ready !== undefined) return ready;
    const { id } = served.authority;
    if (this.#statements.isAbsent(id, subject)) return undefined;
    return this.#statements.load(id, subject, async () => {
      const issued = await this.#options.issuer.subordinateStatement(served, subject);
      return issued && statementAnswer(issued);
    });
  }

  /**
   * §8.2. Types that no subordinate plays are left out first, so that made-up ones cost next to nothing.
   * @throws TooManyLoads
   */
  list(served: ServedAuthority, { entityTypes, intermediate }: SubordinateFilter): ReadyAnswer | Promise<ReadyAnswer> {
    const authorityId = served.authority.id;
    if (entityTypes.length === 0) return this.#list(authorityId, { entityTypes, intermediate });
    const narrowed = ({ types }: PlayedTypes) => {
      const known = [...types].filter((type) => entityTypes.includes(type));
      return known.length === 0 ? NOBODY : this.#list(authorityId, { entityTypes: known, intermediate });
    };
    const played = this.#playedTypes.get(authorityId, '');
    if (played !== undefined) return narrowed(played);
    const load = async () => ({ types: await listEntityTypes(this.#options.db, authorityId) });
    return present(this.#playedTypes.load(authorityId, '', load)).then(narrowed);
  }

  #list(authorityId: string, filter: SubordinateFilter): ReadyAnswer | Promise<ReadyAnswer> {
    const key = JSON.stringify([filter.intermediate, filter.entityTypes]);
    const load = async () => listAnswer(await listSubordinatesJson(this.#options.db, authorityId, filter));
    const lists = filter.entityTypes.length > 1 ? this.#unions : this.#lists;
    return lists.get(authorityId, key) ?? present(lists.load(authorityId, key, load));
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
  follow(changes: readonly RegistryChange[], affected: readonly AffectedSubject[]): void {
    for (const { authorityId, entityIdentifier } of affected) {
      this.#statements.delete(authorityId, entityIdentifier);
    }
    for (const authorityId of new Set(affected.map((subject) => subject.authorityId))) {
      this.#lists.deleteScope(authorityId);
      this.#unions.deleteScope(authorityId);
      this.#playedTypes.deleteScope(authorityId);
    }
    for (const authorityId of rewrittenAuthorities(changes)) {
      this.#statements.deleteScope(authorityId);
      this.#own.deleteScope(authorityId);
    }
  }
}

/** Authorities whose own record or keys changed: all that they sign may read differently now. */
function rewrittenAuthorities(changes: readonly RegistryChange[]): Set<string> {
  const concerned = changes.filter(({ subjectKind }) => subjectKind === 'authority' || subjectKind === 'authority_key');
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

function listAnswer(json: string): UnsignedAnswer {
  const body = Buffer.from(json);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  const end = Number.POSITIVE_INFINITY;
  return { body, contentType: MEDIA_TYPE.json, etag, expiresAt: end, refreshAt: end };
}

/** The list of an authority that vouches for nobody of the kind asked for. */
export const NOBODY = listAnswer('[]');

interface PlayedTypes {
  types: readonly string[];
}

/** The loaders of what every authority has never find nothing. */
async function present<T>(loaded: Promise<T | undefined>): Promise<T> {
  const answer = await loaded;
  if (answer === undefined) throw new Error('an authority without a document of its own');
  return answer;
}
