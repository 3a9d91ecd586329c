/** Pages of the Entity Collection, ready as bytes: functions of the registry at its seq. @see COLLECTION §2 */
import { isJsonObject, type JsonObject } from '../../federation/json.ts';
import type { Clock, NumericDate } from '../../federation/time.ts';
import type { AffectedSubject } from '../../registry/affected-subjects.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import { authoritiesBelow } from '../../registry/collection/authorities-below.ts';
import { listTypesElsewhere } from '../../registry/collection/collect-elsewhere.ts';
import type {
  CollectedEntity,
  CollectedMark,
  CollectingAuthority,
} from '../../registry/collection/collection-query.ts';
import { lastWalkBelow } from '../../registry/collection/walks.ts';
import { collectEntities, lastRecordedBelow } from '../../registry/entities/collect-entities.ts';
import { listEntityTypes } from '../../registry/entities/list-subordinates.ts';
import type { AffectedTrustMark } from '../../registry/trust-marks/affected-trust-marks.ts';
import { isIssued } from '../../registry/trust-marks/trust-mark-type.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { FollowingCache } from '../following-cache.ts';
import { listAnswer, present, type ReadyAnswer, rewrittenAuthorities, sizeOf } from '../ready-answers.ts';
import { withCountedMarks } from './shown-trust-marks.ts';
import { uiInfos } from './ui-infos.ts';

/** Entities on a page at most, and where no `limit` asks for fewer: what is shown of each may be large. */
export const MAX_COLLECTED_ENTITIES = 100;

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
/** A page reads much; these leave the database to others. */
const MAX_LOADS = 2;
/** Nothing fits. */
const KEEPS_NOTHING = 1;
/** Searches read much, and there are as many as there are words. */
const MAX_SEARCH_LOADS = 2;
/** How long what a walk found may take to be shown. */
const SEEN_SECONDS = 60;
const BELOW_BYTES = 4 * 1024 * 1024;
/** A change below one authority may show above it, so all pages go together. */
const SCOPE = '';

/** Who vouches below an authority, itself included, and the Entity Types that their subordinates play. */
interface Below {
  authorities: readonly CollectingAuthority[];
  /** Undefined when there are too many to know. */
  entityTypes: readonly string[] | undefined;
  /** What was seen below Intermediates elsewhere changes without the registry. */
  refreshAt: NumericDate;
}

/** What there is below an authority when nobody fits. */
export const NO_ENTITIES = listAnswer('{"entities":[]}');

export class EntityCollections {
  readonly #options: EntityCollectionsOptions;
  readonly #pages = new FollowingCache<ReadyAnswer>({ maxBytes: CACHE_BYTES, sizeOf, maxLoads: MAX_LOADS });
  /** Whatever else may be asked: there is no end to it, and marks end by themselves. */
  readonly #passing = new FollowingCache<ReadyAnswer>({ maxBytes: KEEPS_NOTHING, sizeOf, maxLoads: MAX_SEARCH_LOADS });
  /** By authority. */
  readonly #below = new FollowingCache<Below>({
    maxBytes: BELOW_BYTES,
    sizeOf: ({ authorities, entityTypes }) => 200 * (1 + authorities.length + (entityTypes?.length ?? 0)),
  });

  constructor(options: EntityCollectionsOptions) {
    this.#options = options;
  }

  /**
   * Entity Types that nobody plays are left out first, so that made-up ones cost next to nothing.
   * @returns undefined when `from` points to no page
   * @throws TooManyLoads
   */
  page(served: ServedAuthority, asked: EntityCollectionQuery): ReadyAnswer | Promise<ReadyAnswer | undefined> {
    const below = this.#present(this.#below.get(SCOPE, served.authority.id));
    const query = below === undefined ? asked : played(asked, below);
    if (query === undefined) return NO_ENTITIES;
    const pages = isUsual(query) ? this.#pages : this.#passing;
    const key = JSON.stringify([served.authority.id, query]);
    return this.#present(pages.get(SCOPE, key)) ?? pages.load(SCOPE, key, () => this.#load(served, query));
  }

  #present<T extends { refreshAt: NumericDate }>(kept: T | undefined): T | undefined {
    return kept !== undefined && kept.refreshAt > this.#options.clock.now() ? kept : undefined;
  }

  /** All of it within the load of a page, which counts no more once anything changes. */
  async #load(served: ServedAuthority, asked: EntityCollectionQuery): Promise<ReadyAnswer | undefined> {
    const below = await this.#readBelow(served);
    const query = played(asked, below);
    return query === undefined ? NO_ENTITIES : await this.#collect(served, query, below);
  }

  async #readBelow({ authority }: ServedAuthority): Promise<Below> {
    const { db, directory, clock } = this.#options;
    const load = async () => {
      const all = directory.all.map((one) => one.authority);
      const authorities = await authoritiesBelow(db, authority, all);
      const ids = authorities.map(({ id }) => id);
      const now = clock.now();
      const elsewhere = await listTypesElsewhere(db, authorities, new Date(now * 1000));
      const here = await listEntityTypes(db, ids);
      const entityTypes = elsewhere && [...new Set([...here, ...elsewhere])].sort();
      return { authorities, entityTypes, refreshAt: now + SEEN_SECONDS };
    };
    const known = this.#present(this.#below.get(SCOPE, authority.id));
    return known ?? (await present(this.#below.load(SCOPE, authority.id, load)));
  }

  async #collect(
    served: ServedAuthority,
    query: EntityCollectionQuery,
    { authorities }: Below,
  ): Promise<ReadyAnswer | undefined> {
    const { db, directory, clock } = this.#options;
    const from = query.from === undefined ? null : identifierOf(query.from);
    if (from === undefined) return undefined;
    const now = new Date(clock.now() * 1000);
    const issuers = directory.all.filter(({ authority }) => authorities.some(({ id }) => id === authority.id));
    const marks = query.trustMarkTypes.map((type) => countedMark(served, issuers, type, now));
    if (marks.some(({ typeIds }) => typeIds.length === 0)) return NO_ENTITIES;
    const revoked = issuers.flatMap(({ keys }) => keys.filter(({ state }) => state === 'revoked'));
    const page = await collectEntities(
      db,
      authorities,
      {
        ...query,
        ...{ from, marks },
        revokedKids: revoked.map(({ kid }) => kid),
        reads: {
          metadata: isShown(query, 'ui_infos'),
          trustMarks: isShown(query, 'trust_marks') || query.trustMarkTypes.length > 0,
        },
      },
      now,
    );
    if (page === undefined) return undefined;
    const { collected, endsAt } = await withCountedMarks(db, directory.all, page.collected, clock.now());
    const body: JsonObject = { entities: collected.map((entity) => entityInfo(entity, query)) };
    if (page.next !== null) body['next'] = Buffer.from(page.next).toString('base64url');
    const changedAt = await lastChange(db, authorities);
    if (changedAt !== null) body['last_updated'] = changedAt;
    const chainsEndAt = (page.validUntil?.getTime() ?? Number.POSITIVE_INFINITY) / 1000;
    return listAnswer(JSON.stringify(body), Math.min(endsAt, chainsEndAt, clock.now() + SEEN_SECONDS));
  }

  /** Drops what the changes made untrue, before their seq is served. */
  follow(
    changes: readonly RegistryChange[],
    affected: readonly AffectedSubject[],
    marks: readonly AffectedTrustMark[],
  ): void {
    if (affected.length === 0 && marks.length === 0 && rewrittenAuthorities(changes).size === 0) return;
    for (const cache of [this.#pages, this.#passing, this.#below]) cache.deleteScope(SCOPE);
  }
}

/** Without Entity Types that nobody plays; undefined when nobody plays any of those asked for. */
function played(query: EntityCollectionQuery, below: Below): EntityCollectionQuery | undefined {
  if (query.entityTypes.length === 0 || below.entityTypes === undefined) return query;
  const entityTypes = below.entityTypes.filter((type) => query.entityTypes.includes(type));
  return entityTypes.length === 0 ? undefined : { ...query, entityTypes };
}

/** Pages that many ask for: whole ones, of all entities or of one Entity Type, with what is shown unasked. */
export function isUsual(query: EntityCollectionQuery): boolean {
  const { entityTypes, trustMarkTypes, text, limit, entityClaims, uiClaims } = query;
  const isPlain = text === null && trustMarkTypes.length === 0 && entityTypes.length <= 1;
  return isPlain && limit === MAX_COLLECTED_ENTITIES && entityClaims === null && uiClaims === null;
}

/** When anything below was last recorded, or looked at elsewhere; null: never. */
async function lastChange(db: Db, authorities: readonly CollectingAuthority[]): Promise<NumericDate | null> {
  const ids = authorities.map(({ id }) => id);
  const times = [await lastRecordedBelow(db, authorities), await lastWalkBelow(db, ids)];
  const known = times.flatMap((time) => (time === null ? [] : [Math.floor(time.getTime() / 1000)]));
  return known.length === 0 ? null : Math.max(...known);
}

function isShown({ entityClaims }: EntityCollectionQuery, claim: (typeof ENTITY_CLAIMS)[number]): boolean {
  return (entityClaims ?? SHOWN_UNASKED).includes(claim);
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

function entityInfo(entity: CollectedEntity, query: EntityCollectionQuery): JsonObject {
  const { entityTypes, uiClaims } = query;
  const info: JsonObject = { entity_id: entity.entityIdentifier };
  if (isShown(query, 'entity_types')) info['entity_types'] = entity.entityTypes;
  const infos = uiInfos(metadataOf(entity), { entityTypes, claims: uiClaims });
  if (Object.keys(infos).length > 0) info['ui_infos'] = infos;
  if (isShown(query, 'trust_marks') && entity.trustMarks !== null) info['trust_marks'] = entity.trustMarks;
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
