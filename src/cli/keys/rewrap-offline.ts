/** Changes the master key on the database itself, while no service runs. */
import { hostname, userInfo } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import type { Config, Secrets } from '../../config/config.ts';
import type { Algorithm } from '../../federation/signature.ts';
import type { Actor } from '../../registry/actor.ts';
import type { ChangeContext } from '../../registry/change.ts';
import { createRecordIds } from '../../registry/record-id.ts';
import { rewrapAuthorityKeys } from '../../registry/rewrap-authority-keys.ts';
import { openClientSecret, sealClientSecret } from '../../signer/client-secrets.ts';
import { makeMasterKeyCheck, masterKeyMatches } from '../../signer/master-key-check.ts';
import { ensureMasterKeyFile, parseMasterKey, readMasterKeyFile } from '../../signer/master-key-file.ts';
import type { MasterKey } from '../../signer/sealing.ts';
import { createSigner } from '../../signer/signer.ts';
import { openWebhookSecret, sealWebhookSecret } from '../../signer/webhook-secrets.ts';
import { connectDatabase, type Database } from '../../storage/connect.ts';
import { pendingMigrations } from '../../storage/migrate.ts';
import { CommandError } from '../command-error.ts';
import { requireEmbeddedDatabase } from '../data-dir.ts';
import { causeText } from '../input-file.ts';

export interface OfflineRewrap {
  config: Config;
  secrets: Secrets;
  /** Absolute path; the file is made if there is none. */
  newMasterKeyFile: string;
}

/**
 * Opens the database alone and seals every key under the new master key.
 * @throws CommandError, DatabaseUnreachable, DataDirectoryInUse, RegistryError
 */
export async function rewrapOffline({ config, secrets, newMasterKeyFile }: OfflineRewrap): Promise<{
  rewrapped: number;
  madeNewMasterKey: boolean;
}> {
  await using database = await openForAlone(config, secrets);
  const present = await openPresentMasterKey(config, secrets);
  const { masterKey: next, isNew } = await mendable(newMasterKeyFile, () => ensureMasterKeyFile(newMasterKeyFile));
  if (masterKeyMatches(present, makeMasterKeyCheck(next))) {
    throw new CommandError('usage', `${newMasterKeyFile} holds the present master key; name another file`);
  }
  return { ...(await rewrap(database, present, next)), madeNewMasterKey: isNew };
}

async function rewrap(database: Database, present: MasterKey, next: MasterKey): Promise<{ rewrapped: number }> {
  const signer = createSigner(present);
  return await rewrapAuthorityKeys(changeContext(database), {
    isPresentCheck: (check) => masterKeyMatches(present, check),
    newCheck: makeMasterKeyCheck(next),
    rewrap: ({ alg, ...key }) => signer.rewrap({ ...key, alg: alg as Algorithm }, next),
    rewrapClientSecret: (sealed, place) => sealClientSecret(next, openClientSecret(present, sealed, place), place),
    rewrapWebhookSecret: (sealed, id) => sealWebhookSecret(next, openWebhookSecret(present, sealed, id), id),
  });
}

/** Whoever can open the database and the master key is the operator. */
function changeContext({ db }: Database): ChangeContext {
  const now = new Date();
  const actor: Actor = {
    kind: 'operator',
    id: 'operator',
    name: operatorName(),
    roles: ['admin'],
    authorities: 'all',
    organisations: 'all',
  };
  const newId = createRecordIds(() => now.getTime());
  return { db, actor, now, requestId: null, newId, allowHttp: false, committed: async () => {} };
}

function operatorName(): string {
  try {
    return `${userInfo().username} on ${hostname()}`;
  } catch {
    // In a container the user may have a number only.
    return `user ${process.getuid?.() ?? 'unknown'} on ${hostname()}`;
  }
}

/** Opens the database, unless another process works with it. @throws CommandError unreachable, refused */
async function openForAlone({ dataDir }: Config, { databaseUrl }: Secrets): Promise<Database> {
  if (databaseUrl === undefined) await requireEmbeddedDatabase(dataDir);
  await using stack = new AsyncDisposableStack();
  const database = stack.use(
    await connectDatabase(databaseUrl === undefined ? { dataDir } : { url: databaseUrl, maxConnections: 1 }),
  );
  if ((await pendingMigrations(database)).length > 0) {
    throw new CommandError('refused', 'the database is not up to date', { hint: 'Run `holdfast migrate` first.' });
  }
  const others = database.kind === 'postgresql' ? await otherConnections(database) : 0;
  if (others > 0) {
    throw new CommandError('refused', `${others} other connections of holdfast to this database are open`, {
      hint: 'Stop every node of the service first: a running one would go on to use the old master key.',
      code: 'service_running',
    });
  }
  stack.move();
  return database;
}

/** Connections to this database that call themselves holdfast, but this one. */
async function otherConnections({ db }: Database): Promise<number> {
  const { rows } = await db.execute<{ others: string | number }>(sql`
    SELECT count(*) AS others FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'holdfast' AND pid <> pg_backend_pid()`);
  return Number(rows[0]?.others ?? 0);
}

async function openPresentMasterKey({ masterKeyFile, dataDir }: Config, { masterKey }: Secrets): Promise<MasterKey> {
  if (masterKey !== undefined) {
    return await mendable('HOLDFAST_MASTER_KEY', () => parseMasterKey(masterKey, 'HOLDFAST_MASTER_KEY'));
  }
  const file = path.resolve(masterKeyFile ?? path.join(dataDir, 'master-key'));
  return await mendable(file, () => readMasterKeyFile(file));
}

/** What is wrong with a file that the operator named is for the operator to mend. */
async function mendable<T>(origin: string, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const isSystemError = error instanceof Error && 'code' in error;
    const complaint = isSystemError ? `cannot use the master key in ${origin}: ${causeText(error)}` : String(error);
    throw new CommandError('usage', complaint.replace(/^Error: /, ''), { code: 'master_key_unusable', cause: error });
  }
}
