/** Configuration from the environment, read once: every variable is known, checked and documented here. */
import { z } from 'zod';
import { isEntityIdentifier, isLoopbackHost } from '../federation/identifiers.ts';
import { type AdmissionSocket, admissionSocketsSetting } from './admission-sockets.ts';
import {
  type MetricsConfig,
  metricsOf,
  OBSERVABILITY_ENVIRONMENT,
  observabilityContradictions,
  type TracesConfig,
  tracesOf,
} from './observability-settings.ts';
import { RESOLVER_ENVIRONMENT, type ResolverConfig, resolverConfigOf } from './resolver-settings.ts';
import { flag, list, megabytes, wholeNumber } from './setting-values.ts';
import { understoodClaimsSetting } from './understood-claims.ts';

/** Settings that may be shown. */
export interface Config {
  port: number;
  /** Address to listen on. */
  listen: string;
  /** Where clients reach the service; also the Entity Identifier of the authority made on first start. */
  baseUrl: string;
  /** What Entity Identifiers of hosted entities begin with; undefined: they have host names of their own. */
  hostedBaseUrl: string | undefined;
  /** Whether the first start makes an authority, or leaves that to an import. */
  firstAuthority: 'made' | 'imported';
  dataDir: string;
  masterKeyFile: string | undefined;
  /** Who gets custody of new keys; those there are stay where they are. */
  keyCustody: 'sealed' | 'pkcs11';
  /** Algorithm of new keys. */
  keyAlgorithm: 'ES256' | 'ES384' | 'RS256' | 'PS256';
  /** The PKCS#11 token that keys are in, or may be. */
  pkcs11: Pkcs11Config | undefined;
  tlsCertFile: string | undefined;
  tlsKeyFile: string | undefined;
  /** Where clients are asked for a certificate, by which enforcement points are known; undefined: nowhere. */
  mtls: MtlsConfig | undefined;
  /** UNIX sockets that answer for admission alone. */
  admissionSockets: readonly AdmissionSocket[];
  /** Hosts, addresses and networks that participants may name although they are private. */
  outboundAllow: string;
  /** Hosts, addresses and networks that hooks of enrolments may be at although they are private. */
  hookAllow: string;
  /** Certificate and key of a participant that is always suspended, to be refused by every gateway; undefined: nobody knocks. */
  canary: { certFile: string; keyFile: string } | undefined;
  /** From one knock at a gateway to the next. */
  canaryIntervalSeconds: number;
  /** Hosts, addresses and networks where gateways may be although they are private. */
  canaryAllow: string;
  /** Hosts, addresses and networks where receivers of events may be although they are private. */
  webhookAllow: string;
  /** DNS servers that are asked for proofs of domains; none: those of the system. */
  nameServers: readonly string[];
  /** PEM file of certificate authorities trusted for outgoing requests besides those that Node trusts. */
  extraCaFile: string | undefined;
  allowHttp: boolean;
  keepAdminToken: boolean;
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** Most connections to PostgreSQL. */
  databaseConnections: number;
  /** Memory for ready statements, in bytes. */
  statementCacheBytes: number;
  /** What anonymous callers of `resolve` get about a subject that was not evaluated. */
  resolveAnonymous: 'refuse' | 'background' | 'on-demand';
  /** From one look at the configuration of a subordinate to the next; 0: only when somebody asks for it. */
  refreshIntervalSeconds: number;
  /** From one checkpoint of the audit to the next; 0: only when somebody asks for it. */
  auditCheckpointIntervalSeconds: number;
  /** How long decisions of admission are kept; 0: until somebody prunes them. */
  decisionRetentionDays: number;
  /** How long events are kept; 0: for good. */
  eventRetentionDays: number;
  /** Whom mails come from; undefined: none are sent. */
  mailFrom: string | undefined;
  /** Addresses and networks whose `X-Forwarded-For` is believed. */
  trustedProxies: readonly string[];
  /** Claims whose meaning this federation defined: `crit` may name them. */
  understoodClaims: readonly string[];
  /** Where `/metrics` is; undefined: nowhere. */
  metrics: MetricsConfig | undefined;
  /** Where traces go; undefined: there are none. */
  traces: TracesConfig | undefined;
  resolver: Readonly<ResolverConfig>;
}

export interface MtlsConfig {
  port: number;
  listen: string;
  certFile: string;
  keyFile: string;
}

export interface Pkcs11Config {
  /** Path of the token's PKCS#11 module. */
  module: string;
  /** Label of the token. */
  token: string;
  /** Read instead of `secrets.pkcs11Pin`. */
  pinFile: string | undefined;
}

/** Settings that are never logged or shown. */
export interface Secrets {
  pkcs11Pin: string | undefined;
  /** The environment without anything of ours, for foreign programs that are configured by theirs. */
  foreignEnvironment: Readonly<Record<string, string | undefined>>;
  databaseUrl: string | undefined;
  /** Of the login that owns the tables and migrates them, where the service has another. */
  databaseOwnerUrl: string | undefined;
  masterKey: string | undefined;
  adminToken: string | undefined;
  /** The relay for mails, with its login. */
  smtpUrl: string | undefined;
}

/** Everything wrong with the environment, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const MIN_ADMIN_TOKEN_BYTES = 32;

/** `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353` */
function isNameServer(text: string): boolean {
  const [, bracketed, plain] =
    /^(?:\[([\da-fA-F:]+)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+)(?::\d{1,5})?)$/.exec(text) ?? [];
  return z
    .ipv6()
    .or(z.ipv4())
    .safeParse(bracketed ?? plain ?? text).success;
}

const postgresqlUrl = z.string().regex(/^postgres(ql)?:\/\//, 'must begin with postgresql://');

function isSmtpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '') return false;
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    return false;
  }
  return url.search === '' || url.search === '?tls=off';
}

const ENVIRONMENT = z.object({
  PORT: wholeNumber(0, 65535).default(8080),
  HOLDFAST_LISTEN: z.string().min(1).optional(),
  HOLDFAST_BASE_URL: z.string().optional(),
  HOLDFAST_HOSTED_BASE_URL: z.string().optional(),
  HOLDFAST_FIRST_AUTHORITY: z.enum(['made', 'imported']).default('made'),
  HOLDFAST_DATA_DIR: z.string().min(1).default('./data'),
  HOLDFAST_DATABASE_URL: postgresqlUrl.optional(),
  HOLDFAST_DATABASE_OWNER_URL: postgresqlUrl.optional(),
  HOLDFAST_DATABASE_CONNECTIONS: wholeNumber(1, 500).default(10),
  HOLDFAST_MASTER_KEY_FILE: z.string().min(1).optional(),
  HOLDFAST_MASTER_KEY: z.string().min(1).optional(),
  HOLDFAST_KEY_CUSTODY: z.enum(['sealed', 'pkcs11']).default('sealed'),
  HOLDFAST_KEY_ALGORITHM: z.enum(['ES256', 'ES384', 'RS256', 'PS256']).default('ES256'),
  HOLDFAST_PKCS11_MODULE: z.string().min(1).optional(),
  HOLDFAST_PKCS11_TOKEN: z.string().min(1).optional(),
  HOLDFAST_PKCS11_PIN: z.string().min(1).optional(),
  HOLDFAST_PKCS11_PIN_FILE: z.string().min(1).optional(),
  HOLDFAST_ADMIN_TOKEN: z
    .string()
    .refine((token) => Buffer.byteLength(token) >= MIN_ADMIN_TOKEN_BYTES, `needs ${MIN_ADMIN_TOKEN_BYTES} bytes`)
    .optional(),
  HOLDFAST_ADMIN_TOKEN_KEEP: flag.default(false),
  HOLDFAST_TLS_CERT_FILE: z.string().min(1).optional(),
  HOLDFAST_TLS_KEY_FILE: z.string().min(1).optional(),
  HOLDFAST_MTLS_PORT: wholeNumber(1, 65535).optional(),
  HOLDFAST_MTLS_LISTEN: z.string().min(1).optional(),
  HOLDFAST_MTLS_CERT_FILE: z.string().min(1).optional(),
  HOLDFAST_MTLS_KEY_FILE: z.string().min(1).optional(),
  HOLDFAST_ADMISSION_SOCKETS: admissionSocketsSetting,
  HOLDFAST_OUTBOUND_ALLOW: z.string().default(''),
  HOLDFAST_HOOK_ALLOW: z.string().default(''),
  HOLDFAST_CANARY_CERT_FILE: z.string().min(1).optional(),
  HOLDFAST_CANARY_KEY_FILE: z.string().min(1).optional(),
  HOLDFAST_CANARY_INTERVAL_SECONDS: wholeNumber(5, 86_400).default(60),
  HOLDFAST_CANARY_ALLOW: z.string().default(''),
  HOLDFAST_WEBHOOK_ALLOW: z.string().default(''),
  HOLDFAST_NAME_SERVERS: list
    .refine((servers) => servers.every(isNameServer), 'names addresses, with :port where it is not 53')
    .default([]),
  HOLDFAST_EXTRA_CA_FILE: z.string().min(1).optional(),
  HOLDFAST_ALLOW_HTTP: flag.default(false),
  HOLDFAST_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  HOLDFAST_STATEMENT_CACHE_MB: megabytes(65_536).default(192 * 1024 * 1024),
  HOLDFAST_RESOLVE_ANONYMOUS: z.enum(['refuse', 'background', 'on-demand']).default('background'),
  HOLDFAST_REFRESH_INTERVAL_SECONDS: z
    .union([z.literal('0').transform(() => 0), wholeNumber(300, 30 * 86_400)])
    .default(21_600),
  HOLDFAST_AUDIT_CHECKPOINT_INTERVAL_SECONDS: z
    .union([z.literal('0').transform(() => 0), wholeNumber(600, 30 * 86_400)])
    .default(86_400),
  HOLDFAST_EVENT_RETENTION_DAYS: z.union([z.literal('0').transform(() => 0), wholeNumber(1, 3_650)]).default(90),
  HOLDFAST_DECISION_RETENTION_DAYS: z.union([z.literal('0').transform(() => 0), wholeNumber(1, 3_650)]).default(90),
  HOLDFAST_SMTP_URL: z
    .string()
    .refine(isSmtpUrl, 'must be smtps://[USER:PASSWORD@]HOST[:PORT] or smtp://…, percent-encoded')
    .optional(),
  HOLDFAST_MAIL_FROM: z.email().optional(),
  HOLDFAST_TRUSTED_PROXIES: list.default([]),
  HOLDFAST_UNDERSTOOD_CLAIMS: understoodClaimsSetting,
  ...OBSERVABILITY_ENVIRONMENT,
  ...RESOLVER_ENVIRONMENT,
});

/** Read by the commands that talk to a running service. */
const CLIENT_VARIABLES: ReadonlySet<string> = new Set(['HOLDFAST_URL', 'HOLDFAST_TOKEN']);

/** Settings and secrets of ours, of our connection to PostgreSQL, and what would change how our own programs run. */
const OURS = /^(?:HOLDFAST_|PG|NODE_OPTIONS$)/;

/** Every variable that the service reads. */
export const SETTINGS: readonly string[] = Object.keys(ENVIRONMENT.shape);

/**
 * Reads the environment.
 * @throws ConfigError naming every variable that is wrong or unknown, never its value
 */
export function loadConfig(environment: Record<string, string | undefined>): { config: Config; secrets: Secrets } {
  const problems = Object.keys(environment)
    .filter((name) => name.startsWith('HOLDFAST_') && !(name in ENVIRONMENT.shape) && !CLIENT_VARIABLES.has(name))
    .map((name) => `${name} is unknown; check its spelling against the README`);
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = ENVIRONMENT.safeParse(present);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(`${issue.path.join('.')}: ${issue.message}`);
  }
  if (parsed.success) problems.push(...contradictions(parsed.data));
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems.join('\n'));
  const foreign = Object.entries(environment).filter(([name]) => !OURS.test(name));
  return settings(parsed.data, Object.freeze(Object.fromEntries(foreign)));
}

type Environment = z.infer<typeof ENVIRONMENT>;

function contradictions(environment: Environment): string[] {
  const problems: string[] = [];
  if ((environment.HOLDFAST_TLS_CERT_FILE === undefined) !== (environment.HOLDFAST_TLS_KEY_FILE === undefined)) {
    problems.push('HOLDFAST_TLS_CERT_FILE and HOLDFAST_TLS_KEY_FILE go together');
  }
  problems.push(...mtlsContradictions(environment));
  if ((environment.HOLDFAST_CANARY_CERT_FILE === undefined) !== (environment.HOLDFAST_CANARY_KEY_FILE === undefined)) {
    problems.push('HOLDFAST_CANARY_CERT_FILE and HOLDFAST_CANARY_KEY_FILE go together');
  }
  if (environment.HOLDFAST_MASTER_KEY !== undefined && environment.HOLDFAST_MASTER_KEY_FILE !== undefined) {
    problems.push('give either HOLDFAST_MASTER_KEY or HOLDFAST_MASTER_KEY_FILE');
  }
  if ((environment.HOLDFAST_SMTP_URL === undefined) !== (environment.HOLDFAST_MAIL_FROM === undefined)) {
    problems.push('HOLDFAST_SMTP_URL and HOLDFAST_MAIL_FROM go together');
  }
  if (environment.HOLDFAST_DATABASE_OWNER_URL !== undefined && environment.HOLDFAST_DATABASE_URL === undefined) {
    problems.push('HOLDFAST_DATABASE_OWNER_URL goes with HOLDFAST_DATABASE_URL');
  }
  problems.push(...tokenContradictions(environment));
  problems.push(...observabilityContradictions(environment));
  const baseUrl = baseUrlOf(environment);
  if (!isEntityIdentifier(baseUrl, { allowHttp: environment.HOLDFAST_ALLOW_HTTP })) {
    problems.push(
      'HOLDFAST_BASE_URL must be an https URL without query (http on loopback, or with HOLDFAST_ALLOW_HTTP=1)',
    );
  }
  return [...problems, ...hostingContradictions(environment, baseUrl)];
}

/** A page or an answer of the API under the host of hosted entities would speak in their name. */
function hostingContradictions(environment: Environment, baseUrl: string): string[] {
  const hosted = hostedBaseUrlOf(environment);
  if (hosted === undefined) return [];
  if (!isEntityIdentifier(hosted, { allowHttp: environment.HOLDFAST_ALLOW_HTTP }) || new URL(hosted).pathname !== '/') {
    return [
      'HOLDFAST_HOSTED_BASE_URL must be an https URL without path or query, such as https://entities.example.org',
    ];
  }
  const hostnameOf = (url: string) => URL.parse(url)?.hostname.replace(/\.$/, '');
  if (hostnameOf(baseUrl) !== hostnameOf(hosted)) return [];
  return ['HOLDFAST_HOSTED_BASE_URL must have another host name than HOLDFAST_BASE_URL; another port is not enough'];
}

function hostedBaseUrlOf({ HOLDFAST_HOSTED_BASE_URL: url }: Environment): string | undefined {
  return url?.replace(/\/$/, '');
}

function tokenContradictions(environment: Environment): string[] {
  const { HOLDFAST_PKCS11_MODULE: module, HOLDFAST_PKCS11_TOKEN: token } = environment;
  const pins = [environment.HOLDFAST_PKCS11_PIN, environment.HOLDFAST_PKCS11_PIN_FILE].filter(
    (pin) => pin !== undefined,
  );
  const problems: string[] = [];
  if (pins.length > 1) problems.push('give either HOLDFAST_PKCS11_PIN or HOLDFAST_PKCS11_PIN_FILE');
  const given = [module, token, ...pins].filter((value) => value !== undefined).length;
  const isComplete = module !== undefined && token !== undefined && pins.length > 0;
  if (given > 0 && !isComplete) {
    problems.push('HOLDFAST_PKCS11_MODULE, HOLDFAST_PKCS11_TOKEN and a PIN (HOLDFAST_PKCS11_PIN_FILE) go together');
  }
  if (environment.HOLDFAST_KEY_CUSTODY === 'pkcs11' && given === 0) {
    problems.push('HOLDFAST_KEY_CUSTODY=pkcs11 needs HOLDFAST_PKCS11_MODULE, HOLDFAST_PKCS11_TOKEN and a PIN');
  }
  return problems;
}

function mtlsContradictions(environment: Environment): string[] {
  const { HOLDFAST_MTLS_PORT: port, HOLDFAST_MTLS_CERT_FILE: cert, HOLDFAST_MTLS_KEY_FILE: key } = environment;
  const problems: string[] = [];
  if ((cert === undefined) !== (key === undefined)) {
    problems.push('HOLDFAST_MTLS_CERT_FILE and HOLDFAST_MTLS_KEY_FILE go together');
  }
  if (port === undefined && [cert, environment.HOLDFAST_MTLS_LISTEN].some((value) => value !== undefined)) {
    problems.push('HOLDFAST_MTLS_LISTEN and HOLDFAST_MTLS_CERT_FILE go with HOLDFAST_MTLS_PORT');
  }
  if (port !== undefined && cert === undefined && environment.HOLDFAST_TLS_CERT_FILE === undefined) {
    problems.push('HOLDFAST_MTLS_PORT needs HOLDFAST_MTLS_CERT_FILE and HOLDFAST_MTLS_KEY_FILE, or those of TLS');
  }
  return problems;
}

function baseUrlOf(environment: Environment): string {
  if (environment.HOLDFAST_BASE_URL !== undefined) return environment.HOLDFAST_BASE_URL.replace(/\/$/, '');
  const scheme = environment.HOLDFAST_TLS_CERT_FILE === undefined ? 'http' : 'https';
  return `${scheme}://localhost:${environment.PORT}`;
}

function settings(
  environment: Environment,
  foreignEnvironment: Secrets['foreignEnvironment'],
): { config: Config; secrets: Secrets } {
  const config: Config = {
    port: environment.PORT,
    listen: environment.HOLDFAST_LISTEN ?? '127.0.0.1',
    baseUrl: baseUrlOf(environment),
    hostedBaseUrl: hostedBaseUrlOf(environment),
    firstAuthority: environment.HOLDFAST_FIRST_AUTHORITY,
    dataDir: environment.HOLDFAST_DATA_DIR,
    masterKeyFile: environment.HOLDFAST_MASTER_KEY_FILE,
    keyCustody: environment.HOLDFAST_KEY_CUSTODY,
    keyAlgorithm: environment.HOLDFAST_KEY_ALGORITHM,
    pkcs11: pkcs11Of(environment),
    tlsCertFile: environment.HOLDFAST_TLS_CERT_FILE,
    tlsKeyFile: environment.HOLDFAST_TLS_KEY_FILE,
    mtls: mtlsOf(environment),
    admissionSockets: environment.HOLDFAST_ADMISSION_SOCKETS,
    outboundAllow: environment.HOLDFAST_OUTBOUND_ALLOW,
    hookAllow: environment.HOLDFAST_HOOK_ALLOW,
    canary: canaryOf(environment),
    canaryIntervalSeconds: environment.HOLDFAST_CANARY_INTERVAL_SECONDS,
    canaryAllow: environment.HOLDFAST_CANARY_ALLOW,
    webhookAllow: environment.HOLDFAST_WEBHOOK_ALLOW,
    nameServers: environment.HOLDFAST_NAME_SERVERS,
    extraCaFile: environment.HOLDFAST_EXTRA_CA_FILE,
    allowHttp: environment.HOLDFAST_ALLOW_HTTP,
    keepAdminToken: environment.HOLDFAST_ADMIN_TOKEN_KEEP,
    logLevel: environment.HOLDFAST_LOG_LEVEL,
    databaseConnections: environment.HOLDFAST_DATABASE_CONNECTIONS,
    statementCacheBytes: environment.HOLDFAST_STATEMENT_CACHE_MB,
    resolveAnonymous: environment.HOLDFAST_RESOLVE_ANONYMOUS,
    refreshIntervalSeconds: environment.HOLDFAST_REFRESH_INTERVAL_SECONDS,
    auditCheckpointIntervalSeconds: environment.HOLDFAST_AUDIT_CHECKPOINT_INTERVAL_SECONDS,
    eventRetentionDays: environment.HOLDFAST_EVENT_RETENTION_DAYS,
    decisionRetentionDays: environment.HOLDFAST_DECISION_RETENTION_DAYS,
    mailFrom: environment.HOLDFAST_MAIL_FROM,
    trustedProxies: environment.HOLDFAST_TRUSTED_PROXIES,
    understoodClaims: environment.HOLDFAST_UNDERSTOOD_CLAIMS,
    metrics: metricsOf(environment),
    traces: tracesOf(environment),
    resolver: resolverConfigOf(environment),
  };
  const secrets: Secrets = {
    databaseUrl: environment.HOLDFAST_DATABASE_URL,
    databaseOwnerUrl: environment.HOLDFAST_DATABASE_OWNER_URL,
    masterKey: environment.HOLDFAST_MASTER_KEY,
    adminToken: environment.HOLDFAST_ADMIN_TOKEN,
    pkcs11Pin: environment.HOLDFAST_PKCS11_PIN,
    smtpUrl: environment.HOLDFAST_SMTP_URL,
    foreignEnvironment,
  };
  return { config: Object.freeze(config), secrets: Object.freeze(secrets) };
}

/** Its own certificate, or that of the other port. */
function mtlsOf(environment: Environment): MtlsConfig | undefined {
  const { HOLDFAST_MTLS_PORT: port, HOLDFAST_MTLS_LISTEN: listen } = environment;
  const certFile = environment.HOLDFAST_MTLS_CERT_FILE ?? environment.HOLDFAST_TLS_CERT_FILE;
  const keyFile = environment.HOLDFAST_MTLS_KEY_FILE ?? environment.HOLDFAST_TLS_KEY_FILE;
  if (port === undefined || certFile === undefined || keyFile === undefined) return undefined;
  return { port, listen: listen ?? environment.HOLDFAST_LISTEN ?? '127.0.0.1', certFile, keyFile };
}

function canaryOf(environment: Environment): Config['canary'] {
  const { HOLDFAST_CANARY_CERT_FILE: certFile, HOLDFAST_CANARY_KEY_FILE: keyFile } = environment;
  return certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
}

function pkcs11Of(environment: Environment): Pkcs11Config | undefined {
  const { HOLDFAST_PKCS11_MODULE: module, HOLDFAST_PKCS11_TOKEN: token } = environment;
  if (module === undefined || token === undefined) return undefined;
  return { module, token, pinFile: environment.HOLDFAST_PKCS11_PIN_FILE };
}

/** A service that is and calls itself localhost is somebody trying it out; its partners are on the same machine. */
export function isLoopbackDeployment(config: Config): boolean {
  const { listen } = config;
  const listensOnLoopback = isLoopbackHost(listen) || listen === '::1';
  return listensOnLoopback && isLoopbackHost(new URL(config.baseUrl).hostname);
}
