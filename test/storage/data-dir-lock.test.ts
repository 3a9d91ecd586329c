import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectDatabase } from '../../src/storage/connect.ts';
import { DataDirectoryInUse, lockDataDirectory } from '../../src/storage/data-dir-lock.ts';
import { migrateDatabase, pendingMigrations } from '../../src/storage/migrate.ts';
import { registryCounter } from '../../src/storage/schema/registry-counter.ts';
import { prepareDataDirectory } from '../support/databases.ts';

const HOLDER = join(import.meta.dirname, '../support/hold-data-directory.ts');

let folder: string;
let dataDir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-lock-'));
  dataDir = join(folder, 'state', 'data');
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  rmSync(folder, { recursive: true, force: true });
});

describe('the lock of a data directory', () => {
  it('is held by one at a time, even within a process', () => {
    const first = lockDataDirectory(dataDir);
    expect(() => lockDataDirectory(dataDir)).toThrow(DataDirectoryInUse);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    const second = lockDataDirectory(dataDir);
    expect(() => lockDataDirectory(dataDir)).toThrow(DataDirectoryInUse);
    second[Symbol.dispose]();
  });

  it('is another one for another directory', () => {
    using _first = lockDataDirectory(dataDir);
    using _second = lockDataDirectory(`${dataDir}-2`);
  });

  it('makes what it makes for the owner alone', () => {
    using _lock = lockDataDirectory(dataDir);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, 'lock')).mode & 0o777).toBe(0o600);
  });

  it('passes on what else keeps the lock file from being opened', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => lockDataDirectory(join(file, 'data'))).toThrow(/ENOTDIR/);
    mkdirSync(join(dataDir, 'lock'), { recursive: true });
    expect(() => lockDataDirectory(dataDir)).toThrow(/EISDIR/);
  });
});

describe('the embedded database in a data directory', () => {
  it('keeps its rows, and frees the directory when disposed of', async () => {
    {
      await using database = await connectDatabase({ dataDir });
      await migrateDatabase(database);
      await database.db.update(registryCounter).set({ seq: 7 });
      await expect(connectDatabase({ dataDir })).rejects.toThrow(DataDirectoryInUse);
    }
    expect(statSync(join(dataDir, 'database')).mode & 0o777).toBe(0o700);
    await using again = await connectDatabase({ dataDir });
    expect(await pendingMigrations(again)).toEqual([]);
    expect(await again.db.select().from(registryCounter).where(eq(registryCounter.id, 1))).toMatchObject([
      { id: 1, seq: 7 },
    ]);
  });

  it('frees the directory when the database cannot be opened', async () => {
    const blocked = join(folder, 'blocked');
    lockDataDirectory(blocked)[Symbol.dispose]();
    writeFileSync(join(blocked, 'database'), 'a file where a folder should be');
    await expect(connectDatabase({ dataDir: blocked })).rejects.toThrow(/EEXIST/);
    lockDataDirectory(blocked)[Symbol.dispose]();
  });

  it('refuses a second process with a message, and opens at once after kill -9 of the first', async () => {
    await prepareDataDirectory(dataDir);
    const first = holder();
    expect(await firstLine(first)).toBe('open');

    const second = holder();
    const [complaint, [code]] = await Promise.all([text(second.stderr), once(second, 'exit')]);
    expect(complaint).toMatch(
      /^DataDirectoryInUse: the data directory \S+ is in use by another process: stop that one/,
    );
    expect(complaint).toContain(dataDir);
    expect(code).toBe(1);

    await kill(first);
    const third = holder();
    expect(await firstLine(third)).toBe('open');
  });
});

type Holder = ReturnType<typeof holder>;

function holder() {
  const child = spawn(process.execPath, [HOLDER, dataDir], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

async function firstLine(child: Holder): Promise<string> {
  for await (const chunk of child.stdout) return String(chunk).trim();
  throw new Error(`ended without a word: ${await text(child.stderr)}`);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
