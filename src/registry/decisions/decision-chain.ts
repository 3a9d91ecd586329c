/** The log of decisions, a chain of rows for each run of a node: what each row's hash is over, and how rows are added. */
import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { canonicalJson } from '../../federation/json.ts';
import type { Db } from '../../storage/connect.ts';
import { decisionChains, decisions } from '../../storage/schema/decisions.ts';

/** What was answered, to how many that asked the same: ids and hashes, nothing that was shown. */
export interface LoggedDecision {
  authorityId: string;
  enforcementPointId: string;
  decision: 'allow' | 'deny';
  reasons: readonly string[];
  entityId: string | null;
  organisationId: string | null;
  apiId: string | null;
  onBehalfOf: string | null;
  certificateSha256: string | null;
  tokenSha256: string | null;
  seq: number;
  count: number;
  /** The first of them. */
  decidedAt: Date;
}

/** A row's place, and what it says. */
export interface DecisionContents extends LoggedDecision {
  chain: string;
  ordinal: number;
}

/**
 * SHA-256 in base64url over the hash of the row before it (of the first row: the chain's id), a line feed, and the row's
 * contents as canonical JSON (RFC 8785).
 */
export function hashDecision(previousHash: string, { decidedAt, reasons, ...contents }: DecisionContents): string {
  const json = canonicalJson({ ...contents, reasons: [...reasons], decidedAt: decidedAt.toISOString() });
  return createHash('sha256').update(`${previousHash}\n${json}`).digest('base64url');
}

/** Rows that travel in one message. */
const ROWS_AT_A_TIME = 1_000;

/** Adds to one chain, that of this run of this node. */
export class DecisionChain {
  readonly #db: Db;
  readonly #chain: string;
  #rows = 0;
  #hash: string;

  /** @param chain an id that no run had before */
  constructor(db: Db, chain: string) {
    this.#db = db;
    this.#chain = chain;
    this.#hash = chain;
  }

  /**
   * Adds all of them or none. Who got an error does not know which: the same ones again, first of all, and they are
   * there once.
   */
  async append(logged: readonly LoggedDecision[]): Promise<void> {
    let hash = this.#hash;
    const rows = logged.map(({ reasons, ...rest }, index) => {
      const contents = { ...rest, reasons: [...reasons], chain: this.#chain, ordinal: this.#rows + index };
      hash = hashDecision(hash, contents);
      return { ...contents, hash };
    });
    const end = { rows: this.#rows + rows.length, hash };
    await this.#db.transaction(async (tx) => {
      for (let start = 0; start < rows.length; start += ROWS_AT_A_TIME) {
        await tx
          .insert(decisions)
          .values(rows.slice(start, start + ROWS_AT_A_TIME))
          .onConflictDoNothing();
      }
      await tx
        .insert(decisionChains)
        .values({ chain: this.#chain, ...end })
        .onConflictDoUpdate({
          target: decisionChains.chain,
          set: { rows: sql`excluded.rows`, hash: sql`excluded.hash` },
        });
    });
    this.#rows = end.rows;
    this.#hash = end.hash;
  }
}
