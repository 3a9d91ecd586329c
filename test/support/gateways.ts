/** Real gateways as operators run them, with the very files of gateways/, and clients with certificates. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { Agent, type AgentOptions, request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { freePort } from './cli.ts';

const FILES = join(import.meta.dirname, '../../gateways');

export const GATEWAY_NAMES = ['nginx', 'haproxy', 'caddy'] as const;
export type GatewayName = (typeof GATEWAY_NAMES)[number];

const VERSION_ARGUMENT: Record<GatewayName, string> = { nginx: '-v', haproxy: '-v', caddy: 'version' };

/** Debian has servers where only root looks for programs. */
const PATH = `${process.env.PATH}:/usr/sbin`;

/** Those that this machine lacks. */
export function missingGateways(): GatewayName[] {
  return GATEWAY_NAMES.filter((name) => {
    try {
      execFileSync(name, [VERSION_ARGUMENT[name]], { stdio: 'ignore', env: { ...process.env, PATH } });
      return false;
    } catch {
      return true;
    }
  });
}

/** What a gateway stands in front of, and what it is. */
export interface GatewaySettings {
  /** For its files. */
  folder: string;
  /** What it protects, on 127.0.0.1. */
  apiPort: number;
  /** Its own certificate and key, PEM. */
  certificate: string;
  key: string;
}

export interface Gateway extends AsyncDisposable {
  name: GatewayName;
  /** On localhost. */
  port: number;
}

/** Asks Holdfast on 127.0.0.1, known by its token; nobody, where somebody lost the line that says so. */
export async function startNginx(
  settings: GatewaySettings,
  holdfast: { port: number; token: string },
  { asks = true } = {},
): Promise<Gateway> {
  const { file, port } = await prepare('nginx', settings);
  const tokenFile = file('token.conf', `proxy_set_header Holdfast-Enforcement-Point "${holdfast.token}";\n`);
  const site = withValues(readFileSync(join(FILES, 'nginx/holdfast.conf'), 'utf8'), {
    'server 127.0.0.1:8080;': `server 127.0.0.1:${holdfast.port};`,
    'server 127.0.0.1:9000;': `server 127.0.0.1:${settings.apiPort};`,
    'listen 443 ssl;': `listen 127.0.0.1:${port} ssl;`,
    '/etc/nginx/tls/api.pem': file('api.pem', settings.certificate),
    '/etc/nginx/tls/api.key': file('api.key', settings.key),
    'include /etc/nginx/holdfast-token.conf': `include ${tokenFile}`,
    ...(asks ? {} : { 'auth_request /holdfast-admission;': '' }),
  });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(settings.folder, kind)};`,
  );
  const configuration = [
    `daemon off; pid ${join(settings.folder, 'nginx.pid')}; error_log stderr warn; worker_processes 1;`,
    'events { worker_connections 256; }',
    `http { access_log off; ${temporary.join(' ')} include ${file('holdfast.conf', site)}; }`,
  ];
  const main = file('nginx.conf', `${configuration.join('\n')}\n`);
  return await run('nginx', ['-p', settings.folder, '-e', 'stderr', '-c', main], port);
}

/** Asks Holdfast through the UNIX socket that is its own. */
export async function startHaproxy(settings: GatewaySettings, holdfast: { socket: string }): Promise<Gateway> {
  const { file, port } = await prepare('haproxy', settings);
  return await run('haproxy', ['-db', '-f', join(FILES, 'haproxy/haproxy.cfg')], port, {
    API_LISTEN: `127.0.0.1:${port}`,
    API_CERTIFICATE: file('api.pem', settings.certificate + settings.key),
    API_SERVER: `127.0.0.1:${settings.apiPort}`,
    HOLDFAST_ADMISSION_SOCKET: holdfast.socket,
    HOLDFAST_LUA: join(FILES, 'haproxy/holdfast.lua'),
  });
}

/** Asks Holdfast on localhost, known by the certificate that it connects with. */
export async function startCaddy(
  settings: GatewaySettings,
  holdfast: { mtlsPort: number; ca: string; clientCertificate: string; clientKey: string },
): Promise<Gateway> {
  const { file, port } = await prepare('caddy', settings);
  return await run('caddy', ['run', '--adapter', 'caddyfile', '--config', join(FILES, 'caddy/Caddyfile')], port, {
    API_LISTEN: `https://localhost:${port}`,
    API_CERTIFICATE: file('api.pem', settings.certificate),
    API_KEY: file('api.key', settings.key),
    API_SERVER: `127.0.0.1:${settings.apiPort}`,
    HOLDFAST_UPSTREAM: `https://localhost:${holdfast.mtlsPort}`,
    HOLDFAST_CLIENT_CERTIFICATE: file('holdfast.pem', holdfast.clientCertificate),
    HOLDFAST_CLIENT_KEY: file('holdfast.key', holdfast.clientKey),
    HOLDFAST_CA: file('holdfast-ca.pem', holdfast.ca),
    XDG_DATA_HOME: settings.folder,
    XDG_CONFIG_HOME: settings.folder,
  });
}

async function prepare(name: GatewayName, { folder }: GatewaySettings) {
  mkdirSync(folder, { recursive: true });
  const file = (ending: string, content: string): string => {
    const path = join(folder, `${name}-${ending}`);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  return { file, port: await freePort() };
}

/** @throws Error where the file no longer has what is replaced, so that a test would start something else */
function withValues(content: string, values: Readonly<Record<string, string>>): string {
  let changed = content;
  for (const [value, replacement] of Object.entries(values)) {
    if (!changed.includes(value)) throw new Error(`the configuration has no ${value}`);
    changed = changed.replace(value, replacement);
  }
  return changed;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function run(
  name: GatewayName,
  args: readonly string[],
  port: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<Gateway> {
  const child = spawn(name, args, {
    env: { ...process.env, PATH, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.add(child);
  const said = text(child.stderr);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
  });
  const failed = ended.then(async (how) => {
    running.delete(child);
    throw new Error(`${name}: ${how}\n${await said}`);
  });
  failed.catch(() => {});
  await Promise.race([accepting(port), failed]);
  return {
    name,
    port,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function accepting(port: number): Promise<void> {
  const isAccepting = await new Promise<boolean>((resolve) => {
    const trial = connect(port, '127.0.0.1', () => trial.end(() => resolve(true)));
    trial.on('error', () => resolve(false));
  });
  if (isAccepting) return;
  await pause(20);
  await accepting(port);
}

/** What is behind a gateway: it answers with the headers that it was sent, names in small letters, and counts. */
export async function startEchoApi(): Promise<{ port: number; readonly requests: number } & AsyncDisposable> {
  let requests = 0;
  const server = createServer((incoming, outgoing) => {
    requests++;
    const { rawHeaders } = incoming;
    const pairs = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]]] : [],
    );
    incoming.resume();
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(pairs));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get requests() {
      return requests;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export interface GatewayAnswer {
  status: number;
  /** `Holdfast-Reason`. */
  reason: string | undefined;
  body: string;
  /** Of the connection, so that two answers may be compared. */
  localPort: number;
  isSessionReused: boolean;
}

export interface ClientSettings {
  /** PEM; none by default. */
  certificate?: string;
  key?: string;
  maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** A partner in front of a gateway: one connection, kept open; `renew` begins another. */
export class GatewayClient implements Disposable {
  readonly #options: AgentOptions;
  readonly #port: number;
  #agent: Agent;

  constructor(port: number, { certificate, key, maxVersion = 'TLSv1.3' }: ClientSettings = {}) {
    this.#port = port;
    this.#options = {
      ...{ keepAlive: true, maxSockets: 1, maxVersion, rejectUnauthorized: false },
      ...(certificate !== undefined && { cert: certificate, key }),
    };
    this.#agent = new Agent(this.#options);
  }

  /** The next request goes over a new connection. @param resumes whether the TLS session is taken along */
  renew({ resumes = false } = {}): void {
    // Node keeps sessions by agent, so a new one has none.
    for (const socket of Object.values(this.#agent.freeSockets).flat()) socket?.destroy();
    if (!resumes) {
      this.#agent.destroy();
      this.#agent = new Agent(this.#options);
    }
  }

  /** @param headers as flat list, in which a name may stand twice */
  async ask(path = '/accounts', headers: readonly string[] = [], method = 'GET'): Promise<GatewayAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent = request({
      ...{ host: 'localhost', family: 4, port: this.#port, path, method, agent: this.#agent },
      headers: ['host', `localhost:${this.#port}`, ...headers],
    });
    sent.once('response', resolve).once('error', reject);
    sent.end();
    const response = await promise;
    // Once the body is read, the agent has the socket back.
    const socket = response.socket as TLSSocket;
    const { localPort = 0 } = socket;
    const isSessionReused = socket.isSessionReused();
    const { statusCode: status = 0 } = response;
    const reason = response.headers['holdfast-reason'];
    return { status, reason: reason?.toString(), body: await text(response), localPort, isSessionReused };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
