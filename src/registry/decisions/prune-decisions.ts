/** Deletes old rows of the log of decisions, from the beginning of each chain on, and notes where it begins now. */
import { and, asc, eq, gte, lt, min } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { decisionChains, decisions } from '../../storage/schema/decisions.ts';

/**
 * Deletes what was decided before a moment; only the owner of the tables may. A chain keeps whatever follows its first
 * row that is young enough, so that it stays whole.
 * @param db as `Database.asOwner` gives it
 * @returns how many rows are gone
 */
export async function pruneDecisions(db: Db, before: Date): Promise<number> {
  const chains = await db.select().from(decisionChains).orderBy(asc(decisionChains.startedAt));
  let pruned = 0;
  for (const { chain } of chains) pruned += await pruneChain(db, chain, before);
  return pruned;
}

async function pruneChain(db: Db, chain: string, before: Date): Promise<number> {
  return await db.transaction(async (tx) => {
    const [end] = await tx.select().from(decisionChains).where(eq(decisionChains.chain, chain)).for('update');
    const isOfChain = eq(decisions.chain, chain);
    const [young] = await tx
      .select({ ordinal: min(decisions.ordinal) })
      .from(decisions)
      .where(and(isOfChain, gte(decisions.decidedAt, before)));
    const prunedRows = young?.ordinal ?? end?.rows ?? 0;
    const [last] = await tx
      .select({ hash: decisions.hash })
      .from(decisions)
      .where(and(isOfChain, eq(decisions.ordinal, prunedRows - 1)));
    // Nothing to prune, or the row is missing from which what stays would have to follow: that is for verify to tell.
    if (last === undefined) return 0;
    const gone = await tx
      .delete(decisions)
      .where(and(isOfChain, lt(decisions.ordinal, prunedRows)))
      .returning({ ordinal: decisions.ordinal });
    await tx.update(decisionChains).set({ prunedRows, prunedHash: last.hash }).where(eq(decisionChains.chain, chain));
    return gone.length;
  });
}
