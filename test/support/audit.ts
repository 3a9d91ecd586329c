/** Does to the audit what only the owner of the tables can: changes it, past the trigger that refuses to. */
import { sql } from 'drizzle-orm';
import type { Database, Db } from '../../src/storage/connect.ts';
import { audit } from '../../src/storage/schema/audit.ts';

/** Runs `use` as the owner, with the triggers of the audit disabled meanwhile. */
export async function tamper<T>(database: Database, use: (db: Db) => Promise<T>): Promise<T> {
  return await database.asOwner(async (db) => {
    await db.execute(sql`ALTER TABLE audit DISABLE TRIGGER USER`);
    try {
      return await use(db);
    } finally {
      await db.execute(sql`ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_append_only`);
      await db.execute(sql`ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_not_emptied`);
    }
  });
}

export async function emptyAudit(database: Database): Promise<void> {
  await tamper(database, (db) => db.delete(audit));
}
