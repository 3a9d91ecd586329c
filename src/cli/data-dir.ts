/** The data directory of the service, for commands that run beside it on the same machine. */
import path from 'node:path';

const DEFAULT_DATA_DIR = './data';

/** A file in the data directory, as the service names it. */
export function dataDirFile(env: Readonly<Record<string, string | undefined>>, name: string): string {
  return path.join(env['HOLDFAST_DATA_DIR'] || DEFAULT_DATA_DIR, name);
}
