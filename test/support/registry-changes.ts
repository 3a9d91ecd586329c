/** Changes as the registry commits them: counter, audit and notification in one transaction, the counter last of all. */
import { eq, sql } from 'drizzle-orm';
import { CHANGES_CHANNEL } from '../../src/storage/change-feed.ts';
import type { Db } from '../../src/storage/connect.ts';
import { audit } from '../../src/storage/schema/audit.ts';
import { registryCounter } from '../../src/storage/schema/registry-counter.ts';

export interface TestChange {
  subjectId?: string;
  /** Number of audit rows. */
  rows?: number;
  /** Without it only polling finds the change. */
  notify?: boolean;
}

/** Returns the seq of the change. */
export async function commitChange(db: Db, change: TestChange = {}): Promise<number> {
  const { subjectId = 'subject', rows = 1, notify = true } = change;
  return await db.transaction(async (tx) => {
    const [counter] = await tx
      .update(registryCounter)
      .set({ seq: sql`${registryCounter.seq} + 1` })
      .where(eq(registryCounter.id, 1))
      .returning({ seq: registryCounter.seq });
    const seq = counter!.seq;
    await tx.insert(audit).values(
      Array.from({ length: rows }, (_, ordinal) => ({
        seq,
        ordinal,
        at: new Date(),
        actor: {},
        action: 'test',
        subjectKind: 'test',
        subjectId,
        hash: 'of a test',
      })),
    );
    if (notify) await tx.execute(sql`SELECT pg_notify(${CHANGES_CHANNEL}, ${String(seq)})`);
    return seq;
  });
}
