/** The chain of the audit: what each row's hash is over, and the chaining of rows from before there was one. */
import { createHash } from 'node:crypto';
import { and, asc, count, eq, gt, isNull, or, type SQL, sql } from 'drizzle-orm';
import { canonicalJson, type JsonObject, type JsonValue } from '../federation/json.ts';
import type { Db } from './connect.ts';
import { audit } from './schema/audit.ts';
import { registryCounter } from './schema/registry-counter.ts';

/** A row of the audit as its hash sees it: every member but the hash, null where there is nothing. */
export type AuditContents = {
  seq: number;
  ordinal: number;
  /** ISO 8601 in UTC, to the millisecond: `2027-01-15T08:00:00.000Z`. */
  at: string;
  actor: JsonValue;
  action: string;
  authorityId: string | null;
  subjectKind: string;
  subjectId: string;
  before: JsonValue;
  after: JsonValue;
  reason: string | null;
  requestId: string | null;
};

/** Where a row stands. */
export interface AuditPlace {
  seq: number;
  ordinal: number;
}

export interface ChainedAuditRow {
  contents: AuditContents;
  hash: string;
}

/**
 * SHA-256 in base64url over the hash of the row before it (of the first row: the genesis of the deployment), a line feed,
 * and the row's contents as canonical JSON (RFC 8785).
 */
export function hashAuditRow(previousHash: string, contents: AuditContents): string {
  return createHash('sha256')
    .update(`${previousHash}\n${canonicalJson(contents)}`)
    .digest('base64url');
}

type NewAuditRow = Omit<typeof audit.$inferInsert, 'hash'>;

/** What the database will hold of a row that is about to be written. */
export function auditContents(row: NewAuditRow): AuditContents {
  return {
    seq: row.seq,
    ordinal: row.ordinal,
    at: row.at.toISOString(),
    actor: asStored(row.actor),
    action: row.action.toWellFormed(),
    authorityId: row.authorityId ?? null,
    subjectKind: row.subjectKind.toWellFormed(),
    subjectId: row.subjectId.toWellFormed(),
    before: asStored(row.before),
    after: asStored(row.after),
    reason: row.reason?.toWellFormed() ?? null,
    requestId: row.requestId?.toWellFormed() ?? null,
  };
}

function asStored(value: JsonObject | null | undefined): JsonValue {
  return value === undefined || value === null ? null : JSON.parse(JSON.stringify(value));
}

/** Columns in the spelling that the database has, of which drivers would round times and numbers. */
const AS_SPELT = {
  seq: audit.seq,
  ordinal: audit.ordinal,
  at: sql<string>`to_char(${audit.at} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,
  actor: sql<string>`${audit.actor}::text`,
  action: audit.action,
  authorityId: sql<string | null>`${audit.authorityId}::text`,
  subjectKind: audit.subjectKind,
  subjectId: audit.subjectId,
  before: sql<string | null>`${audit.before}::text`,
  after: sql<string | null>`${audit.after}::text`,
  reason: audit.reason,
  requestId: audit.requestId,
  hash: sql<string | null>`${audit.hash}`,
};

/** Up to `limit` rows after a place, in the order of the chain. */
export async function readAuditRows(db: Db, after: AuditPlace | undefined, limit: number): Promise<ChainedAuditRow[]> {
  const rows = await db
    .select(AS_SPELT)
    .from(audit)
    .where(after && isAfter(after))
    .orderBy(asc(audit.seq), asc(audit.ordinal))
    .limit(limit);
  return rows.map(({ hash, at, actor, before, after: state, ...rest }) => ({
    contents: {
      ...rest,
      at: at.replace(/(\.\d{3})000Z$/, '$1Z'),
      actor: parseSpelt(actor),
      before: parseSpelt(before),
      after: parseSpelt(state),
    },
    hash: hash ?? '',
  }));
}

export function isAfter({ seq, ordinal }: AuditPlace): SQL | undefined {
  return or(gt(audit.seq, seq), and(eq(audit.seq, sql`${seq}`), gt(audit.ordinal, ordinal)));
}

function parseSpelt(text: string | null): JsonValue {
  return text === null ? null : parseStoredJson(text);
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|(-?\d[\d.eE+-]*)/g;

/**
 * The value of JSON that we wrote. A number that we would have written in another way, one with more digits than a
 * double has for example, is nothing of ours: then the value is the text itself, which no hash of ours is over.
 */
export function parseStoredJson(text: string): JsonValue {
  for (const [, number] of text.matchAll(STRING_OR_NUMBER)) {
    if (number !== undefined && !isOurSpelling(number)) return text;
  }
  return JSON.parse(text);
}

function isOurSpelling(number: string): boolean {
  const ours = JSON.stringify(Number(number));
  return number === ours || number === withoutExponent(ours);
}

/** `1e+21` as the database spells it: with all its digits. */
function withoutExponent(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(number) ?? [];
  if (exponent === undefined) return number;
  const places = Number(exponent);
  const digits = places > 0 ? whole + fraction.padEnd(places, '0') : `0.${'0'.repeat(-places - 1)}${whole}${fraction}`;
  return sign + digits;
}

/** How the chain ends, as the counter says; the hash is undefined while older rows are not chained. */
export async function readAuditEnd(
  db: Db,
): Promise<{ seq: number; genesis: string; hash: string | undefined; rows: number }> {
  const [counter] = await db.select().from(registryCounter).where(eq(registryCounter.id, 1));
  if (counter === undefined) throw new Error('the registry counter is missing; restore the database');
  const { seq, auditGenesis, auditHash, auditRows } = counter;
  return { seq, genesis: auditGenesis, hash: auditHash ?? undefined, rows: auditRows };
}

/** Rows that are chained in one transaction. */
const BATCH_SIZE = 1_000;
/** Chained rows from one word about it to the next. */
const PROGRESS_EVERY = 100_000;

/**
 * Chains the rows from before there was a chain, once, as the owner of the tables. What is done stays done if it breaks
 * off. Nodes of the version before go on to add rows meanwhile; from the end on the database refuses theirs, which
 * have no hash.
 * @param lock taken in each transaction, so that two migrators follow one another
 * @param onProgress is told how many rows were chained, each time that it is another 100,000
 */
export async function chainEarlierRows(db: Db, lock: SQL, onProgress?: (rows: number) => void): Promise<void> {
  const start = await readAuditEnd(db);
  if (start.hash !== undefined) return;
  let last = await lastChainedRow(db, start.genesis);
  let rows = 0;
  for (let isDone = false; !isDone; ) {
    isDone = await db.transaction(async (tx) => {
      await tx.execute(lock);
      const batch = await chainBatch(tx, last);
      last = batch.last;
      rows += batch.size;
      if (batch.size === BATCH_SIZE) return false;
      await closeChain(tx, last);
      return true;
    });
    if (!isDone && rows % PROGRESS_EVERY === 0) onProgress?.(rows);
  }
}

interface LastRow extends AuditPlace {
  hash: string;
}

async function lastChainedRow(db: Db, genesis: string): Promise<LastRow> {
  const [first] = await db
    .select({ seq: audit.seq, ordinal: audit.ordinal })
    .from(audit)
    .where(isNull(audit.hash))
    .orderBy(asc(audit.seq), asc(audit.ordinal))
    .limit(1);
  const beforeFirst = first && sql`(${audit.seq}, ${audit.ordinal}) < (${first.seq}, ${first.ordinal})`;
  const [row] = await db
    .select({ seq: audit.seq, ordinal: audit.ordinal, hash: audit.hash })
    .from(audit)
    .where(beforeFirst)
    .orderBy(sql`${audit.seq} DESC, ${audit.ordinal} DESC`)
    .limit(1);
  return row ?? { seq: 0, ordinal: -1, hash: genesis };
}

async function chainBatch(tx: Db, after: LastRow): Promise<{ last: LastRow; size: number }> {
  const rows = await readAuditRows(tx, after, BATCH_SIZE);
  let last = after;
  const hashes = rows.map(({ contents }) => {
    const { seq, ordinal } = contents;
    last = { seq, ordinal, hash: hashAuditRow(last.hash, contents) };
    return last;
  });
  await tx.execute(sql`
    UPDATE audit SET hash = made.hash
    FROM jsonb_to_recordset(${JSON.stringify(hashes)}::jsonb) AS made(seq bigint, ordinal integer, hash text)
    WHERE audit.seq = made.seq AND audit.ordinal = made.ordinal AND audit.hash IS NULL`);
  return { last, size: rows.length };
}

/** Whoever changes the registry holds the counter; once we have it nobody adds rows until the commit. */
async function closeChain(tx: Db, after: LastRow): Promise<void> {
  await tx.execute(sql`SELECT seq FROM registry_counter WHERE id = 1 FOR UPDATE`);
  let { last, size } = await chainBatch(tx, after);
  while (size === BATCH_SIZE) ({ last, size } = await chainBatch(tx, last));
  const [counted] = await tx.select({ rows: count() }).from(audit);
  await tx
    .update(registryCounter)
    .set({ auditHash: last.hash, auditRows: counted?.rows ?? 0 })
    .where(eq(registryCounter.id, 1));
  await tx.execute(sql`ALTER TABLE audit ALTER COLUMN hash SET NOT NULL`);
}
