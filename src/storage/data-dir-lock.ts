/** The lock that lets one process alone use a data directory: two would overwrite each other's rows without an error. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;

/** Another process, or another part of this one, has the data directory open. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';

  constructor(dataDir: string) {
    super(
      `the data directory ${dataDir} is in use by another process: stop that one first, ` +
        'or give this one a directory of its own (HOLDFAST_DATA_DIR); to run several at once, use PostgreSQL',
    );
  }
}

/**
 * Makes the directory if it is missing and locks it. SQLite keeps the lock as one of the operating system's on the
 * open file `lock`, so it ends with the process, however that ends. Not for network file systems.
 * @throws DataDirectoryInUse at once, without waiting
 */
export function lockDataDirectory(dataDir: string): Disposable {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'lock');
  closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    throw isBusy(error) ? new DataDirectoryInUse(dataDir) : error;
  }
  return {
    [Symbol.dispose]() {
      if (lock.isOpen) lock.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
