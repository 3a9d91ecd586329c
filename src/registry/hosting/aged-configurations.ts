/** Finds hosted entities whose Entity Configuration, signed here, is due to be signed anew. */
import { and, asc, eq, gt, isNull, lte } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { entities } from '../../storage/schema/entities.ts';
import { hostedEntities } from '../../storage/schema/hosted-entities.ts';
import { issuedStatements } from '../../storage/schema/issued-statements.ts';
import { organisations } from '../../storage/schema/organisations.ts';

export interface AgedConfiguration {
  entityId: string;
  entityIdentifier: string;
  /** Host and path of its Entity Identifier. */
  location: string;
}

/**
 * A piece of them in the order of their ids. None is named that is not published now, or was never asked for.
 * @param after the last id of the piece before
 */
export async function agedConfigurations(
  db: Db,
  now: Date,
  after: string | undefined,
  limit: number,
): Promise<AgedConfiguration[]> {
  const { entityId, location, mode, endedAt } = hostedEntities;
  const { authorityId, kind, subject, refreshAt } = issuedStatements;
  return await db
    .select({ entityId, location, entityIdentifier: entities.entityIdentifier })
    .from(hostedEntities)
    .innerJoin(entities, eq(entities.id, entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .innerJoin(
      issuedStatements,
      and(
        eq(authorityId, entities.authorityId),
        eq(kind, 'hosted-configuration'),
        eq(subject, entities.entityIdentifier),
      ),
    )
    .where(
      and(
        isNull(endedAt),
        eq(mode, 'signed_here'),
        eq(entities.state, 'active'),
        eq(organisations.state, 'active'),
        lte(refreshAt, now),
        after === undefined ? undefined : gt(entityId, after),
      ),
    )
    .orderBy(asc(entityId))
    .limit(limit);
}
