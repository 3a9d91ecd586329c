/** When the last statements about its keys that were accepted from an entity were issued: nothing older counts. */
import { and, eq, inArray, max, sql } from 'drizzle-orm';
import type { Jwk } from '../../../federation/jwk-set.ts';
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

type Identity = Pick<EntityRow, 'authorityId' | 'entityIdentifier'>;

/** Those of closed records of the same identifier count as well: what is old stays old. */
export async function acceptedStatements(
  db: Db | Tx,
  { authorityId, entityIdentifier }: Identity,
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

/**
 * `iat` of the last configuration that counts, 0 before the first. The one that was checked last was accepted as well,
 * whether or not it was taken in, as long as the key that signed it counts.
 * @param liveKeys those registered keys that still verify something
 */
export async function lastConfigurationIat(
  db: Db | Tx,
  entity: Identity & Pick<EntityRow, 'evidence'>,
  liveKeys: readonly Jwk[],
): Promise<NumericDate> {
  const { configurationIat } = await acceptedStatements(db, entity);
  const { iat, kid } = entity.evidence;
  const isChecked = typeof iat === 'number' && liveKeys.some((key) => key.kid === kid);
  return Math.max(configurationIat ?? 0, isChecked ? iat : 0);
}

export async function recordAccepted(tx: Tx, entityId: string, accepted: Partial<AcceptedStatements>): Promise<void> {
  await tx
    .insert(entityKeyStatements)
    .values({ entityId, ...accepted })
    .onConflictDoUpdate({ target: entityKeyStatements.entityId, set: accepted });
}

/** What was pushed before a registrar decided about keys of the entity does not undo the decision. */
export async function outdatePushed(tx: Tx, entityId: string, now: Date): Promise<void> {
  const pushedIat = now.getTime() / 1000;
  await tx
    .insert(entityKeyStatements)
    .values({ entityId, pushedIat })
    .onConflictDoUpdate({
      target: entityKeyStatements.entityId,
      set: { pushedIat: sql`greatest(${entityKeyStatements.pushedIat}, excluded.pushed_iat)` },
    });
}

/** Whoever had a key may have dated configurations ahead of the honest ones: any may be the next. */
export async function forgetConfigurations(tx: Tx, entityIds: readonly string[]): Promise<void> {
  await tx
    .update(entityKeyStatements)
    .set({ configurationIat: null })
    .where(inArray(entityKeyStatements.entityId, [...entityIds]));
}
