/** A database that has come as far as a test wants: to see what a migration makes of rows from before it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { MIGRATIONS_FOLDER } from '../../src/storage/migrate.ts';
import {
  createEmptyEmbeddedDatabase,
  createEmptyPostgresqlDatabase,
  type DATABASE_KINDS,
  type TestDatabase,
} from './databases.ts';

const TAGS = readdirSync(MIGRATIONS_FOLDER)
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.slice(0, -'.sql'.length))
  .sort();

export interface MigratingDatabase extends AsyncDisposable {
  db: TestDatabase['db'];
  /** Runs these migrations, such as `0001_registry`. */
  apply(...tags: string[]): Promise<void>;
  /** Runs all before this one. */
  applyBefore(tag: string): Promise<void>;
}

/** An empty database. */
export async function migratingDatabase(kind: (typeof DATABASE_KINDS)[number]): Promise<MigratingDatabase> {
  const database = await (kind === 'embedded' ? createEmptyEmbeddedDatabase() : createEmptyPostgresqlDatabase());
  const apply = async (...tags: string[]) => {
    for (const tag of tags) {
      const text = readFileSync(join(MIGRATIONS_FOLDER, `${tag}.sql`), 'utf8');
      for (const statement of text.split('--> statement-breakpoint')) await database.db.execute(sql.raw(statement));
    }
  };
  return {
    db: database.db,
    apply,
    applyBefore: (before) => apply(...TAGS.filter((tag) => tag < before)),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
