/** The audit of a database as something to verify: all rows of one moment, and how the counter says that they end. */
import { type AuditPlace, type ChainedAuditRow, readAuditEnd, readAuditRows } from '../../storage/audit-chain.ts';
import type { Db } from '../../storage/connect.ts';
import type { ChainToVerify } from './verify-chain.ts';

const BATCH_SIZE = 1_000;

/**
 * Whoever can open the database may read it; nothing that happens meanwhile is seen.
 * @param use must have read the rows when it returns
 */
export async function withAuditChain<T>(
  db: Db,
  use: (chain: Required<Pick<ChainToVerify, 'rows' | 'previousHash' | 'afterSeq' | 'end'>>) => Promise<T>,
): Promise<T> {
  return await db.transaction(
    async (tx) => {
      const { genesis, hash = genesis, seq, rows } = await readAuditEnd(tx);
      return await use({ rows: auditBatches(tx), previousHash: genesis, afterSeq: 0, end: { seq, hash, rows } });
    },
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  );
}

async function* auditBatches(db: Db): AsyncGenerator<ChainedAuditRow[]> {
  let after: AuditPlace | undefined;
  for (let isFull = true; isFull; ) {
    const rows = await readAuditRows(db, after, BATCH_SIZE);
    isFull = rows.length === BATCH_SIZE;
    after = rows.at(-1)?.contents;
    if (rows.length > 0) yield rows;
  }
}
