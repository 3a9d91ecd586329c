/** Walks the chains of the log of decisions: says where rows were changed, removed or added, as far as the rows can tell. */
import { and, asc, eq, gt } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { decisionChains, decisions } from '../../storage/schema/decisions.ts';
import { hashDecision } from './decision-chain.ts';

export interface DecisionFinding {
  kind: 'changed' | 'removed' | 'inserted';
  chain: string;
  ordinal: number;
  detail: string;
}

export interface VerifiedDecisions {
  chains: number;
  /** Number of rows that were read. */
  rows: number;
  /** Of those that their owner pruned nothing can be said. */
  prunedRows: number;
  /** The first ones, chain by chain. */
  findings: DecisionFinding[];
  /** How many there are in all. */
  findingCount: number;
}

const BATCH_SIZE = 1_000;
const MAX_FINDINGS = 100;

/**
 * Whoever can open the database may verify it. All is read as of one moment. A chain that was removed with its record in
 * `decision_chains` leaves no trace here; whoever may do that owns the database.
 * @param onProgress told of the number of rows read so far, after each batch
 */
export async function verifyDecisions(db: Db, onProgress?: (rows: number) => void): Promise<VerifiedDecisions> {
  return await db.transaction(
    async (tx) => {
      const verified: VerifiedDecisions = { chains: 0, rows: 0, prunedRows: 0, findings: [], findingCount: 0 };
      const ends = await tx.select().from(decisionChains).orderBy(asc(decisionChains.startedAt));
      const known = new Set(ends.map(({ chain }) => chain));
      const strays = await tx.selectDistinct({ chain: decisions.chain }).from(decisions);
      for (const { chain } of strays) {
        if (!known.has(chain)) report(verified, 'inserted', chain, 0, 'nothing says that there is such a chain');
      }
      for (const end of ends) await walk(tx, end, verified, onProgress);
      return verified;
    },
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  );
}

async function walk(
  tx: Db,
  end: typeof decisionChains.$inferSelect,
  verified: VerifiedDecisions,
  onProgress: ((rows: number) => void) | undefined,
): Promise<void> {
  const { chain } = end;
  let last = { ordinal: end.prunedRows - 1, hash: end.prunedHash ?? chain };
  verified.chains++;
  verified.prunedRows += end.prunedRows;
  let after = -1;
  for (let isFull = true; isFull; ) {
    const rows = await tx
      .select()
      .from(decisions)
      .where(and(eq(decisions.chain, chain), gt(decisions.ordinal, after)))
      .orderBy(asc(decisions.ordinal))
      .limit(BATCH_SIZE);
    for (const { hash, ...contents } of rows) {
      const { ordinal } = contents;
      if (ordinal < end.prunedRows) report(verified, 'inserted', chain, ordinal, 'it stands before what was pruned');
      else if (ordinal >= end.rows) report(verified, 'inserted', chain, ordinal, `the chain has ${end.rows} rows`);
      else {
        if (ordinal > last.ordinal + 1) {
          report(verified, 'removed', chain, last.ordinal + 1, `missing up to ${ordinal - 1}`);
        } else if (hashDecision(last.hash, contents) !== hash) {
          report(verified, 'changed', chain, ordinal, 'it does not follow from the row before it');
        }
        last = { ordinal, hash };
      }
    }
    verified.rows += rows.length;
    onProgress?.(verified.rows);
    after = rows.at(-1)?.ordinal ?? after;
    isFull = rows.length === BATCH_SIZE;
  }
  if (last.ordinal < end.rows - 1) {
    report(verified, 'removed', chain, last.ordinal + 1, `missing up to ${end.rows - 1}, the last one`);
  } else if (last.hash !== end.hash && end.rows > 0) {
    report(verified, 'changed', chain, last.ordinal, 'the chain ends with another hash');
  }
}

function report(
  verified: VerifiedDecisions,
  kind: DecisionFinding['kind'],
  chain: string,
  ordinal: number,
  detail: string,
): void {
  verified.findingCount++;
  if (verified.findings.length < MAX_FINDINGS) verified.findings.push({ kind, chain, ordinal, detail });
}
