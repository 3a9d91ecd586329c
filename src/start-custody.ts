/** Opens what keeps private keys: the master key that they are sealed with, and the PKCS#11 token that some are in. */
import path from 'node:path';
import type { Config, Secrets } from './config/config.ts';
import type { Log } from './observability/log.ts';
import { bindMasterKey, readMasterKeyCheck } from './registry/prepare-deployment.ts';
import { CustodyUnavailable } from './signer/custody/key-custody.ts';
import { Pkcs11Custody, TokenUnusable } from './signer/custody/pkcs11/token-custody.ts';
import { makeMasterKeyCheck, masterKeyMatches } from './signer/master-key-check.ts';
import { ensureMasterKeyFile, parseMasterKey, readMasterKeyFile, readSecretFile } from './signer/master-key-file.ts';
import type { MasterKey } from './signer/sealing.ts';
import { asStartError, operatorInput, StartError } from './start-error.ts';
import type { Database } from './storage/connect.ts';

/** Where the master key is unless the environment gives it. */
export function masterKeyFile(config: Config): string {
  return path.resolve(config.masterKeyFile ?? path.join(config.dataDir, 'master-key'));
}

/** A new deployment may make its key; one that has sealed keys must be given the key that opens them. */
export async function openMasterKey(
  config: Config,
  secrets: Secrets,
  database: Database,
): Promise<{ masterKey: MasterKey; isNew: boolean }> {
  const check = await readMasterKeyCheck(database.db);
  const file = masterKeyFile(config);
  const { masterKey, isNew } = await givenMasterKey(secrets, file, check !== undefined);
  const bound = check ?? (await bindMasterKey(database.db, makeMasterKeyCheck(masterKey), new Date()));
  if (masterKeyMatches(masterKey, bound)) return { masterKey, isNew };
  throw new StartError(`the master key does not open this database's keys; give the one it was set up with (${file})`);
}

async function givenMasterKey(
  secrets: Secrets,
  file: string,
  isBound: boolean,
): Promise<{ masterKey: MasterKey; isNew: boolean }> {
  const { masterKey } = secrets;
  if (masterKey !== undefined) {
    return { masterKey: operatorInput(() => parseMasterKey(masterKey, 'HOLDFAST_MASTER_KEY')), isNew: false };
  }
  try {
    return isBound ? { masterKey: await readMasterKeyFile(file), isNew: false } : await ensureMasterKeyFile(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw asStartError(cause);
    const message = `this database has sealed keys, but there is no master key file ${file}; bring it back from a backup`;
    throw new StartError(message, { cause });
  }
}

/**
 * A token that is away may come while the service runs, and keeps nobody from what was signed before.
 * @throws StartError for what only an operator can mend
 */
export async function openToken(
  { pkcs11 }: Config,
  { pkcs11Pin, foreignEnvironment }: Secrets,
  log: Log,
): Promise<{ custody: Pkcs11Custody; notes: string[] } | undefined> {
  if (pkcs11 === undefined) return undefined;
  const { module, token: label, pinFile } = pkcs11;
  const pin = pinFile === undefined ? (pkcs11Pin ?? '') : await pinFrom(pinFile);
  const custody = new Pkcs11Custody({
    module,
    label,
    pin,
    environment: foreignEnvironment,
    onChange: log.tokenChanged,
  });
  try {
    await custody.open();
    return { custody, notes: [] };
  } catch (error) {
    if (error instanceof TokenUnusable) throw asStartError(error);
    if (!(error instanceof CustodyUnavailable)) throw error;
    return { custody, notes: [`nothing can be signed with keys in the token until it is here: ${error.message}`] };
  }
}

async function pinFrom(file: string): Promise<string> {
  try {
    const pin = (await readSecretFile(file, 'PIN')).trim();
    if (pin === '') throw new Error(`the PIN file ${file} is empty`);
    return pin;
  } catch (cause) {
    throw asStartError(cause);
  }
}
