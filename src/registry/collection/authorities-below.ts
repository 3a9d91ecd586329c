/** Which authorities of ours vouch below one of them. @see COLLECTION §2 */
import { and, eq, inArray, type SQL } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import type { CollectingAuthority } from './collection-query.ts';

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

/** Which entities, joined with their organisations, any of these authorities vouches for. */
export function isActiveUnder(authorities: readonly CollectingAuthority[]): SQL | undefined {
  const ids = authorities.map(({ id }) => id);
  return and(inArray(entities.authorityId, ids), eq(entities.state, 'active'), eq(organisations.state, 'active'));
}
