/** The clock of the database, which all nodes see. */
import { sql } from 'drizzle-orm';
import type { Db } from './connect.ts';

/** Seconds since the epoch. */
export async function databaseSeconds(db: Db): Promise<number> {
  const { rows } = await db.execute<{ seconds: number }>(
    sql`select extract(epoch from clock_timestamp())::double precision as seconds`,
  );
  return Number(rows[0]?.seconds);
}
