/** The composition root: opens port, database and master key, and stops them in order. */
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import path from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { type Composition, compose } from './compose.ts';
import { HOOK_ALLOW_SETTING } from './compose-enrolment.ts';
import { type Config, isLoopbackDeployment, type Secrets } from './config/config.ts';
import type { Clock } from './federation/time.ts';
import { parseNetworks } from './http/client-address.ts';
import { clearToken } from './jobs/clear-token.ts';
import { makeDueAuditCheckpoint } from './jobs/make-audit-checkpoints.ts';
import { startPeriodic } from './jobs/periodic.ts';
import { sendMails } from './jobs/send-mails.ts';
import { createSteadyClockCheck } from './jobs/steady-clock.ts';
import { createLog, type Log } from './observability/log.ts';
import { parseOutboundAllow } from './outbound/address-rules.ts';
import { readExtraCas } from './outbound/extra-cas.ts';
import { createMailSender, type MailSender } from './outbound/mail-sender.ts';
import type { AuthorityDirectory } from './registry/authorities/authority-directory.ts';
import { hostnameOf } from './registry/hosting/hosting-place.ts';
import { bindMasterKey, ensureFirstAuthority, readMasterKeyCheck, SYSTEM } from './registry/prepare-deployment.ts';
import { pruneExpired } from './registry/prune-expired.ts';
import { ADMIN_TOKEN_IGNORED, createAuthenticator } from './registry/tokens/authenticate.ts';
import { adminTokenEverExisted, adminTokenExists } from './registry/tokens/find-token.ts';
import { FirstAdminToken } from './registry/tokens/first-admin-token.ts';
import { CustodyUnavailable } from './signer/custody/key-custody.ts';
import { Pkcs11Custody, TokenUnusable } from './signer/custody/pkcs11/token-custody.ts';
import { makeMasterKeyCheck, masterKeyMatches } from './signer/master-key-check.ts';
import { ensureMasterKeyFile, parseMasterKey, readMasterKeyFile, readSecretFile } from './signer/master-key-file.ts';
import type { MasterKey } from './signer/sealing.ts';
import { connectDatabase, type Database } from './storage/connect.ts';
import { databaseSeconds } from './storage/database-clock.ts';
import { migrateDatabase, pendingMigrations } from './storage/migrate.ts';

/** A running service; disposing of it stops it in order. */
export interface Service extends AsyncDisposable {
  /** Where clients reach it. */
  url: string;
  summary: ServiceSummary;
  log: Log;
}

/** What an operator wants to know right after the start. */
export interface ServiceSummary {
  listening: string;
  database: string;
  masterKeyFile: string | undefined;
  isMasterKeyNew: boolean;
  authorities: { name: string; entityIdentifier: string }[];
  /** Where the single-use token of the first admin is; undefined once there is an admin. */
  firstAdminTokenFile: string | undefined;
  notes: string[];
}

/** What keeps the service from starting, in words for the operator. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

const clock: Clock = { now: () => Math.floor(Date.now() / 1000) };
const SHUTDOWN_TIMEOUT_MS = 10_000;

/**
 * Starts the service.
 * @throws StartError, DataDirectoryInUse, DatabaseUnreachable
 */
export async function startService({ config, secrets }: { config: Config; secrets: Secrets }): Promise<Service> {
  await using stack = new AsyncDisposableStack();
  operatorInput(() => parseOutboundAllow(config.outboundAllow));
  operatorInput(() => parseOutboundAllow(config.hookAllow, HOOK_ALLOW_SETTING));
  const extraCas = await readExtraCas(config.extraCaFile).catch((cause: unknown) => {
    throw asStartError(cause);
  });
  operatorInput(() => parseNetworks(config.trustedProxies));
  const log = createLog(config.logLevel);
  // First of all: a start that cannot listen leaves nothing behind, no authority with the wrong identifier above all.
  const entrance = stack.use(await openEntrance(config));
  const database = stack.use(await openDatabase(config, secrets, log));
  const { masterKey, isNew: isMasterKeyNew } = await openMasterKey(config, secrets, database);
  const token = await openToken(config, secrets, log);
  if (token !== undefined) stack.use(token.custody);
  const firstAdminToken = await firstAdmin(config, secrets, database);
  if (firstAdminToken !== undefined) stack.defer(() => firstAdminToken.withdraw());
  const authenticate = createAuthenticator({
    db: database.db,
    now: () => new Date(),
    adminToken: secrets.adminToken,
    keepAdminToken: config.keepAdminToken,
    firstAdminToken,
    warn: log.warning,
  });
  const composition = stack.use(
    await compose({
      config,
      extraCas,
      database,
      masterKey,
      tokenCustody: token && { token: token.custody, makesNewKeys: config.keyCustody === 'pkcs11' },
      clock,
      log,
      authenticate,
      firstAdminMade: async () => firstAdminToken?.withdraw(),
    }),
  );
  const { directory, changeContext, generateAuthorityKey } = composition;
  await ensureFirstAuthority(changeContext(SYSTEM, null), config.baseUrl, generateAuthorityKey).catch((error) => {
    throw error instanceof CustodyUnavailable ? asStartError(error) : error;
  });
  await directory.reload();
  if (token === undefined) requireSealedKeys(directory);
  requireHostingApart(config, directory);
  stack.use(startPruning(database, log));
  const { keyRolls, rollHostedKeys } = composition;
  const isSteady = steadyClock(database, log);
  stack.use(startKeyRolls((signal) => keyRolls.run(signal), isSteady, log));
  stack.use(startKeyRolls(rollHostedKeys, isSteady, log));
  if (token !== undefined) stack.use(startTokenClearing(database, token.custody, log));
  stack.use(startTrustMarkRefresh(composition, log));
  if (config.refreshIntervalSeconds > 0) {
    stack.use(startRefreshes(composition, log));
    stack.use(startCollectionWalks(composition, log));
  }
  if (config.auditCheckpointIntervalSeconds > 0) stack.use(startAuditCheckpoints(composition, config, log));
  stack.use(startDates(composition, log));
  stack.use(startEnrolments(composition, log));
  stack.use(startDirectoryUpkeep(composition, log));
  if (secrets.smtpUrl !== undefined && config.mailFrom !== undefined) {
    const sender = stack.use(createMailSender({ url: secrets.smtpUrl, from: config.mailFrom, extraCas }));
    stack.use(startMails(database, sender, log));
  }
  entrance.admit(composition.app.listener);
  stack.defer(() => entrance[Symbol.asyncDispose]());
  const summary: ServiceSummary = {
    listening: `${config.listen}:${config.port}`,
    database: database.kind === 'embedded' ? `embedded, in ${path.resolve(config.dataDir)}` : 'PostgreSQL',
    masterKeyFile: secrets.masterKey === undefined ? masterKeyFile(config) : undefined,
    isMasterKeyNew,
    authorities: directory.all.map(({ authority: { name, entityIdentifier } }) => ({ name, entityIdentifier })),
    firstAdminTokenFile: firstAdminToken?.file,
    notes: [
      ...notes(config, directory),
      ...(token?.notes ?? []),
      ...(await adminTokenNotes(config, secrets, database)),
    ],
  };
  log.serviceStarted({ url: config.baseUrl, database: database.kind, authorities: summary.authorities.length });
  const running = stack.move();
  return { url: config.baseUrl, summary, log, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

const TRUST_MARK_REFRESH_EVERY_MS = 60_000;

function startTrustMarkRefresh({ refreshTrustMarks }: Composition, log: Log): AsyncDisposable {
  const onError = (error: unknown) => log.requestFailed(error, 'refresh of Trust Marks');
  return startPeriodic({ everyMs: TRUST_MARK_REFRESH_EVERY_MS, run: refreshTrustMarks, onError });
}

const PRUNING_EVERY_MS = 3_600_000;

function startPruning({ db }: Database, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: PRUNING_EVERY_MS,
    run: (signal) => pruneExpired(db, new Date(), signal),
    onError: log.pruningFailed,
  });
}

const KEY_ROLLS_EVERY_MS = 60_000;

/** A key that was rolled too early cannot be taken back: a clock that leapt, or that only we have, is not believed. */
function steadyClock({ kind, db }: Database, log: Log): () => Promise<boolean> {
  return createSteadyClockCheck({
    clock,
    monotonicMs: () => performance.now(),
    ...(kind === 'postgresql' && { sharedSeconds: () => databaseSeconds(db) }),
    onLeap: log.clockLeapt,
    onApart: log.clockApart,
  });
}

function startKeyRolls(
  roll: (signal: AbortSignal) => Promise<void>,
  isSteady: () => Promise<boolean>,
  log: Log,
): AsyncDisposable {
  return startPeriodic({
    everyMs: KEY_ROLLS_EVERY_MS,
    run: async (signal) => {
      if (await isSteady()) await roll(signal);
    },
    onError: (error) => log.keyRollFailed(error, 'all'),
  });
}

const REFRESHES_EVERY_MS = 10_000;

function startRefreshes({ configurationRefreshes }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: REFRESHES_EVERY_MS,
    run: (signal) => configurationRefreshes.run(signal),
    onError: (error) => log.refreshFailed(error, 'all'),
  });
}

const AUDIT_CHECKPOINTS_EVERY_MS = 300_000;

function startAuditCheckpoints(composition: Composition, config: Config, log: Log): AsyncDisposable {
  const { directory, changeContext, signAuditCheckpoint: sign } = composition;
  const { auditCheckpointIntervalSeconds: intervalSeconds } = config;
  return startPeriodic({
    everyMs: AUDIT_CHECKPOINTS_EVERY_MS,
    run: () =>
      makeDueAuditCheckpoint({ changeContext: () => changeContext(SYSTEM, null), directory, sign, intervalSeconds }),
    onError: log.auditCheckpointFailed,
  });
}

const ENROLMENTS_EVERY_MS = 60_000;

function startEnrolments({ runEnrolments: run }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({ everyMs: ENROLMENTS_EVERY_MS, run, onError: (error) => log.upkeepFailed(error, 'all') });
}

const DATES_EVERY_MS = 60_000;

function startDates({ keepDates: run }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({ everyMs: DATES_EVERY_MS, run, onError: (error) => log.upkeepFailed(error, 'all') });
}

const DIRECTORY_UPKEEP_EVERY_MS = 3_600_000;

function startDirectoryUpkeep({ directoryUpkeep }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: DIRECTORY_UPKEEP_EVERY_MS,
    run: (signal) => directoryUpkeep.run(signal),
    onError: (error) => log.upkeepFailed(error, 'all'),
  });
}

const MAILS_EVERY_MS = 30_000;

function startMails({ db }: Database, sender: MailSender, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: MAILS_EVERY_MS,
    run: (signal) => sendMails({ db, now: () => new Date(), sender, onFailure: log.mailFailed }, signal),
    onError: (error) => log.mailFailed(error, 'all'),
  });
}

const COLLECTION_WALKS_EVERY_MS = 60_000;

function startCollectionWalks({ collectionWalks }: Composition, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: COLLECTION_WALKS_EVERY_MS,
    run: (signal) => collectionWalks.run(signal),
    onError: (error) => log.walkFailed(error, 'all'),
  });
}

const TOKEN_CLEARING_EVERY_MS = 600_000;

function startTokenClearing({ db }: Database, token: Pkcs11Custody, log: Log): AsyncDisposable {
  return startPeriodic({
    everyMs: TOKEN_CLEARING_EVERY_MS,
    run: () => clearToken({ db, token }),
    onError: log.tokenClearingFailed,
  });
}

/** Embedded, the schema follows the program; a PostgreSQL is migrated when its operator says so. */
async function openDatabase(config: Config, secrets: Secrets, log: Log): Promise<Database> {
  const { databaseUrl } = secrets;
  if (databaseUrl === undefined) {
    const database = await connectDatabase({ dataDir: config.dataDir });
    const onChained = (rows: number) => log.warning(`${rows} rows of the audit are chained; the start waits for all`);
    await migrateDatabase(database, { onChained });
    return database;
  }
  const database = await connectDatabase({ url: databaseUrl, maxConnections: config.databaseConnections });
  const pending = await pendingMigrations(database);
  if (pending.length === 0) return database;
  await database[Symbol.asyncDispose]();
  throw new StartError(`the database lacks the migrations ${pending.join(', ')}; run \`holdfast migrate\``);
}

function masterKeyFile(config: Config): string {
  return path.resolve(config.masterKeyFile ?? path.join(config.dataDir, 'master-key'));
}

/** A new deployment may make its key; one that has sealed keys must be given the key that opens them. */
async function openMasterKey(
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

function operatorInput<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw asStartError(cause);
  }
}

/** What the operator gave is wrong, and the message says so; it is no fault of the program. */
function asStartError(cause: unknown): StartError {
  return new StartError(cause instanceof Error ? cause.message : String(cause), { cause });
}

/**
 * A token that is away may come while the service runs, and keeps nobody from what was signed before.
 * @throws StartError for what only an operator can mend
 */
async function openToken(
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

/** @throws StartError when a key that signs, or will, is in a token that is not set up */
function requireSealedKeys(directory: AuthorityDirectory): void {
  for (const { authority, keys } of directory.all) {
    const key = keys.find(
      ({ custody, state }) => custody === 'pkcs11' && (state === 'active' || state === 'announced'),
    );
    if (key === undefined) continue;
    const setUp = 'HOLDFAST_PKCS11_MODULE, HOLDFAST_PKCS11_TOKEN and HOLDFAST_PKCS11_PIN_FILE';
    throw new StartError(`the key ${key.kid} of ${authority.entityIdentifier} is in a PKCS#11 token; set ${setUp}`);
  }
}

/** @throws StartError when an authority is on the host that is for hosted entities */
function requireHostingApart({ hostedBaseUrl }: Config, { all }: AuthorityDirectory): void {
  if (hostedBaseUrl === undefined) return;
  const there = all.find(({ authority }) => hostnameOf(authority.entityIdentifier) === hostnameOf(hostedBaseUrl));
  if (there === undefined) return;
  const { entityIdentifier } = there.authority;
  throw new StartError(
    `HOLDFAST_HOSTED_BASE_URL is on the host of the authority ${entityIdentifier}; name another host`,
  );
}

async function firstAdmin(config: Config, secrets: Secrets, database: Database): Promise<FirstAdminToken | undefined> {
  if (secrets.adminToken !== undefined || (await adminTokenExists(database.db, new Date()))) return undefined;
  return await FirstAdminToken.write(path.resolve(config.dataDir), new Date());
}

/** The port, which turns every request away until the service is ready. */
interface Entrance extends AsyncDisposable {
  admit(listener: RequestListener): void;
}

/** @throws StartError when the port, its address or the certificate cannot be had */
async function openEntrance(config: Config): Promise<Entrance> {
  let answer: RequestListener = getRequestListener(stillStarting);
  const server = await createServer(config, (incoming, outgoing) => answer(incoming, outgoing));
  await listen(server, config);
  let closed: Promise<void> | undefined;
  return {
    admit(listener) {
      answer = listener;
    },
    async [Symbol.asyncDispose]() {
      closed ??= close(server);
      await closed;
    },
  };
}

/** A body for clients of the federation endpoints and of the API alike. */
function stillStarting(): Response {
  const description = 'the service is starting; try again in a moment';
  const body = { error: 'temporarily_unavailable', error_description: description, detail: description };
  return Response.json(body, { status: 503, headers: { 'retry-after': '1', 'cache-control': 'no-store' } });
}

async function createServer({ tlsCertFile, tlsKeyFile }: Config, listener: RequestListener): Promise<Server> {
  if (tlsCertFile === undefined || tlsKeyFile === undefined) {
    return createHttpServer(listener);
  }
  try {
    const [cert, key] = [await readFile(tlsCertFile), await readFile(tlsKeyFile)];
    return createHttpsServer({ cert, key, minVersion: 'TLSv1.2' }, listener);
  } catch (cause) {
    const complaint = cause instanceof Error ? cause.message : String(cause);
    const files = 'HOLDFAST_TLS_CERT_FILE and HOLDFAST_TLS_KEY_FILE';
    throw new StartError(`cannot serve https with ${files}: ${complaint}`, { cause });
  }
}

async function listen(server: Server, config: Config): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.listen, resolve);
  }).catch((cause) => {
    const where = `${config.listen}:${config.port}`;
    const wayOut = 'choose another PORT or HOLDFAST_LISTEN; nothing was created or changed';
    throw new StartError(`cannot listen on ${where} (${cause.code}): ${wayOut}`, { cause });
  });
}

/** Stops accepting, lets requests under way finish, then cuts what is left. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  if ('closeIdleConnections' in server) server.closeIdleConnections();
  const timer = setTimeout(() => {
    if ('closeAllConnections' in server) server.closeAllConnections();
  }, SHUTDOWN_TIMEOUT_MS);
  await closed;
  clearTimeout(timer);
}

function notes(config: Config, directory: AuthorityDirectory): string[] {
  const found: string[] = [];
  if (isLoopbackDeployment(config)) {
    found.push('trying out on localhost: entities on this machine may be enrolled and fetched over http');
  }
  if (directory.find(config.baseUrl) === undefined && directory.find(`${config.baseUrl}/`) === undefined) {
    found.push(foreignBaseUrl(config, directory));
  }
  return found;
}

/** Others know an authority by its identifier, so the way out is another authority or another address. */
function foreignBaseUrl({ baseUrl, dataDir }: Config, directory: AuthorityDirectory): string {
  const served = directory.all.map(({ authority }) => authority.entityIdentifier);
  return [
    `no authority has the identifier ${baseUrl} (HOLDFAST_BASE_URL, by default http://localhost:PORT); ` +
      `served are ${served.join(', ')}. An Entity Identifier cannot be changed. Either`,
    `  - serve what there is: HOLDFAST_BASE_URL=${served[0]}, reachable there, or`,
    `  - add an authority: \`holdfast authority add ${baseUrl} --name NAME\`, or`,
    `  - start over with another HOLDFAST_DATA_DIR than ${dataDir} (or with another database)`,
  ].join('\n');
}

async function adminTokenNotes({ keepAdminToken }: Config, secrets: Secrets, { db }: Database): Promise<string[]> {
  const isOffered = secrets.adminToken !== undefined && !keepAdminToken;
  return isOffered && (await adminTokenEverExisted(db)) ? [ADMIN_TOKEN_IGNORED] : [];
}
