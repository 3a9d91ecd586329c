/** Tells when one transaction waits for another, so that tests of races need no sleeps. */
import { sql } from 'drizzle-orm';
import type { Db } from '../../src/storage/connect.ts';

/** Resolves once as many connections to this PostgreSQL database wait for a lock. Ask outside the transactions at hand. */
export async function untilWaiting(db: Db, connections = 1): Promise<void> {
  for (;;) {
    const { rows } = await db.execute<{ waiting: string | number }>(sql`
      SELECT count(DISTINCT pid) AS waiting FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE datname = current_database() AND NOT granted`);
    if (Number(rows[0]?.waiting) >= connections) return;
  }
}
