/** The file that holds the master key: made once with mode 0600, 32 random bytes in base64url. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MasterKey } from './sealing.ts';

/** A group may read it (so do secrets mounted for a service), others may not. */
const OTHERS_MAY_ACCESS = 0o027;

/** @throws Error with what to mend: no such file, readable by everybody, or not 32 bytes in base64url */
export async function readMasterKeyFile(file: string): Promise<MasterKey> {
  return parseMasterKey(await readSecretFile(file, 'master key'), file);
}

/**
 * What a file holds that only the service, and its group, may read.
 * @throws Error with what to mend
 */
export async function readSecretFile(file: string, what: string): Promise<string> {
  const { mode } = await stat(file);
  if ((mode & OTHERS_MAY_ACCESS) !== 0) {
    throw new Error(`the ${what} file ${file} is open to every user of this machine; run: chmod 600 ${file}`);
  }
  return await readFile(file, 'utf8');
}

/** @throws Error naming where the value came from, never the value */
export function parseMasterKey(text: string, origin: string): MasterKey {
  const encoded = text.trim();
  if (!/^[A-Za-z0-9_-]{43}$/.test(encoded)) {
    throw new Error(`${origin} must hold a master key: 32 bytes in base64url, 43 characters`);
  }
  return new MasterKey(Buffer.from(encoded, 'base64url'));
}

/**
 * Makes the file if there is none, complete before it appears under its name; when two processes do so at once, both
 * read the one that came first.
 */
export async function ensureMasterKeyFile(file: string): Promise<{ masterKey: MasterKey; isNew: boolean }> {
  const isNew = await createMasterKeyFile(file);
  return { masterKey: await readMasterKeyFile(file), isNew };
}

/** @returns false when the file is there already; it is never overwritten, and its folder need not be writable then */
export async function createMasterKeyFile(file: string): Promise<boolean> {
  if (existsSync(file)) return false;
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(draft, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600, flush: true });
    await link(draft, file);
    await syncFolder(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Without it a power failure could take the file's name, while what it sealed is in the database already. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
