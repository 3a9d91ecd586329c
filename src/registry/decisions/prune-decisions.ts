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
  let pruned = 0;
  for (const chain of await chainsToPrune(db, before)) {
    for (let gone = 1; gone > 0; pruned += gone) gone = await pruneBatch(db, chain, before);
  }
  return pruned;
}

/** Chains that begin with a row that is too old; where that row is missing, it is for verify to tell. */
export async function chainsToPrune(db: Db, before: Date): Promise<string[]> {
  const rows = await db
    .select({ chain: decisionChains.chain })
    .from(decisionChains)
    .innerJoin(
      decisions,
      and(eq(decisions.chain, decisionChains.chain), eq(decisions.ordinal, decisionChains.prunedRows)),
    )
    .where(lt(decisions.decidedAt, before))
    .orderBy(asc(decisionChains.startedAt));
  return rows.map(({ chain }) => chain);
}

/** Rows that one transaction deletes: others wait for it only briefly. */
const BATCH_SIZE = 1_000;

/** @returns how many rows of the chain are gone; 0: all that can */
export async function pruneBatch(db: Db, chain: string, before: Date): Promise<number> {
  return await db.transaction(async (tx) => {
    const [known] = await tx.select().from(decisionChains).where(eq(decisionChains.chain, chain)).for('update');
    if (known === undefined) return 0;
    const through = Math.min(known.rows, known.prunedRows + BATCH_SIZE);
    const isOfBatch = and(eq(decisions.chain, chain), lt(decisions.ordinal, through));
    const [young] = await tx
      .select({ ordinal: min(decisions.ordinal) })
      .from(decisions)
      .where(and(isOfBatch, gte(decisions.decidedAt, before)));
    const prunedRows = young?.ordinal ?? through;
    const isOld = and(isOfBatch, lt(decisions.ordinal, prunedRows));
    const [last] = await tx
      .select({ hash: decisions.hash })
      .from(decisions)
      .where(and(isOld, eq(decisions.ordinal, prunedRows - 1)));
    // Nothing to prune, or the row is missing from which what stays would have to follow: that is for verify to tell.
    if (last === undefined) return 0;
    const gone = await tx.delete(decisions).where(isOld).returning({ ordinal: decisions.ordinal });
    await tx.update(decisionChains).set({ prunedRows, prunedHash: last.hash }).where(eq(decisionChains.chain, chain));
    return gone.length;
  });
}
