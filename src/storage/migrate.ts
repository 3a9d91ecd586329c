/** Brings the schema up to date: forward-only SQL files of /drizzle, recorded in drizzle's own table; then its grants. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import { chainEarlierRows, readAuditEnd } from './audit-chain.ts';
import type { Database, Db } from './connect.ts';
import { prepareServiceRole } from './service-role.ts';

export const MIGRATIONS_FOLDER = join(import.meta.dirname, '../../drizzle');

/** Any number will do, as long as every version of this program takes the same. */
const MIGRATION_LOCK = 5_823_175_941_906;
const TAKE_LOCK = sql`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`;

/** Is complete when the rows from before it are chained as well. */
const AUDIT_CHAIN = '0017_audit_chain';

interface Migration extends MigrationMeta {
  /** File name without `.sql`, such as `0001_registry`. */
  tag: string;
}

export interface MigrationOptions {
  /** Whose connections work as the service, if it is not the login that migrates. */
  serviceLogin?: string;
  /** Is told now and then how many rows of the audit were chained: there may be many. */
  onChained?: (rows: number) => void;
}

/**
 * Applies what is missing, all in one transaction: everything or nothing. Migrators on other nodes wait for it and
 * then find nothing left to do. Migrations that this program does not know are left alone: old code runs on a newer
 * schema. The service's role is made and given its rights each time: neither is part of every backup.
 * @throws ServiceRoleMissing
 */
export async function migrateDatabase(
  database: Database,
  { serviceLogin, onChained }: MigrationOptions = {},
): Promise<{ applied: string[] }> {
  const migrations = readMigrations();
  const applied = await database.asOwner(async (db) => {
    const missing = await db.transaction(async (tx) => {
      await tx.execute(TAKE_LOCK);
      await tx.execute(sql`CREATE SCHEMA IF NOT EXISTS drizzle`);
      await tx.execute(sql`
        CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations (
          id serial PRIMARY KEY,
          hash text NOT NULL,
          created_at bigint
        )`);
      const missing = await unrecorded(tx, migrations);
      for (const migration of missing) await apply(tx, migration);
      await prepareServiceRole(tx, serviceLogin);
      return missing;
    });
    await chainEarlierRows(db, TAKE_LOCK, onChained);
    return missing;
  });
  return { applied: applied.map(({ tag }) => tag) };
}

/** Tags of the migrations that `migrateDatabase` would apply or finish, in their order. */
export async function pendingMigrations({ db }: Database): Promise<string[]> {
  const migrations = readMigrations();
  // The record is hidden from the service until the rights are granted with which migrating ends.
  const { rows } = await db.execute<{ readable: boolean | null }>(sql`
    SELECT has_table_privilege(pg_class.oid, 'SELECT') AND has_schema_privilege(relnamespace, 'USAGE') AS readable
    FROM pg_class WHERE relname = '__drizzle_migrations' AND relnamespace = (
      SELECT oid FROM pg_namespace WHERE nspname = 'drizzle')`);
  const pending = rows[0]?.readable === true ? await unrecorded(db, migrations) : migrations;
  if (pending.length > 0) return pending.map(({ tag }) => tag);
  return (await readAuditEnd(db)).hash === undefined ? [AUDIT_CHAIN] : [];
}

async function unrecorded(db: Db, migrations: Migration[]): Promise<Migration[]> {
  const { rows } = await db.execute<{ hash: string; created_at: string | number }>(
    sql`SELECT hash, created_at FROM drizzle.__drizzle_migrations`,
  );
  const recorded = new Map(rows.map((row) => [Number(row.created_at), row.hash]));
  return migrations.filter((migration) => {
    const hash = recorded.get(migration.folderMillis);
    if (hash !== undefined && hash !== migration.hash) {
      throw new Error(
        `migration ${migration.tag} was changed after it had been applied: restore the file and add a new migration`,
      );
    }
    return hash === undefined;
  });
}

async function apply(tx: Db, migration: Migration): Promise<void> {
  for (const statement of migration.sql) await tx.execute(sql.raw(statement));
  await tx.execute(sql`
    INSERT INTO drizzle.__drizzle_migrations (hash, created_at)
    VALUES (${migration.hash}, ${migration.folderMillis})`);
}

function readMigrations(): Migration[] {
  const journal: { entries: { tag: string }[] } = JSON.parse(
    readFileSync(join(MIGRATIONS_FOLDER, 'meta/_journal.json'), 'utf8'),
  );
  // Drizzle reads the files in the journal's order but leaves the tags out.
  return readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER }).map((meta, index) => ({
    ...meta,
    tag: journal.entries[index]?.tag ?? '',
  }));
}
