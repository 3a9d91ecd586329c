/** Keeps the log of decisions from growing without end: prunes it where it can, and tells the operator where it may not. */
import { sql } from 'drizzle-orm';
import type { Log } from '../observability/log.ts';
import { chainsToPrune, pruneBatch } from '../registry/decisions/prune-decisions.ts';
import type { Database } from '../storage/connect.ts';

export interface OldDecisions {
  database: Pick<Database, 'kind' | 'db'>;
  retentionDays: number;
  now: Date;
  log: Pick<Log, 'decisionsTooOld'>;
}

/** The service may only add rows. Of an embedded database it is the owner, who else cannot while it runs; of another it is not. */
export async function endOldDecisions(
  { database: { kind, db }, retentionDays, now, log }: OldDecisions,
  signal?: AbortSignal,
): Promise<void> {
  const before = new Date(now.getTime() - retentionDays * 86_400_000);
  const chains = await chainsToPrune(db, before);
  if (kind === 'postgresql') {
    if (chains.length > 0) log.decisionsTooOld({ retentionDays, chains: chains.length });
    return;
  }
  for (const chain of chains) {
    for (let gone = 1; gone > 0 && signal?.aborted !== true; ) {
      gone = await db.transaction(async (tx) => {
        // Until the end of this transaction; nothing else runs meanwhile.
        await tx.execute(sql`SET LOCAL ROLE NONE`);
        return await pruneBatch(tx, chain, before);
      });
    }
  }
}
