import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { connectDatabase } from '../../src/storage/connect.ts';
import { MIGRATIONS_FOLDER, migrateDatabase, pendingMigrations } from '../../src/storage/migrate.ts';
import {
  createEmptyEmbeddedDatabase,
  createEmptyPostgresqlDatabase,
  createTestDatabase,
  DATABASE_KINDS,
} from '../support/databases.ts';

const CREATE_EMPTY = { embedded: createEmptyEmbeddedDatabase, postgresql: createEmptyPostgresqlDatabase };

const journal: { entries: { idx: number; when: number; tag: string }[] } = JSON.parse(
  readFileSync(join(MIGRATIONS_FOLDER, 'meta/_journal.json'), 'utf8'),
);
const tags = journal.entries.map(({ tag }) => tag);

describe('the journal', () => {
  it('lists every SQL file, in order of number and time', () => {
    const files = readdirSync(MIGRATIONS_FOLDER).filter((name) => name.endsWith('.sql'));
    expect(files.sort()).toEqual(tags.map((tag) => `${tag}.sql`));
    expect(journal.entries.map(({ idx }) => idx)).toEqual(tags.map((_, index) => index));
    const times = journal.entries.map(({ when }) => when);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  });
});

describe.each(DATABASE_KINDS)('migrations on %s', (kind) => {
  it('applies everything to an empty database, then nothing more', async () => {
    await using database = await CREATE_EMPTY[kind]();
    expect(await pendingMigrations(database)).toEqual(tags);
    expect(await migrateDatabase(database)).toEqual({ applied: tags });
    expect(await pendingMigrations(database)).toEqual([]);
    expect(await migrateDatabase(database)).toEqual({ applied: [] });
  });

  it('leaves migrations alone that only a newer program knows', async () => {
    await using database = await createTestDatabase(kind);
    const newer = sql`INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('newer', 9999999999999)`;
    await database.asOwner((db) => db.execute(newer));
    expect(await pendingMigrations(database)).toEqual([]);
    expect(await migrateDatabase(database)).toEqual({ applied: [] });
  });

  it('refuses a migration that was changed after it had been applied', async () => {
    await using database = await createTestDatabase(kind);
    const change = sql`UPDATE drizzle.__drizzle_migrations SET hash = 'of another text'`;
    await database.asOwner((db) => db.execute(change));
    const complaint = /migration 0001_registry was changed after it had been applied/;
    await expect(pendingMigrations(database)).rejects.toThrow(complaint);
    await expect(migrateDatabase(database)).rejects.toThrow(complaint);
  });

  it('applies all or nothing', async () => {
    await using database = await CREATE_EMPTY[kind]();
    await database.db.execute(sql`CREATE TABLE issued_statements (in_the_way text)`);
    await expect(migrateDatabase(database)).rejects.toThrow();
    const { rows } = await database.db.execute(sql`SELECT 1 FROM pg_tables WHERE tablename = 'authorities'`);
    expect(rows).toEqual([]);
    expect(await pendingMigrations(database)).toEqual(tags);
  });
});

describe('concurrent migrators', () => {
  it('apply each migration once between them', async () => {
    await using first = await createEmptyPostgresqlDatabase();
    await using second = await connectDatabase({ url: first.url ?? '', role: 'owner' });
    const results = await Promise.all([first, second, first, second].map((each) => migrateDatabase(each)));
    expect(results.flatMap(({ applied }) => applied)).toEqual(tags);
    const { rows } = await first.db.execute<{ count: string }>(
      sql`SELECT count(*) AS count FROM drizzle.__drizzle_migrations`,
    );
    expect(Number(rows[0]?.count)).toBe(tags.length);
  });
});
