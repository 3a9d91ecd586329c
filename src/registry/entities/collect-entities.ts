/** The entities below an authority, direct and through Intermediates of ours, page by page. @see COLLECTION §2 */
import { and, asc, eq, inArray, isNotNull, notInArray, or, type SQL, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { issuedTrustMarks, trustMarks } from '../../storage/schema/trust-marks.ts';
import { holdersOf } from '../trust-marks/list-holders.ts';
import { playsAnyOf } from './list-subordinates.ts';

/** An authority of ours, as far as finding what is below it needs one. */
export interface CollectingAuthority {
  id: string;
  entityIdentifier: string;
}

/** A Trust Mark type that each entity must show a valid mark of. */
export interface CollectedMark {
  trustMarkType: string;
  /** The type as defined by those issuers that count. */
  typeIds: readonly string[];
}

export interface CollectionQuery {
  /** Entities that play any of these; empty: all. */
  entityTypes: readonly string[];
  marks: readonly CollectedMark[];
  /** What was signed with these keys counts no longer. */
  revokedKids: readonly string[];
  /** Text in an identifier or a name, in whatever case; null: any. */
  text: string | null;
  /** The Entity Identifier that the page begins with, or the first one after it; null: the first page. */
  from: string | null;
  limit: number;
}

export interface CollectedEntity {
  entityIdentifier: string;
  entityTypes: string[];
  /** Metadata of its Entity Configuration as last verified, and what its superior says instead. */
  ownMetadata: JsonObject | null;
  superiorMetadata: JsonObject;
  /** `trust_marks` of its Entity Configuration as last verified. */
  trustMarks: JsonObject[] | null;
}

/** The authority and those of ours below it that may vouch: each active under one that may. */
export async function authoritiesBelow(
  db: Db,
  top: CollectingAuthority,
  all: readonly CollectingAuthority[],
): Promise<CollectingAuthority[]> {
  const found = [top];
  const left = new Map(all.filter(({ id }) => id !== top.id).map((one) => [one.entityIdentifier, one] as const));
  for (let level = [top]; level.length > 0 && left.size > 0; ) {
    const rows = await db
      .selectDistinct({ identifier: entities.entityIdentifier })
      .from(entities)
      .innerJoin(organisations, eq(organisations.id, entities.organisationId))
      .where(and(isActiveUnder(level), inArray(entities.entityIdentifier, [...left.keys()])));
    level = rows.flatMap(({ identifier }) => left.get(identifier) ?? []);
    for (const { entityIdentifier } of level) left.delete(entityIdentifier);
    found.push(...level);
  }
  return found;
}

const IDENTIFIER = sql<string>`${entities.entityIdentifier} collate "C"`;

/**
 * An entity that several of the authorities vouch for is there once, as the first of its records tells.
 * @returns undefined when `from` is no entity that was ever registered under one of the authorities
 */
export async function collectEntities(
  db: Db,
  authorities: readonly CollectingAuthority[],
  query: CollectionQuery,
  now: Date,
): Promise<{ collected: CollectedEntity[]; next: string | null } | undefined> {
  const { from, limit, entityTypes, marks, text, revokedKids } = query;
  if (from !== null && !(await wasRegistered(db, authorities, from))) return undefined;
  const rows = await db
    .selectDistinctOn([IDENTIFIER], {
      entityIdentifier: entities.entityIdentifier,
      entityTypes: sql<string[]>`coalesce(${entities.verifiedEntityTypes}, ${entities.registeredEntityTypes})`,
      ownMetadata: sql<JsonObject | null>`${entities.evidence} -> 'claims' -> 'metadata'`,
      superiorMetadata: entities.metadata,
      trustMarks: sql<JsonObject[] | null>`${entities.evidence} -> 'claims' -> 'trust_marks'`,
    })
    .from(entities)
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        isActiveUnder(authorities),
        notInArray(
          entities.entityIdentifier,
          authorities.slice(0, 1).map((top) => top.entityIdentifier),
        ),
        from === null ? undefined : sql`${IDENTIFIER} >= ${from}`,
        entityTypes.length === 0 ? undefined : playsAnyOf(entityTypes),
        text === null ? undefined : speaksOf(text),
        ...marks.map((mark) => shows(db, mark, revokedKids, now)),
      ),
    )
    .orderBy(IDENTIFIER, asc(entities.id))
    .limit(limit + 1);
  return { collected: rows.slice(0, limit), next: rows[limit]?.entityIdentifier ?? null };
}

function isActiveUnder(authorities: readonly CollectingAuthority[]): SQL | undefined {
  const ids = authorities.map(({ id }) => id);
  return and(inArray(entities.authorityId, ids), eq(entities.state, 'active'), eq(organisations.state, 'active'));
}

/** Whoever only asked to be admitted is not known here. */
async function wasRegistered(
  db: Db,
  authorities: readonly CollectingAuthority[],
  entityIdentifier: string,
): Promise<boolean> {
  const ids = authorities.map(({ id }) => id);
  const [found] = await db
    .select({ id: entities.id })
    .from(entities)
    .where(
      and(
        eq(entities.entityIdentifier, entityIdentifier),
        inArray(entities.authorityId, ids),
        isNotNull(entities.registeredAt),
      ),
    )
    .limit(1);
  return found !== undefined;
}

/** Parameters that name an entity to people, in any language. */
const NAMING = '^(display_name|organization_name|client_name|resource_name|description|keywords)(#.*)?$';

function speaksOf(text: string): SQL | undefined {
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
  return or(
    sql`${entities.entityIdentifier} ilike ${pattern}`,
    sql`exists (
      select 1 from (
        select * from jsonb_each(coalesce(${entities.evidence} -> 'claims' -> 'metadata', '{}'::jsonb))
        union all select * from jsonb_each(${entities.metadata})
      ) as played(type, parameters)
      cross join lateral jsonb_each_text(parameters) as parameter(name, value)
      where parameter.name ~ ${NAMING} and parameter.value ilike ${pattern})`,
  );
}

/** The mark stands in its Entity Configuration, byte for byte as it was issued here, and counts still. */
function shows(db: Db, { trustMarkType, typeIds }: CollectedMark, revokedKids: readonly string[], now: Date): SQL {
  const revoked = revokedKids.length === 0 ? sql`` : sql`and ${issuedTrustMarks.kid} not in ${[...revokedKids]}`;
  return sql`(${inArray(entities.entityIdentifier, holdersOf(db, typeIds, now))} and exists (
    select 1
    from jsonb_array_elements(coalesce(${entities.evidence} -> 'claims' -> 'trust_marks', '[]'::jsonb)) as shown(mark)
    join ${issuedTrustMarks}
      on ${issuedTrustMarks.digest} = sha256(convert_to(shown.mark ->> 'trust_mark', 'UTF8'))
    join ${trustMarks} on ${trustMarks.id} = ${issuedTrustMarks.trustMarkId}
    where shown.mark ->> 'trust_mark_type' = ${trustMarkType}
      and ${inArray(trustMarks.typeId, [...typeIds])}
      and ${trustMarks.subject} = ${entities.entityIdentifier}
      and (${issuedTrustMarks.expiresAt} is null or ${issuedTrustMarks.expiresAt} > ${now.toISOString()}::timestamptz)
      ${revoked}))`;
}
