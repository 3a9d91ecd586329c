/** Keeps statements of entities elsewhere for all nodes and over restarts; whoever reads one validates it again. */
import { createHash } from 'node:crypto';
import { eq, gt, inArray, lt, sql } from 'drizzle-orm';
import { composedOnce } from './composed-once.ts';
import type { Db } from './connect.ts';
import { retrievedStatements } from './schema/retrieved-statements.ts';

export interface RetrievedStatementName {
  issuer: string;
  subject: string;
}

/** Times in seconds since the epoch. */
export interface RetrievedStatement {
  jwt: string;
  etag: string | undefined;
  retrievedAt: number;
  freshUntil: number;
  expiresAt: number;
}

/** Times in seconds since the epoch. */
export interface RetrievedStatementRemoval {
  removedAt: number;
  forgettableAt: number;
}

/** Bytes of statements kept; the oldest go first. */
export const MAX_RETRIEVED_BYTES = 256 * 1024 * 1024;

/** What stands in place of a statement that was removed: nodes that retrieved it before may still be about to write. */
const REMOVED = '';
/** What its row counts for. */
const REMOVED_BYTES = 256;

export class RetrievedStatements {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async read(name: RetrievedStatementName): Promise<RetrievedStatement | undefined> {
    const [row] = await statementQuery(this.#db).execute({ name: keyOf(name) });
    if (row === undefined || row.jwt === REMOVED) return undefined;
    return {
      jwt: row.jwt,
      etag: row.etag ?? undefined,
      retrievedAt: seconds(row.retrievedAt),
      freshUntil: seconds(row.freshUntil),
      expiresAt: seconds(row.expiresAt),
    };
  }

  /** A node that retrieved earlier does not overwrite what another retrieved later, nor undo its removal. */
  async write({ issuer, subject }: RetrievedStatementName, statement: RetrievedStatement): Promise<void> {
    const row = {
      ...{ issuer, subject },
      jwt: statement.jwt,
      etag: statement.etag ?? null,
      retrievedAt: date(statement.retrievedAt),
      freshUntil: date(statement.freshUntil),
      expiresAt: date(statement.expiresAt),
    };
    const { jwt, retrievedAt } = retrievedStatements;
    await this.#db
      .insert(retrievedStatements)
      .values({ name: keyOf({ issuer, subject }), ...row })
      .onConflictDoUpdate({
        target: retrievedStatements.name,
        set: row,
        setWhere: sql`${retrievedAt} < excluded.retrieved_at
          or ${retrievedAt} = excluded.retrieved_at and ${jwt} <> ${REMOVED}`,
      });
  }

  /** What was retrieved later stays. */
  async remove(name: RetrievedStatementName, { removedAt, forgettableAt }: RetrievedStatementRemoval): Promise<void> {
    const row = {
      ...{ issuer: '', subject: '', jwt: REMOVED, etag: null },
      retrievedAt: date(removedAt),
      freshUntil: date(removedAt),
      expiresAt: date(forgettableAt),
    };
    await this.#db
      .insert(retrievedStatements)
      .values({ name: keyOf(name), ...row })
      .onConflictDoUpdate({
        target: retrievedStatements.name,
        set: row,
        setWhere: sql`${retrievedStatements.retrievedAt} <= excluded.retrieved_at`,
      });
  }
}

const statementQuery = composedOnce((db) =>
  db
    .select()
    .from(retrievedStatements)
    .where(eq(retrievedStatements.name, sql.placeholder('name')))
    .prepare('read_retrieved_statement'),
);

/** Deletes what has expired, and the oldest beyond the bytes kept. */
export async function pruneRetrievedStatements(db: Db, now: Date, maxBytes = MAX_RETRIEVED_BYTES): Promise<void> {
  await db.delete(retrievedStatements).where(lt(retrievedStatements.expiresAt, now));
  const { name, jwt, retrievedAt } = retrievedStatements;
  const bytes = sql`case ${jwt} when ${REMOVED} then ${REMOVED_BYTES}::int else octet_length(${jwt}) end`;
  const total = sql<number>`sum(${bytes}) over (order by ${retrievedAt} desc, ${name})`.as('total');
  const running = db.select({ name, total }).from(retrievedStatements).as('running');
  const surplus = db.select({ name: running.name }).from(running).where(gt(running.total, maxBytes));
  await db.delete(retrievedStatements).where(inArray(name, surplus));
}

/** Identifiers contain no spaces. */
function keyOf({ issuer, subject }: RetrievedStatementName): string {
  return createHash('sha256').update(`${issuer} ${subject}`).digest('base64url');
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function date(seconds: number): Date {
  return new Date(seconds * 1000);
}
