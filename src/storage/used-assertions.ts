/** Remembers which client assertions and proofs of possession were used, for all nodes and over restarts. */
import { lte } from 'drizzle-orm';
import type { Db, Tx } from './connect.ts';
import { usedAssertions } from './schema/used-assertions.ts';

/** Client and `jti` as digests; seconds since the epoch. */
export interface UsedAssertionRow {
  client: string;
  jti: string;
  expiresAt: number;
}

export class UsedAssertionRecords {
  readonly #db: Db | Tx;

  constructor(db: Db | Tx) {
    this.#db = db;
  }

  /**
   * Takes note of an assertion, in one statement: of several nodes that are handed the same, one hears that it is new.
   * @param now what expired by then is as if it had been pruned
   */
  async add({ client, jti, expiresAt }: UsedAssertionRow, now: number): Promise<boolean> {
    const row = { client, jti, expiresAt: new Date(expiresAt * 1000) };
    const written = await this.#db
      .insert(usedAssertions)
      .values(row)
      .onConflictDoUpdate({
        target: [usedAssertions.client, usedAssertions.jti],
        set: { expiresAt: row.expiresAt },
        setWhere: lte(usedAssertions.expiresAt, new Date(now * 1000)),
      })
      .returning({ jti: usedAssertions.jti });
    return written.length === 1;
  }
}
