/** The data directory of the service, for commands that run beside it on the same machine. */
import { access } from 'node:fs/promises';
import path from 'node:path';
import { CommandError } from './command-error.ts';

const DEFAULT_DATA_DIR = './data';

/** A file in the data directory, as the service names it. */
export function dataDirFile(env: Readonly<Record<string, string | undefined>>, name: string): string {
  return path.join(env['HOLDFAST_DATA_DIR'] || DEFAULT_DATA_DIR, name);
}

/** To open a data directory without a database would make one. @throws CommandError usage */
export async function requireEmbeddedDatabase(dataDir: string): Promise<void> {
  const exists = await access(path.join(dataDir, 'database')).then(
    () => true,
    () => false,
  );
  if (exists) return;
  throw new CommandError('usage', `there is no database in ${path.resolve(dataDir)}`, {
    hint: 'Set HOLDFAST_DATA_DIR or HOLDFAST_DATABASE_URL as for the service.',
  });
}
