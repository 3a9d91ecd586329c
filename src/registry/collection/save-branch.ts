/** Keeps what a walk below an Intermediate elsewhere found. @see COLLECTION §2 */
import { and, eq, gt, not, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db } from '../../storage/connect.ts';
import { collectedEntities } from '../../storage/schema/collected-entities.ts';

/** An entity whose Trust Chain through the Intermediate is valid. */
export interface FoundEntity {
  entityIdentifier: string;
  entityTypes: string[];
  metadata: JsonObject;
  trustMarks: JsonObject[] | null;
  /** When the chain ends. */
  validUntil: Date;
}

export interface WalkedBranch {
  /** The authority of ours that the chains lead to. */
  authorityId: string;
  /** The record of the Intermediate. */
  branchId: string;
  found: readonly FoundEntity[];
  /**
   * Who has no place there any more; `rest` when that is everybody who was not found. Whoever is neither stays for as
   * long as its chain as last seen.
   */
  gone: readonly string[] | 'rest';
}

const BATCH_SIZE = 200;

/** What was found takes the place of what there was; nodes that do so at once do not mind each other. */
export async function saveBranch(db: Db, walked: WalkedBranch, now: Date): Promise<void> {
  const { authorityId, branchId, found, gone } = walked;
  const { validUntil, entityIdentifier } = collectedEntities;
  for (let first = 0; first < found.length; first += BATCH_SIZE) {
    const rows = found.slice(first, first + BATCH_SIZE).map((entity) => ({ ...entity, authorityId, branchId }));
    await db
      .insert(collectedEntities)
      .values(rows)
      .onConflictDoUpdate({
        target: [collectedEntities.authorityId, collectedEntities.branchId, entityIdentifier],
        set: {
          entityTypes: sql`excluded.entity_types`,
          metadata: sql`excluded.metadata`,
          trustMarks: sql`excluded.trust_marks`,
          validUntil: sql`excluded.valid_until`,
        },
      });
  }
  const isOfBranch = and(eq(collectedEntities.authorityId, authorityId), eq(collectedEntities.branchId, branchId));
  const staying = found.map((entity) => entity.entityIdentifier);
  const leaves = gone === 'rest' ? not(isAnyOf(entityIdentifier, staying)) : isAnyOf(entityIdentifier, gone);
  await db
    .update(collectedEntities)
    .set({ validUntil: now })
    .where(and(isOfBranch, gt(validUntil, now), leaves));
}
