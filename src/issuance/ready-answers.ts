/** What the federation endpoints serve, ready as bytes: functions of the registry at its seq. @see OIDFED §8, §9 */
import { createHash } from 'node:crypto';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import { type HouseRules, lintHistoricalKeys } from '../federation/lint/lint-statement.ts';
import { MEDIA_TYPE } from '../federation/media-types.ts';
import type { Clock, NumericDate } from '../federation/time.ts';
import type { AffectedSubject } from '../registry/affected-subjects.ts';
import type { ServedAuthority } from '../registry/authorities/authority-directory.ts';
import {
  listEntityTypes,
  listSubordinatesJson,
  type SubordinateFilter,
} from '../registry/entities/list-subordinates.ts';
import type { Signer } from '../signer/signer.ts';
import type { RegistryChange } from '../storage/change-feed.ts';
import type { Db } from '../storage/connect.ts';
import { FollowingCache } from './following-cache.ts';
import { buildHistoricalKeys } from './historical-keys.ts';
import { lintOwn } from './lint-own.ts';
import { type IssuedStatement, type StatementIssuer, signingKeyOf } from './statement-issuer.ts';

/** A 200 answer to a public GET. */
export interface ReadyAnswer {
  body: string | Uint8Array;
  contentType: string;
  /** Strong entity tag of the bytes, quoted. */
  etag: string;
  /** When the answer stops to be true by itself and when a fresh one is made, seconds since the epoch. */
  expiresAt: NumericDate;
  refreshAt: NumericDate;
}

export interface ReadyAnswersOptions {
  db: Db;
  issuer: StatementIssuer;
  signer: Signer;
  clock: Clock;
  houseRules: HouseRules;
  /** Memory for Subordinate Statements, in bytes. */
  statementCacheBytes: number;
}

/** Lists may reach some megabytes each; a few kinds of filters stay ready. */
const LIST_CACHE_BYTES = 64 * 1024 * 1024;
/** A list of 100,000 takes the database some tenths of a second. */
const MAX_LIST_LOADS = 8;
const AUTHORITY_CACHE_BYTES = 8 * 1024 * 1024;
/** Historical keys have no `exp`; a document is signed anew after a day. */
const HISTORICAL_KEYS_LIFETIME_SECONDS = 86_400;
/** What an entry costs beyond its body. */
const ENTRY_BYTES = 300;

export class ReadyAnswers {
  readonly #options: ReadyAnswersOptions;
  readonly #statements: FollowingCache<ReadyAnswer>;
  readonly #lists = new FollowingCache<ReadyAnswer>({ maxBytes: LIST_CACHE_BYTES, sizeOf, maxLoads: MAX_LIST_LOADS });
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
    return this.#ownDocument(`configuration ${served.authority.id}`, load);
  }

  /** §8.7 */
  historicalKeys(served: ServedAuthority): ReadyAnswer | Promise<ReadyAnswer> {
    return this.#ownDocument(`historical-keys ${served.authority.id}`, async () => {
      const now = this.#options.clock.now();
      const claims = buildHistoricalKeys(served, now);
      const linted = lintOwn('historical keys', () => lintHistoricalKeys(claims, this.#options.houseRules));
      const jwt = await this.#options.signer.sign(signingKeyOf(served), linted);
      const end = now + HISTORICAL_KEYS_LIFETIME_SECONDS;
      return readyAnswer(jwt, MEDIA_TYPE.jwkSet, { expiresAt: end, refreshAt: end });
    });
  }

  /** The statement about a subject if it lies ready: what a busy endpoint does. */
  readyStatement(served: ServedAuthority, subject: string): ReadyAnswer | undefined {
    const ready = this.#statements.get(statementKey(served.authority.id, subject));
    return ready !== undefined && ready.refreshAt > this.#options.clock.now() ? ready : undefined;
  }

  /** §8.1; undefined when this authority vouches for no such subject. */
  subordinateStatement(
    served: ServedAuthority,
    subject: EntityIdentifier,
  ): ReadyAnswer | Promise<ReadyAnswer | undefined> | undefined {
    const ready = this.readyStatement(served, subject);
    if (ready !== undefined) return ready;
    const key = statementKey(served.authority.id, subject);
    if (this.#statements.isAbsent(key)) return undefined;
    return this.#statements.load(key, async () => {
      const issued = await this.#options.issuer.subordinateStatement(served, subject);
      return issued && statementAnswer(issued);
    });
  }

  /** §8.2. Types that no subordinate plays are left out first, so that made-up ones cost next to nothing. */
  list(served: ServedAuthority, { entityTypes, intermediate }: SubordinateFilter): ReadyAnswer | Promise<ReadyAnswer> {
    const authorityId = served.authority.id;
    if (entityTypes.length === 0) return this.#list(authorityId, { entityTypes, intermediate });
    const narrowed = ({ types }: PlayedTypes) => {
      const known = [...types].filter((type) => entityTypes.includes(type));
      return known.length === 0 ? NOBODY : this.#list(authorityId, { entityTypes: known, intermediate });
    };
    const played = this.#playedTypes.get(authorityId);
    if (played !== undefined) return narrowed(played);
    const load = async () => ({ types: await listEntityTypes(this.#options.db, authorityId) });
    return present(this.#playedTypes.load(authorityId, load)).then(narrowed);
  }

  #list(authorityId: string, filter: SubordinateFilter): ReadyAnswer | Promise<ReadyAnswer> {
    const key = `${authorityId} ${JSON.stringify([filter.intermediate, filter.entityTypes])}`;
    const load = async () => listAnswer(await listSubordinatesJson(this.#options.db, authorityId, filter));
    return this.#lists.get(key) ?? present(this.#lists.load(key, load));
  }

  #ownDocument(key: string, load: () => Promise<ReadyAnswer>): ReadyAnswer | Promise<ReadyAnswer> {
    const ready = this.#own.get(key);
    if (ready !== undefined && ready.refreshAt > this.#options.clock.now()) return ready;
    return present(this.#own.load(key, load));
  }

  /** Drops what the changes made untrue, before their seq is served. */
  follow(changes: readonly RegistryChange[], affected: readonly AffectedSubject[]): void {
    for (const { authorityId, entityIdentifier } of affected) {
      this.#statements.delete(statementKey(authorityId, entityIdentifier));
    }
    for (const authorityId of new Set(affected.map((subject) => subject.authorityId))) {
      this.#lists.deletePrefix(`${authorityId} `);
      this.#playedTypes.delete(authorityId);
    }
    for (const authorityId of rewrittenAuthorities(changes)) {
      this.#statements.deletePrefix(`${authorityId} `);
      this.#own.delete(`configuration ${authorityId}`);
      this.#own.delete(`historical-keys ${authorityId}`);
    }
  }
}

/** Authorities whose own record or keys changed: all that they sign may read differently now. */
function rewrittenAuthorities(changes: readonly RegistryChange[]): Set<string> {
  const concerned = changes.filter(({ subjectKind }) => subjectKind === 'authority' || subjectKind === 'authority_key');
  return new Set(concerned.flatMap(({ authorityId }) => (authorityId === null ? [] : [authorityId])));
}

function statementKey(authorityId: string, subject: string): string {
  return `${authorityId} ${subject}`;
}

function statementAnswer(issued: IssuedStatement): ReadyAnswer {
  return readyAnswer(issued.jwt, MEDIA_TYPE.entityStatement, issued);
}

/** An answer with the entity tag of its bytes. */
export function readyAnswer(
  body: string | Uint8Array,
  contentType: string,
  { expiresAt, refreshAt }: { expiresAt: NumericDate; refreshAt: NumericDate },
): ReadyAnswer {
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  return { body, contentType, etag, expiresAt, refreshAt };
}

function sizeOf({ body }: ReadyAnswer): number {
  return body.length + ENTRY_BYTES;
}

function listAnswer(json: string): ReadyAnswer {
  const end = Number.POSITIVE_INFINITY;
  return readyAnswer(Buffer.from(json), MEDIA_TYPE.json, { expiresAt: end, refreshAt: end });
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
