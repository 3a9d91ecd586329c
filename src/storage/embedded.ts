/** The embedded database: PostgreSQL within this process (PGlite), in a data directory or in memory. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/pglite';
import type { Database, Db, EmbeddedOptions } from './connect.ts';
import { lockDataDirectory } from './data-dir-lock.ts';
import { findServiceRole } from './service-role.ts';

/** Begun by itself on the one connection, a transaction that failed would have others' statements in it. */
const WHOLE_TRANSACTION = /^\s*BEGIN;(.*)COMMIT;\s*$/s;

const IN_MEMORY = 'memory://';

/**
 * @param snapshot a dump of another embedded database to begin with
 * @throws DataDirectoryInUse
 */
export async function openEmbedded({ dataDir }: EmbeddedOptions, snapshot?: Blob): Promise<Database> {
  const lock = dataDir === IN_MEMORY ? undefined : lockDataDirectory(dataDir);
  try {
    const client = await PGlite.create({
      dataDir: lock === undefined ? IN_MEMORY : databaseDirectory(dataDir),
      ...(snapshot === undefined ? {} : { loadDataDir: snapshot }),
    });
    const opened = database(client, lock);
    await becomeService(opened.db);
    return opened;
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw error;
  }
}

/** The files within are readable to all by their own mode; the directory keeps others out. */
function databaseDirectory(dataDir: string): string {
  const path = join(dataDir, 'database');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

/** A database without the role is empty, or from before there was one: its owner migrates it first. */
async function becomeService(db: Db): Promise<void> {
  const role = await findServiceRole(db);
  if (role !== undefined) await db.execute(sql`SET ROLE ${sql.identifier(role)}`);
}

function database(client: PGlite, lock: Disposable | undefined): Database {
  const db: Db = drizzle({ client });
  let closed: Promise<void> | undefined;
  return {
    kind: 'embedded',
    db,
    feedDb: db,
    async executeJobSql(text, values = []) {
      if (values.length > 0) return await client.query(text, values);
      const inTransaction = WHOLE_TRANSACTION.exec(text)?.[1];
      const results = await (inTransaction === undefined
        ? client.exec(text)
        : client.transaction((tx) => tx.exec(inTransaction)));
      return { rows: results.flatMap(({ rows }) => rows) };
    },
    async listen(channel, onNotification) {
      // Unquoted, the name would be folded to lower case. The function that listen() returns forgets the quotes.
      const quoted = `"${channel}"`;
      const listener = (payload: string) => onNotification(payload);
      await client.listen(quoted, listener);
      return async () => {
        if (!client.closed) await client.unlisten(quoted, listener);
      };
    },
    async asOwner(use) {
      await db.execute(sql`SET ROLE NONE`);
      try {
        return await use(db);
      } finally {
        await becomeService(db);
      }
    },
    async [Symbol.asyncDispose]() {
      closed ??= client.close().finally(() => lock?.[Symbol.dispose]());
      await closed;
    },
  };
}
