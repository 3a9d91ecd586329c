/** The composition root: opens port, database and master key, and stops them in order. */
import path from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { type Composition, compose } from './compose.ts';
import { CANARY_ALLOW_SETTING } from './compose-canary.ts';
import { HOOK_ALLOW_SETTING } from './compose-enrolment.ts';
import { createInstruments } from './compose-measured.ts';
import { type Config, isLoopbackDeployment, type Secrets } from './config/config.ts';
import type { Clock } from './federation/time.ts';
import { parseNetworks } from './http/client-address.ts';
import { createLog, type Log } from './observability/log.ts';
import { NO_TRACING, type Tracing } from './observability/tracing.ts';
import { parseOutboundAllow } from './outbound/address-rules.ts';
import { type ClientCertificate, readClientCertificate } from './outbound/client-certificate.ts';
import { readExtraCas } from './outbound/extra-cas.ts';
import { createMailSender, type MailSender } from './outbound/mail-sender.ts';
import type { AuthorityDirectory } from './registry/authorities/authority-directory.ts';
import type { CertifiedAuthorityRow } from './registry/certification/certification-authority.ts';
import { readCertifiedAuthorities } from './registry/certification/read-certification-authority.ts';
import { hostnameOf } from './registry/hosting/hosting-place.ts';
import { ensureFirstAuthority, SYSTEM } from './registry/prepare-deployment.ts';
import { ADMIN_TOKEN_IGNORED, createAuthenticator } from './registry/tokens/authenticate.ts';
import { adminTokenEverExisted, adminTokenExists } from './registry/tokens/find-token.ts';
import { FirstAdminToken } from './registry/tokens/first-admin-token.ts';
import { CustodyUnavailable } from './signer/custody/key-custody.ts';
import { masterKeyFile, openMasterKey, openToken } from './start-custody.ts';
import { openEntrance } from './start-entrance.ts';
import { asStartError, operatorInput, StartError } from './start-error.ts';
import { startJobs } from './start-jobs.ts';
import { openMetricsPort } from './start-metrics.ts';
import { connectDatabase, type Database } from './storage/connect.ts';
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

const clock: Clock = { now: () => Math.floor(Date.now() / 1000) };

/**
 * Starts the service.
 * @throws StartError, DataDirectoryInUse, DatabaseUnreachable
 */
export async function startService({ config, secrets }: { config: Config; secrets: Secrets }): Promise<Service> {
  await using stack = new AsyncDisposableStack();
  operatorInput(() => parseOutboundAllow(config.outboundAllow));
  operatorInput(() => parseOutboundAllow(config.hookAllow, HOOK_ALLOW_SETTING));
  operatorInput(() => parseOutboundAllow(config.canaryAllow, CANARY_ALLOW_SETTING));
  const extraCas = await readExtraCas(config.extraCaFile).catch((cause: unknown) => {
    throw asStartError(cause);
  });
  const canaryCertificate = await canaryCertificateOf(config);
  operatorInput(() => parseNetworks(config.trustedProxies));
  // Last of all to stop, so that the spans of the stop are sent as well.
  const tracing = stack.use(await openTracing(config));
  const log = createLog(config.logLevel, tracing.ids);
  // First of all: a start that cannot listen leaves nothing behind, no authority with the wrong identifier above all.
  const entrance = stack.use(await openEntrance(config));
  const metricsPort = config.metrics && stack.use(await openMetricsPort(config.metrics));
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
      canaryCertificate,
      masterKey,
      tokenCustody: token && { token: token.custody, makesNewKeys: config.keyCustody === 'pkcs11' },
      clock,
      log,
      authenticate,
      firstAdminMade: async () => firstAdminToken?.withdraw(),
      instruments: createInstruments(tracing),
    }),
  );
  const { directory, changeContext, generateAuthorityKey } = composition;
  if (config.firstAuthority === 'made') {
    await ensureFirstAuthority(changeContext(SYSTEM, null), config.baseUrl, generateAuthorityKey).catch((error) => {
      throw error instanceof CustodyUnavailable ? asStartError(error) : error;
    });
  }
  await directory.reload();
  if (token === undefined) {
    requireSealedKeys(directory);
    requireSealedCertification(await readCertifiedAuthorities(database.db));
  }
  requireHostingApart(config, directory);
  const mailSender = stack.use(mailSenderOf(config, secrets, extraCas));
  stack.use(startJobs({ config, database, composition, token: token?.custody, mailSender, clock, log }));
  await metricsPort?.show(composition.measured);
  entrance.admit(composition.app);
  stack.defer(() => entrance[Symbol.asyncDispose]());
  // Streams end by themselves only when the service does.
  stack.defer(() => composition.evidence.streams[Symbol.dispose]());
  stack.defer(() => composition.eventStreams[Symbol.dispose]());
  const summary: ServiceSummary = {
    listening: placesOf(config).join(', '),
    database: database.kind === 'embedded' ? `embedded, in ${path.resolve(config.dataDir)}` : 'PostgreSQL',
    masterKeyFile: secrets.masterKey === undefined ? masterKeyFile(config) : undefined,
    isMasterKeyNew,
    authorities: directory.all.map(({ authority: { name, entityIdentifier } }) => ({ name, entityIdentifier })),
    firstAdminTokenFile: firstAdminToken?.file,
    notes: [
      ...notes(config, directory),
      ...socketNotes(config, composition),
      ...(token?.notes ?? []),
      ...(await adminTokenNotes(config, secrets, database)),
    ],
  };
  log.serviceStarted({ url: config.baseUrl, database: database.kind, authorities: summary.authorities.length });
  const running = stack.move();
  return { url: config.baseUrl, summary, log, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** What makes traces is loaded only where somebody collects them. */
async function openTracing({ traces }: Config): Promise<Tracing> {
  if (traces === undefined) return NO_TRACING;
  const { createOtlpTracing } = await import('./observability/otlp-tracing.ts');
  return createOtlpTracing({ ...traces, version: packageJson.version });
}

/** @throws StartError */
async function canaryCertificateOf({ canary }: Config): Promise<ClientCertificate | undefined> {
  if (canary === undefined) return undefined;
  const settings = 'HOLDFAST_CANARY_CERT_FILE and HOLDFAST_CANARY_KEY_FILE';
  return await readClientCertificate(canary.certFile, canary.keyFile, settings).catch((cause: unknown) => {
    throw asStartError(cause);
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

function placesOf({ listen, port, mtls, admissionSockets }: Config): string[] {
  const mtlsPlaces = mtls === undefined ? [] : [`${mtls.listen}:${mtls.port} (with client certificates)`];
  return [`${listen}:${port}`, ...mtlsPlaces, ...admissionSockets.map((socket) => socket.path)];
}

/** Whoever asks there is nobody until there is one. */
function socketNotes({ admissionSockets }: Config, { admission: { state } }: Composition): string[] {
  return admissionSockets
    .filter(({ enforcementPointId }) => state.enforcementPoint(enforcementPointId) === undefined)
    .map(
      ({ enforcementPointId, path: file }) =>
        `no enforcement point ${enforcementPointId} is known, which ${file} is for`,
    );
}

function mailSenderOf({ mailFrom }: Config, { smtpUrl }: Secrets, extraCas: readonly string[]): MailSender | undefined {
  return smtpUrl === undefined || mailFrom === undefined
    ? undefined
    : createMailSender({ url: smtpUrl, from: mailFrom, extraCas });
}

/** @throws StartError when a key that signs, or will, is in a token that is not set up */
function requireSealedKeys(directory: AuthorityDirectory): void {
  for (const { authority, keys } of directory.all) {
    const key = keys.find(
      ({ custody, state }) => custody === 'pkcs11' && (state === 'active' || state === 'announced'),
    );
    if (key === undefined) continue;
    throw inUnknownToken(key.kid, authority.entityIdentifier);
  }
}

/** Those that are retired sign lists of revocations still. @throws StartError */
function requireSealedCertification(certified: readonly CertifiedAuthorityRow[]): void {
  const held = certified.find(({ custody }) => custody === 'pkcs11');
  if (held !== undefined) throw inUnknownToken(held.kid, `the certification authority ${held.name}`);
}

function inUnknownToken(kid: string, owner: string): StartError {
  const setUp = 'HOLDFAST_PKCS11_MODULE, HOLDFAST_PKCS11_TOKEN and HOLDFAST_PKCS11_PIN_FILE';
  return new StartError(`the key ${kid} of ${owner} is in a PKCS#11 token; set ${setUp}`);
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
  if (served.length === 0) {
    return 'there is no authority yet: bring one with `holdfast import DIR --restore`, or make one with `holdfast authority add`';
  }
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
