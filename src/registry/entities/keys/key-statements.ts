/** When the last statements about its keys that were accepted from an entity were issued: nothing older counts. */
import { and, eq, max } from 'drizzle-orm';
import type { NumericDate } from '../../../federation/time.ts';
import type { Db, Tx } from '../../../storage/connect.ts';
import { entities } from '../../../storage/schema/entities.ts';
import { entityKeyStatements } from '../../../storage/schema/entity-key-statements.ts';
import type { EntityRow } from '../entity.ts';

export interface AcceptedStatements {
  /** `iat` of the last Entity Configuration and of the last pushed set; null before the first. */
  configurationIat: NumericDate | null;
  pushedIat: NumericDate | null;
}

/** Those of closed records of the same identifier count as well: what is old stays old. */
export async function acceptedStatements(
  db: Db | Tx,
  { authorityId, entityIdentifier }: Pick<EntityRow, 'authorityId' | 'entityIdentifier'>,
): Promise<AcceptedStatements> {
  const [found] = await db
    .select({
      configurationIat: max(entityKeyStatements.configurationIat),
      pushedIat: max(entityKeyStatements.pushedIat),
    })
    .from(entityKeyStatements)
    .innerJoin(entities, eq(entities.id, entityKeyStatements.entityId))
    .where(and(eq(entities.authorityId, authorityId), eq(entities.entityIdentifier, entityIdentifier)));
  return found ?? { configurationIat: null, pushedIat: null };
}

export async function recordAccepted(tx: Tx, entityId: string, accepted: Partial<AcceptedStatements>): Promise<void> {
  await tx
    .insert(entityKeyStatements)
    .values({ entityId, ...accepted })
    .onConflictDoUpdate({ target: entityKeyStatements.entityId, set: accepted });
}
