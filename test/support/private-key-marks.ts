/** Looks for private keys where none may be: in files and in databases. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { MasterKey } from '../../src/signer/sealing.ts';
import type { TestDatabase } from './databases.ts';

/** What private keys look like, as bytes in latin1: to be found where they are, so that not finding them means something. */
export function privateKeyMarks(folder: string): string[] {
  const masterKey = readFileSync(path.join(folder, 'master-key'), 'latin1').trim();
  const sealed = sealedBeginning(Buffer.from(masterKey, 'base64url'));
  return [
    sealed.toString('latin1'),
    sealed.toString('hex'),
    'PRIVATE KEY',
    '"d":"',
    // PrivateKeyInfo of a P-256 key, and of an RSA key (RFC 5958).
    Buffer.from('301306072a8648ce3d020106082a8648ce3d03010704', 'hex').toString('latin1'),
    Buffer.from('300d06092a864886f70d010101050004', 'hex').toString('latin1'),
  ];
}

/** What is sealed begins with the format and the name of the master key that sealed it. */
function sealedBeginning(masterKey: Uint8Array): Buffer {
  const sealed = new MasterKey(masterKey).seal(new Uint8Array(1), { owner: '', kid: '', purpose: '' });
  return Buffer.from(sealed.subarray(0, 9));
}

/** Marks that occur in any file below a folder. */
export function marksInFiles(folder: string, marks: readonly string[]): string[] {
  const files = globSync('**/*', { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(0);
  const contents = files.map((file) => readFileSync(path.join(file.parentPath, file.name), 'latin1'));
  return marks.filter((mark) => contents.some((content) => content.includes(mark)));
}

/** Every row of every table, as text. */
export async function dumpOf({ db }: TestDatabase): Promise<string> {
  const tables = await db.execute<{ name: string }>(
    sql`SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  const dumps: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await db.execute<{ row: string }>(sql.raw(`SELECT t::text AS row FROM ${name} t`));
    dumps.push(...rows.map(({ row }) => row));
  }
  return dumps.join('\n');
}
