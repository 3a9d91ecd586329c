/** A kind of records that an export has and an import brings: their form, their rules, and the rows that they are. */
import { and, asc, type Column, getTableColumns, getTableName, gt, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { AnyPgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { z } from 'zod';
import type { JsonObject } from '../../federation/json.ts';
import type { StatementOptions } from '../../federation/statement/entity-statement.ts';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import type { Actor } from '../actor.ts';
import type { SubjectKind } from '../change.ts';
import type { Action } from '../events/event-types.ts';

/** In the order in which they are written: each rests on those before it. */
export const KIND_NAMES = [
  ...['authorities', 'organisations', 'contacts', 'authorisationDomains', 'roles', 'entities', 'roleAssignments'],
  ...['entityRoles', 'credentials', 'authorizationServers', 'apiResources', 'trustAnchors', 'trustListEntries'],
  ...['trustMarkTypes', 'trustMarks', 'trustMarkDelegations', 'enforcementPoints', 'tokenIssuers', 'exceptions'],
] as const;

export type KindName = (typeof KIND_NAMES)[number];

/** A record as it stands in an export: all that it says, times of our own bookkeeping aside. */
export type TransferRecord = { id: string };

/** All that a record says, by the names of its members. */
export function membersOf(record: TransferRecord): JsonObject {
  return { ...record };
}

/** Records on which others rest, as they are after the import: those of the document, and those here that it names. */
export type Known = ReadonlyMap<KindName, ReadonlyMap<string, TransferRecord>>;

/** What a record is checked against. */
export interface CheckContext extends StatementOptions {
  now: Date;
  known: Known;
}

/** How records arrive. */
export interface Arrival {
  actor: Actor;
  now: Date;
  newId: () => string;
}

/** A record that another one names. */
export interface Reference {
  kind: KindName;
  id: string;
  /** JSON Pointer within the record that names it. */
  at: string;
}

/** Some of a kind: those after an id, in the order of ids; or those with the ids. */
export type Which = { after: string | null; limit: number } | { ids: readonly string[] };

/** Rows of one table, each known by its value of the member `by`. */
export interface Rows {
  table: PgTable;
  by: string;
  rows: readonly Record<string, unknown>[];
}

export type RecordTable = PgTable & { id: AnyPgColumn };

/** Members of a record fall into those of four lists; what stands in none of them never changes and tells which it is. */
export interface RecordKind<R extends TransferRecord = TransferRecord> {
  readonly name: KindName;
  readonly subjectKind: SubjectKind;
  readonly action: Action;
  readonly table: RecordTable;
  readonly schema: z.ZodType<R>;
  /** Whatever an import may change. */
  readonly settings: readonly string[];
  /** What decides how far the record counts: only what was approved as a restore changes it. */
  readonly restored: readonly string[];
  /** What changes by its own ways alone, such as keys, and is told of only. */
  readonly kept: readonly string[];
  /**
   * What people know it by; where it has no name of its own, by those that it names.
   * @param known those of the document and those here
   */
  nameOf(record: R, known: Known): string;
  read(db: Db | Tx, which: Which): Promise<R[]>;
  /** Records that it names, of the same authority. */
  references(record: R): Reference[];
  /** The record as it arrives unless it was approved as a restore; left out where that makes no difference. */
  arriving?(record: R): R;
  /**
   * Whether a restore alone brings it: a new record that would count at once for somebody who is here and active, or that
   * takes two people.
   * @param known as it is after the import
   */
  isHeldBack?(record: R, here: Known, known: Known): boolean;
  /** @throws RegistryError for what the verbs of the registry would refuse */
  check(record: R, context: CheckContext): void | Promise<void>;
  /** Of a row: what the record says. */
  columns(record: R, context: CheckContext): Record<string, unknown> | Promise<Record<string, unknown>>;
  /** Of a new row besides: its beginning. */
  beginning?(record: R, arrival: Arrival): Record<string, unknown>;
  /** Rows of a new record in tables of its own. */
  children?(record: R, arrival: Arrival): Rows[];
}

export function references(kind: KindName, ids: readonly (string | null)[], at: string): Reference[] {
  return ids.flatMap((id, index) => (id === null ? [] : [{ kind, id, at: ids.length === 1 ? at : `${at}/${index}` }]));
}

/** Rows of a table with an id. */
export async function readRows<T extends RecordTable>(
  db: Db | Tx,
  table: T,
  which: Which,
  filter?: SQL,
): Promise<T['$inferSelect'][]> {
  const isAsked = 'ids' in which ? isAnyOf(table.id, which.ids) : which.after && gt(table.id, which.after);
  const query = db
    .select()
    .from(table as PgTable)
    .where(and(isAsked || undefined, filter))
    .orderBy(asc(table.id));
  return 'ids' in which ? await query : await query.limit(which.limit);
}

/** Rows of a table that belong to records, by whose id they do. */
export async function readChildren<T extends PgTable>(
  db: Db | Tx,
  table: T,
  { owner, order }: { owner: AnyPgColumn; order: AnyPgColumn },
  records: readonly { id: string }[],
): Promise<Map<string, T['$inferSelect'][]>> {
  const ids = records.map(({ id }) => id);
  const rows: T['$inferSelect'][] = await db
    .select()
    .from(table as PgTable)
    .where(isAnyOf(owner, ids))
    .orderBy(asc(owner), asc(order));
  const member = memberOf(table, owner);
  return Map.groupBy(rows, (row) => String(row[member]));
}

function memberOf(table: PgTable, column: Column): string {
  const found = Object.entries(getTableColumns(table)).find(([, candidate]) => candidate.name === column.name);
  if (found === undefined) throw new RangeError(`${column.name} is no column of the table`);
  return found[0];
}

const ROWS_AT_A_TIME = 1000;

/**
 * Writes rows that have the same members, many at a time, and leaves out those that another row stands against.
 * @returns those written, by their value of `returning`
 */
export async function insertRows(
  tx: Tx,
  table: PgTable,
  rows: readonly Record<string, unknown>[],
  returning: string,
): Promise<Set<string>> {
  const written = new Set<string>();
  const [first] = rows;
  if (first === undefined) return written;
  const columns = Object.entries(getTableColumns(table)).filter(([member]) => Object.hasOwn(first, member));
  const names = list(columns.map(([, { name }]) => sql.identifier(name)));
  const members = list(columns.map(([member]) => sql.identifier(member)));
  const typed = list(columns.map(([member, column]) => sql`${sql.identifier(member)} ${sql.raw(column.getSQLType())}`));
  const key = getTableColumns(table)[returning];
  if (key === undefined) throw new RangeError(`${returning} is no member of ${getTableName(table)}`);
  for (let start = 0; start < rows.length; start += ROWS_AT_A_TIME) {
    const piece = JSON.stringify(rows.slice(start, start + ROWS_AT_A_TIME));
    const result = await tx.execute<{ key: string }>(sql`
      insert into ${table} (${names})
      select ${members} from json_to_recordset(${piece}::json) as given (${typed})
      on conflict do nothing
      returning ${sql.identifier(key.name)} as key`);
    for (const row of result.rows) written.add(row.key);
  }
  return written;
}

function list(parts: readonly SQLWrapper[]): SQL {
  return sql.join([...parts], sql`, `);
}

export function iso(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

/** A record of the kind `kind` that another one names; it was looked for before. */
export function namedRecord(known: Known, kind: KindName, id: string): TransferRecord | undefined {
  return known.get(kind)?.get(id);
}

/** What people know the record by that another one names; its id where it is nowhere. */
export function nameIn(
  known: Known,
  kind: KindName,
  id: string,
  member: 'entityIdentifier' | 'legalName' | 'name',
): string {
  const record = namedRecord(known, kind, id);
  const name: unknown = record && Reflect.get(record, member);
  return typeof name === 'string' ? name : id;
}

/** Writes what a record says into its row, whose next version it is. */
export async function updateRow(
  tx: Tx,
  table: RecordTable,
  id: string,
  columns: Record<string, unknown>,
): Promise<void> {
  const said = Object.entries(getTableColumns(table)).filter(([member]) => Object.hasOwn(columns, member));
  const names = list(said.map(([, { name }]) => sql.identifier(name)));
  const members = list(said.map(([member]) => sql`given.${sql.identifier(member)}`));
  const typed = list(said.map(([member, column]) => sql`${sql.identifier(member)} ${sql.raw(column.getSQLType())}`));
  await tx.execute(sql`
    update ${table} set (${names}, version) = (
      select ${members}, ${table}.version + 1 from json_to_record(${JSON.stringify(columns)}::json) as given (${typed}))
    where id = ${id}`);
}
