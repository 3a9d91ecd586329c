/** PostgreSQL: a pool with limits of time, transactions that never reuse a doubtful connection, LISTEN that reconnects. */
import { drizzle, NodePgSession, NodePgTransaction } from 'drizzle-orm/node-postgres';
import { PgDialect } from 'drizzle-orm/pg-core';
import {
  Client,
  type ClientConfig,
  escapeIdentifier,
  Pool,
  type PoolClient,
  type PoolConfig,
  type QueryResult,
} from 'pg';
import type { Database, Db, PostgresqlOptions, Tx } from './connect.ts';
import { serviceRoleOf } from './service-role.ts';
import { TimedClient } from './timed-client.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 15_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;
const TIME_LIMITS = {
  statement_timeout: STATEMENT_TIMEOUT_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
};
const KEEP_ALIVE_DELAY_MS = 10_000;
const DEFAULT_MAX_CONNECTIONS = 10;
const MAX_JOB_CONNECTIONS = 2;
const FIRST_RECONNECT_DELAY_MS = 100;
const LONGEST_RECONNECT_DELAY_MS = 5_000;

/** PostgreSQL cannot be reached or refuses us. The message names host and database, never user or password. */
export class DatabaseUnreachable extends Error {
  override readonly name = 'DatabaseUnreachable';
}

/** @throws DatabaseUnreachable */
export async function openPostgresql(options: PostgresqlOptions): Promise<Database> {
  const asLogin = connectionConfig(options.url);
  const { config, role } = options.role === 'owner' ? { config: asLogin } : await serviceConnection(options.url);
  const limited: PoolConfig = { ...config, ...TIME_LIMITS, Client: TimedClient };
  const pool = new Pool({ ...limited, max: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS });
  const feedPool = new Pool({ ...limited, max: 1 });
  // Opened when there is something to do.
  const jobPool = new Pool({ ...limited, max: MAX_JOB_CONNECTIONS });
  for (const each of [pool, feedPool, jobPool]) tolerateLostConnections(each);
  try {
    await requireRole(pool, role);
  } catch (error) {
    await Promise.all([pool.end(), feedPool.end()]);
    throw unreachable(options.url, error, role);
  }
  const subscriptions = new Set<Subscription>();
  let closed: Promise<unknown> | undefined;
  return {
    kind: 'postgresql',
    db: pooledDatabase(pool),
    feedDb: pooledDatabase(feedPool),
    connections: () => ({
      most: pool.options.max,
      busy: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    executeJobSql: (text, values) => executeSql(jobPool, text, values),
    async listen(channel, onNotification) {
      const subscription = await subscribe(limited, channel, onNotification);
      subscriptions.add(subscription);
      return async () => {
        subscriptions.delete(subscription);
        await subscription.end();
      };
    },
    asOwner: (use) =>
      withDedicatedConnection(
        () => new Client(asLogin),
        (client) => use(drizzle({ client })),
      ),
    async [Symbol.asyncDispose]() {
      closed ??= Promise.all([
        pool.end(),
        feedPool.end(),
        jobPool.end(),
        ...[...subscriptions].map((subscription) => subscription.end()),
      ]);
      await closed;
    },
  };
}

/** Times are parsed on our side: a database with another DateStyle by default must not change what we read. */
const SESSION_OPTIONS = '-c TimeZone=UTC -c DateStyle=ISO';

/** Which database this is, and the schema that the owner of the tables has them in; null before they are made. */
const PLACE = `
  SELECT current_database() AS database, (
    SELECT nspname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relname = 'registry_counter' AND relkind = 'r' AND relowner = (
      SELECT relowner FROM pg_class WHERE relname = '__drizzle_migrations' AND relnamespace = (
        SELECT oid FROM pg_namespace WHERE nspname = 'drizzle'))
    LIMIT 1) AS schema`;

/** The server itself makes each connection the service's, from its first moment on. @throws DatabaseUnreachable */
async function serviceConnection(url: string): Promise<{ config: ClientConfig; role: string }> {
  const { database, schema } = await withDedicatedConnection(
    () => new TimedClient({ ...connectionConfig(url), ...TIME_LIMITS }),
    async (client) => {
      const { rows } = await client.query<{ database: string; schema: string | null }>(PLACE);
      return rows[0] ?? { database: '', schema: null };
    },
  ).catch((error: unknown) => {
    throw unreachable(url, error);
  });
  const role = serviceRoleOf(database);
  // Where the owner's login finds its tables the role, which has another name, need not.
  const path = schema === null ? [] : [`search_path=${escapeIdentifier(schema)}`];
  return { config: connectionConfig(url, [`role=${role}`, ...path]), role };
}

/** A connection pooler may have dropped the options that make a connection the service's. */
async function requireRole(pool: Pool, role: string | undefined): Promise<void> {
  const { rows } = await pool.query<{ user: string }>('select current_user as "user"');
  if (role === undefined || rows[0]?.user === role) return;
  const way = 'connect to PostgreSQL itself, or through a pooler that passes the startup parameter `options` on';
  throw new Error(`it did not make the connection that of the role ${role}; ${way}`);
}

function connectionConfig(url: string, settings: readonly string[] = []): ClientConfig {
  if (target(url) === undefined) {
    throw new DatabaseUnreachable('the database URL is not of the form postgresql://user:password@host:port/database');
  }
  const options = [SESSION_OPTIONS, ...settings.map((setting) => `-c ${setting.replaceAll(/[\\\s]/g, '\\$&')}`)].join(
    ' ',
  );
  return {
    ...withOptions(url, options),
    application_name: 'holdfast',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
  };
}

/** What the URL itself has of options would replace ours. */
function withOptions(url: string, options: string): Pick<ClientConfig, 'connectionString' | 'options'> {
  const parsed = new URL(url);
  const own = parsed.searchParams.get('options');
  if (own === null) return { connectionString: url, options };
  parsed.searchParams.set('options', `${own} ${options}`);
  return { connectionString: parsed.href };
}

/**
 * A lost connection fails the query that runs on it, and the pool replaces it. The events that it emits as well would
 * end the process if nobody listened.
 */
function tolerateLostConnections(pool: Pool): void {
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
}

/**
 * A database whose transactions are ours. Drizzle's own, on a pool, never give a connection back whose BEGIN failed,
 * give one back as sound whose ROLLBACK failed, and take a COMMIT for done that the server turned into a rollback.
 */
function pooledDatabase(pool: Pool): Db {
  const db: Db = drizzle({ client: pool });
  const dialect = new PgDialect();
  db.transaction = async (run, config) => {
    const client = await pool.connect();
    const tx: Tx = new NodePgTransaction(dialect, new NodePgSession(client, dialect, undefined), undefined);
    let ended = false;
    try {
      await client.query('BEGIN');
      if (config !== undefined) await tx.setTransaction(config);
      const result = await run(tx);
      const { command } = await client.query('COMMIT');
      ended = true;
      if (command !== 'COMMIT') throw new Error('a statement failed and its error was not passed on: rolled back');
      return result;
    } catch (error) {
      ended ||= await rollBack(client);
      throw error;
    } finally {
      client.release(!ended);
    }
  };
  return db;
}

/** What failed may have begun a transaction: then the connection is given up with it. */
async function executeSql(pool: Pool, text: string, values: unknown[] = []): Promise<{ rows: unknown[] }> {
  const client = await pool.connect();
  let hasFailed = true;
  try {
    // Several statements have several results.
    const results: QueryResult | QueryResult[] = await client.query(text, values);
    hasFailed = false;
    return Array.isArray(results) ? { rows: results.flatMap(({ rows }) => rows) } : results;
  } finally {
    client.release(hasFailed);
  }
}

/** Whether the connection is known to be outside a transaction again. */
async function rollBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false;
  }
}

async function withDedicatedConnection<T>(open: () => Client, use: (client: Client) => Promise<T>): Promise<T> {
  const client = open();
  client.on('error', () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end();
  }
}

interface Subscription {
  end(): Promise<void>;
}

/** Listens on a connection of its own, and on another one whenever that is lost. */
async function subscribe(
  config: ClientConfig,
  channel: string,
  onNotification: (payload: string) => void,
): Promise<Subscription> {
  let current: Client;
  let ended = false;
  let retry: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    const client: Client = new TimedClient(config);
    client.on('error', () => {});
    client.on('notification', (notification) => onNotification(notification.payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${escapeIdentifier(channel)}`);
    } catch (error) {
      await client.end();
      throw error;
    }
    if (ended) return await client.end();
    current = client;
    client.once('end', () => reconnect(FIRST_RECONNECT_DELAY_MS));
  }

  function reconnect(delayMs: number): void {
    if (ended) return;
    retry = setTimeout(() => {
      connect().catch(() => reconnect(Math.min(delayMs * 2, LONGEST_RECONNECT_DELAY_MS)));
    }, delayMs);
    retry.unref();
  }

  await connect();
  return {
    async end() {
      ended = true;
      clearTimeout(retry);
      await current.end();
    },
  };
}

function unreachable(url: string, error: unknown, role?: string): DatabaseUnreachable {
  return new DatabaseUnreachable(`cannot use PostgreSQL database ${target(url)}: ${reasonOf(error, url, role)}`);
}

/** `"holdfast" on db.example:5432`, or undefined if this is no database URL. */
function target(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) return undefined;
  const host = parsed.searchParams.get('host') ?? parsed.host;
  return `"${parsed.pathname.slice(1)}" on ${host === '' ? 'the local socket' : host}`;
}

const REASONS: Record<string, string> = {
  '28P01': 'user or password is wrong',
  '28000': 'the server does not admit this user from here',
  '3D000': 'the database does not exist',
  '42501': 'the user may not connect to it',
  '53300': 'the server has too many connections',
  '57P03': 'the server is starting up or shutting down',
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'the host is unknown',
};

/** The server could not make the connection the service's. */
function roleReasons(role: string): Record<string, string> {
  return {
    '22023': `there is no role ${role} yet; run \`holdfast migrate\``,
    '42501': `the user may not act as ${role}; run \`holdfast migrate\`, or have that role granted to it`,
  };
}

/** The error itself is not passed on: who logs it would log what hangs on it. */
function reasonOf(error: unknown, url: string, role: string | undefined): string {
  if (!(error instanceof Error)) return 'the connection failed';
  const code = 'code' in error ? String(error.code) : '';
  const reasons = role !== undefined && error.message.includes(role) ? roleReasons(role) : REASONS;
  const reason = reasons[code] ?? (quotesPassword(error.message, url) ? 'the connection failed' : error.message);
  return code === '' ? reason : `${reason} (${code})`;
}

function quotesPassword(message: string, url: string): boolean {
  const password = URL.parse(url)?.password ?? '';
  return password !== '' && (message.includes(password) || message.includes(decodeURIComponent(password)));
}
