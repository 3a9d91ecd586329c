/** The database of the service, opened by a command itself: to verify what the service says, or as its owner. */
import type { Database } from '../storage/connect.ts';
import { CommandError } from './command-error.ts';
import { requireEmbeddedDatabase } from './data-dir.ts';
import type { Session } from './session.ts';

/**
 * An embedded database only while the service is stopped. For its owner the login of HOLDFAST_DATABASE_OWNER_URL is
 * taken, if there is one.
 * @throws CommandError, DatabaseUnreachable
 */
export async function openOwnDatabase(
  { env }: Pick<Session, 'env'>,
  role: 'service' | 'owner' = 'service',
): Promise<Database> {
  const { loadConfig } = await import('../config/config.ts');
  const { connectDatabase } = await import('../storage/connect.ts');
  const { pendingMigrations } = await import('../storage/migrate.ts');
  const { config, secrets } = loadConfig(env);
  const { databaseUrl, databaseOwnerUrl } = secrets;
  const url = role === 'owner' ? (databaseOwnerUrl ?? databaseUrl) : databaseUrl;
  if (url === undefined) await requireEmbeddedDatabase(config.dataDir);
  await using stack = new AsyncDisposableStack();
  const options = url === undefined ? { dataDir: config.dataDir } : { url, role, maxConnections: 1 };
  const database = stack.use(await connectDatabase(options).catch(explainInUse(config.dataDir)));
  if ((await pendingMigrations(database)).length > 0) {
    throw new CommandError('refused', 'the database is not up to date', { hint: 'Run `holdfast migrate` first.' });
  }
  stack.move();
  return database;
}

/** One process at a time has an embedded database, and that is the service as a rule. */
function explainInUse(dataDir: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Error) || error.name !== 'DataDirectoryInUse') throw error;
    throw new CommandError('unreachable', `the service, or another command, has the database in ${dataDir} open`, {
      hint: 'Stop the service, repeat the command, start it again. On PostgreSQL this works while the service runs.',
      code: 'DataDirectoryInUse',
      cause: error,
    });
  };
}
