/** The database, PostgreSQL or embedded, behind one type: whoever holds a `Db` cannot tell which it is. */
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { openEmbedded } from './embedded.ts';
import { openPostgresql } from './postgresql.ts';

/** What `db.execute` gives on both drivers. A bigint in a raw row is a string on one of them: put `Number()` around it. */
interface RawResult<Row> {
  rows: Row[];
}

interface RawQueryResult extends PgQueryResultHKT {
  readonly type: RawResult<this['row']>;
}

/** Where queries run, outside or inside a transaction. */
export type Db = PgDatabase<RawQueryResult>;

/**
 * An open transaction. The embedded database has one connection: inside `db.transaction` use `tx` alone, a query on
 * `db` would wait for the transaction it is awaited in.
 */
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0];

export interface Database {
  readonly kind: 'embedded' | 'postgresql';
  /** Works as the role of the service, see service-role.ts, unless it was opened for the owner. */
  readonly db: Db;
  /** The same for the change feed alone, so that it never waits behind requests (embedded: there is one connection). */
  readonly feedDb: Db;
  /** Of the pool behind `db`, now; undefined where there is one connection and no pool. */
  connections?(): PoolLoad;
  /**
   * Runs SQL as the library has it that keeps the queue of jobs: one statement with its values, or several, in a
   * transaction if they begin one. On connections of its own, two at most (embedded: there is one connection).
   */
  executeJobSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
  /**
   * Calls `onNotification` for every NOTIFY on `channel` until the returned function is called. Notifications sent
   * while the connection is down are lost, so they may only hasten what polling would find.
   */
  listen(channel: string, onNotification: (payload: string) => void): Promise<() => Promise<void>>;
  /**
   * Runs `use` as the owner of the tables, on a connection of its own without limits of time. The embedded database has
   * one connection: nothing else may run meanwhile. On PostgreSQL the login must be the owner.
   */
  asOwner<T>(use: (db: Db) => Promise<T>): Promise<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface PoolLoad {
  most: number;
  busy: number;
  idle: number;
  /** Who waits for a connection. */
  waiting: number;
}

export type DatabaseOptions = PostgresqlOptions | EmbeddedOptions;

export interface PostgresqlOptions {
  /** `postgresql://user:password@host:port/database`. */
  url: string;
  /** The owner makes and changes tables, the service works with them; the service unless given. */
  role?: 'service' | 'owner';
  /** Most connections at a time, LISTEN and migrations aside; 10 unless given. */
  maxConnections?: number;
}

export interface EmbeddedOptions {
  /** The data directory, made if missing; `memory://` keeps everything in memory. */
  dataDir: string;
}

/**
 * Opens the database and makes sure that it answers. The schema is left alone: see migrate.ts.
 * @throws DatabaseUnreachable, DataDirectoryInUse
 */
export async function connectDatabase(options: DatabaseOptions): Promise<Database> {
  return 'url' in options ? await openPostgresql(options) : await openEmbedded(options);
}
