/** Pages of the Entity Collection, ready as bytes: functions of the registry at its seq. @see COLLECTION §2 */
import { desc, inArray } from 'drizzle-orm';
import { isJsonObject, type JsonObject } from '../../federation/json.ts';
import type { Clock } from '../../federation/time.ts';
import type { AffectedSubject } from '../../registry/affected-subjects.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import {
  authoritiesBelow,
  type CollectedEntity,
  type CollectedMark,
  type CollectingAuthority,
  collectEntities,
} from '../../registry/entities/collect-entities.ts';
import type { AffectedTrustMark } from '../../registry/trust-marks/affected-trust-marks.ts';
import { isIssued } from '../../registry/trust-marks/trust-mark-type.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { audit } from '../../storage/schema/audit.ts';
import { FollowingCache } from '../following-cache.ts';
import { listAnswer, type ReadyAnswer, rewrittenAuthorities, sizeOf } from '../ready-answers.ts';
import { uiInfos } from './ui-infos.ts';

/** Entities on a page at most, and where no `limit` asks for fewer. */
export const MAX_COLLECTED_ENTITIES = 500;

/** Claims of an entry that may be asked for. */
export const ENTITY_CLAIMS = ['entity_id', 'entity_types', 'ui_infos', 'trust_marks'] as const;

/** What is shown where nothing is asked for: Trust Marks take more room than all else. */
const SHOWN_UNASKED: readonly string[] = ['entity_id', 'entity_types', 'ui_infos'];

export interface EntityCollectionQuery {
  entityTypes: readonly string[];
  /** Each entity shows a valid mark of every one of these types. */
  trustMarkTypes: readonly string[];
  text: string | null;
  /** `next` of the page before; undefined: the first page. */
  from: string | undefined;
  /** At most {@link MAX_COLLECTED_ENTITIES}. */
  limit: number;
  /** In code point order, none twice; null: as we see fit. */
  entityClaims: readonly string[] | null;
  uiClaims: readonly string[] | null;
}

export interface EntityCollectionsOptions {
  db: Db;
  directory: Pick<AuthorityDirectory, 'all'>;
  clock: Clock;
}

const CACHE_BYTES = 64 * 1024 * 1024;
/** A page of 500 reads much; these leave the database to others. */
const MAX_LOADS = 2;
/** Nothing fits. */
const KEEPS_NOTHING = 1;
/** Searches read much, and there are as many as there are words. */
const MAX_SEARCH_LOADS = 2;
/** A change below one authority may show above it, so all pages go together. */
const SCOPE = '';

/** What there is below an authority when nobody fits. */
export const NO_ENTITIES = listAnswer('{"entities":[]}');

export class EntityCollections {
  readonly #options: EntityCollectionsOptions;
  readonly #pages = new FollowingCache<ReadyAnswer>({ maxBytes: CACHE_BYTES, sizeOf, maxLoads: MAX_LOADS });
  /** Searches, and pages of those with marks, which end by themselves. */
  readonly #passing = new FollowingCache<ReadyAnswer>({ maxBytes: KEEPS_NOTHING, sizeOf, maxLoads: MAX_SEARCH_LOADS });

  constructor(options: EntityCollectionsOptions) {
    this.#options = options;
  }

  /** @returns undefined when `from` points to no page. @throws TooManyLoads */
  page(served: ServedAuthority, query: EntityCollectionQuery): ReadyAnswer | Promise<ReadyAnswer | undefined> {
    const pages = query.text === null && query.trustMarkTypes.length === 0 ? this.#pages : this.#passing;
    const key = JSON.stringify([served.authority.id, query]);
    return pages.get(SCOPE, key) ?? pages.load(SCOPE, key, () => this.#load(served, query));
  }

  async #load(served: ServedAuthority, query: EntityCollectionQuery): Promise<ReadyAnswer | undefined> {
    const { db, directory, clock } = this.#options;
    const all = directory.all;
    const authorities = await authoritiesBelow(
      db,
      served.authority,
      all.map(({ authority }) => authority),
    );
    const from = query.from === undefined ? null : identifierOf(query.from);
    if (from === undefined) return undefined;
    const now = new Date(clock.now() * 1000);
    const issuers = all.filter(({ authority }) => authorities.some(({ id }) => id === authority.id));
    const marks = query.trustMarkTypes.map((type) => countedMark(served, issuers, type, now));
    if (marks.some(({ typeIds }) => typeIds.length === 0)) return NO_ENTITIES;
    const page = await collectEntities(
      db,
      authorities,
      {
        ...query,
        from,
        marks,
        revokedKids: issuers.flatMap(({ keys }) =>
          keys.filter(({ state }) => state === 'revoked').map(({ kid }) => kid),
        ),
      },
      now,
    );
    if (page === undefined) return undefined;
    const body: JsonObject = { entities: page.collected.map((entity) => entityInfo(entity, query)) };
    if (page.next !== null) body['next'] = Buffer.from(page.next).toString('base64url');
    const changedAt = await lastChange(db, authorities);
    if (changedAt !== null) body['last_updated'] = Math.floor(changedAt.getTime() / 1000);
    return listAnswer(JSON.stringify(body));
  }

  /** Drops what the changes made untrue, before their seq is served. */
  follow(
    changes: readonly RegistryChange[],
    affected: readonly AffectedSubject[],
    marks: readonly AffectedTrustMark[],
  ): void {
    if (affected.length === 0 && marks.length === 0 && rewrittenAuthorities(changes).size === 0) return;
    this.#pages.deleteScope(SCOPE);
    this.#passing.deleteScope(SCOPE);
  }
}

/** The Entity Identifier that a pointer of ours stands for; undefined for anything that is no such pointer. */
function identifierOf(pointer: string): string | undefined {
  const identifier = Buffer.from(pointer, 'base64url').toString();
  const isOurs = Buffer.from(identifier).toString('base64url') === pointer && !identifier.includes('\0');
  return isOurs ? identifier : undefined;
}

/**
 * Who may issue marks of a type below this authority: those that it lists, or anybody where the list is empty, as for
 * any verifier (OIDFED §7.3). Of a type that it does not list only its own marks count.
 */
function countedMark(
  { authority: top }: ServedAuthority,
  issuers: readonly ServedAuthority[],
  trustMarkType: string,
  now: Date,
): CollectedMark {
  const listed = Object.hasOwn(top.trustMarkIssuers, trustMarkType)
    ? (top.trustMarkIssuers[trustMarkType] ?? [])
    : [top.entityIdentifier];
  const typeIds = issuers
    .filter(({ authority }) => listed.length === 0 || listed.includes(authority.entityIdentifier))
    .flatMap(({ trustMarkTypes }) => trustMarkTypes)
    .filter((type) => type.trustMarkType === trustMarkType && isIssued(type, now))
    .map(({ id }) => id);
  return { trustMarkType, typeIds };
}

function entityInfo(
  entity: CollectedEntity,
  { entityClaims, uiClaims, entityTypes }: EntityCollectionQuery,
): JsonObject {
  const isShown = (claim: (typeof ENTITY_CLAIMS)[number]) => (entityClaims ?? SHOWN_UNASKED).includes(claim);
  const info: JsonObject = { entity_id: entity.entityIdentifier };
  if (isShown('entity_types')) info['entity_types'] = entity.entityTypes;
  const infos = isShown('ui_infos') ? uiInfos(metadataOf(entity), { entityTypes, claims: uiClaims }) : {};
  if (Object.keys(infos).length > 0) info['ui_infos'] = infos;
  if (isShown('trust_marks') && entity.trustMarks !== null) info['trust_marks'] = entity.trustMarks;
  return info;
}

/** Of the types that it plays, as its superior has it say. */
function metadataOf({ entityTypes, ownMetadata, superiorMetadata }: CollectedEntity): JsonObject {
  const parametersOf = (metadata: JsonObject | null, type: string): JsonObject => {
    const parameters = metadata?.[type];
    return isJsonObject(parameters) ? parameters : {};
  };
  const merged = entityTypes.map((type) => {
    return [type, { ...parametersOf(ownMetadata, type), ...parametersOf(superiorMetadata, type) }] as const;
  });
  return Object.fromEntries(merged);
}

/** Nothing is gathered ahead of time: the collection is as new as what was last recorded below. */
async function lastChange(db: Db, authorities: readonly CollectingAuthority[]): Promise<Date | null> {
  const ids = authorities.map(({ id }) => id);
  const [row] = await db
    .select({ at: audit.at })
    .from(audit)
    .where(inArray(audit.authorityId, ids))
    .orderBy(desc(audit.seq))
    .limit(1);
  return row?.at ?? null;
}
