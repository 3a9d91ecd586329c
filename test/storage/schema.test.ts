import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { is, sql } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, DATABASE_KINDS, type TestDatabase } from '../support/databases.ts';

const SCHEMA_FOLDER = join(import.meta.dirname, '../../src/storage/schema');

/** Every table that a file of the schema folder exports, so that a new one is covered by itself. */
const modules = await Promise.all(
  readdirSync(SCHEMA_FOLDER).map(async (file): Promise<object> => await import(join(SCHEMA_FOLDER, file))),
);
const tables = modules
  .flatMap((module) => Object.values(module))
  .filter((value): value is PgTable => is(value, PgTable))
  .map(getTableConfig)
  .sort((a, b) => (a.name < b.name ? -1 : 1));

describe.each(DATABASE_KINDS)('the schema on %s after migrating', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(kind);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  it('has exactly the tables that the program knows', async () => {
    const { rows } = await database.db.execute<{ name: string }>(sql`
      SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`);
    expect(rows.map(({ name }) => name).sort()).toEqual(tables.map(({ name }) => name));
  });

  it.each(tables)('has the columns of $name with their types and nullability', async (table) => {
    const { rows } = await database.db.execute<{ name: string; type: string; nullable: string }>(sql`
      SELECT column_name AS name, data_type AS type, is_nullable AS nullable
      FROM information_schema.columns
      WHERE table_schema = 'public' AND table_name = ${table.name}`);
    const declared = table.columns.map((column) => ({
      name: column.name,
      type: column.getSQLType(),
      nullable: column.notNull ? 'NO' : 'YES',
    }));
    expect(byName(rows)).toEqual(byName(declared));
  });

  it.each(tables)('has the primary key of $name', async (table) => {
    const { rows } = await database.db.execute<{ name: string }>(sql`
      SELECT usage.column_name AS name
      FROM information_schema.table_constraints AS held
      JOIN information_schema.key_column_usage AS usage USING (constraint_schema, constraint_name)
      WHERE held.table_schema = 'public' AND held.table_name = ${table.name} AND held.constraint_type = 'PRIMARY KEY'
      ORDER BY usage.ordinal_position`);
    const declared = [
      ...table.columns.filter(({ primary }) => primary),
      ...table.primaryKeys.flatMap(({ columns }) => columns),
    ];
    expect(declared).not.toEqual([]);
    expect(rows.map(({ name }) => name)).toEqual(declared.map(({ name }) => name));
  });

  it.each(tables)('has the unique constraints of $name', async (table) => {
    const { rows } = await database.db.execute<{ columns: string }>(sql`
      SELECT string_agg(usage.column_name, ',' ORDER BY usage.ordinal_position) AS columns
      FROM information_schema.table_constraints AS held
      JOIN information_schema.key_column_usage AS usage USING (constraint_schema, constraint_name)
      WHERE held.table_schema = 'public' AND held.table_name = ${table.name} AND held.constraint_type = 'UNIQUE'
      GROUP BY held.constraint_name`);
    const declared = [
      ...table.columns.filter(({ isUnique }) => isUnique).map(({ name }) => name),
      ...table.uniqueConstraints.map(({ columns }) => columns.map(({ name }) => name).join(',')),
    ];
    expect(rows.map(({ columns }) => columns).sort()).toEqual(declared.sort());
  });
});

function byName<T extends { name: string }>(columns: T[]): T[] {
  return columns.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
