/** Where requests come in: the ports and UNIX sockets, which turn them away until the service is ready. */
import { chmod, lstat, readFile, unlink } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import { connect } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { AdmissionSocket } from './config/admission-sockets.ts';
import type { Config } from './config/config.ts';
import { belongsToEnforcementPoint, GATEWAY_KEEP_ALIVE_MS } from './http/admission/enforcement-point-caller.ts';
import { undecided } from './http/admission/forward-auth-answer.ts';
import { isForwardAuth, send } from './http/admission/forward-auth-door.ts';
import type { App } from './http/create-app.ts';
import { StartError } from './start-error.ts';
import { close, createServer, listen } from './start-server.ts';

export interface Entrance extends AsyncDisposable {
  admit(app: App): void;
}

/** @throws StartError when a port, its address, a socket or the certificate cannot be had */
export async function openEntrance(config: Config): Promise<Entrance> {
  let app: Pick<App, 'listener' | 'admissionListener'> = { listener: turnAway, admissionListener: turnAway };
  const everything: RequestListener = (incoming, outgoing) => app.listener(incoming, outgoing);
  const admission: RequestListener = (incoming, outgoing) => app.admissionListener(incoming, outgoing);
  const servers: Server[] = [];
  try {
    for (const port of portsOf(config)) servers.push(await openPort(everything, port));
    for (const socket of config.admissionSockets) servers.push(await openAdmissionSocket(admission, socket));
  } catch (error) {
    await Promise.all(servers.map(close));
    throw error;
  }
  let closed: Promise<unknown> | undefined;
  return {
    admit(admitting) {
      app = admitting;
    },
    async [Symbol.asyncDispose]() {
      closed ??= Promise.all(servers.map(close));
      await closed;
    },
  };
}

interface Port {
  /** Settings that name it, for complaints. */
  setting: string;
  tlsSettings: string;
  host: string;
  port: number;
  certFile: string | undefined;
  keyFile: string | undefined;
  requestCert: boolean;
}

function portsOf({ listen: host, port, tlsCertFile, tlsKeyFile, mtls }: Config): Port[] {
  const tlsSettings = 'HOLDFAST_TLS_CERT_FILE and HOLDFAST_TLS_KEY_FILE';
  const files = { certFile: tlsCertFile, keyFile: tlsKeyFile };
  const first = { setting: 'PORT', host, port, tlsSettings, ...files, requestCert: false };
  if (mtls === undefined) return [first];
  const { listen: mtlsHost, ...others } = mtls;
  const settings = { setting: 'HOLDFAST_MTLS_PORT', tlsSettings: tlsSettings.replaceAll('_TLS_', '_MTLS_') };
  return [first, { ...settings, host: mtlsHost, ...others, requestCert: true }];
}

const turnAwayOthers = getRequestListener(stillStarting);

const turnAway: RequestListener = (incoming, outgoing) => {
  if (isForwardAuth(incoming.url)) send(undecided('service_starting'), incoming, outgoing);
  else turnAwayOthers(incoming, outgoing);
};

/** A body for clients of the federation endpoints and of the API alike. */
function stillStarting(): Response {
  const description = 'the service is starting; try again in a moment';
  const body = { error: 'temporarily_unavailable', error_description: description, detail: description };
  return Response.json(body, { status: 503, headers: { 'retry-after': '1', 'cache-control': 'no-store' } });
}

async function openPort(listener: RequestListener, port: Port): Promise<Server> {
  const server = await serverFor(listener, port);
  const { setting, host, port: number } = port;
  await listen(server, { host, port: number }).catch((cause) => {
    const wayOut = `choose another ${setting} or address to listen on; nothing was created or changed`;
    throw new StartError(`cannot listen on ${host}:${number} (${cause.code}): ${wayOut}`, { cause });
  });
  return server;
}

async function serverFor(
  listener: RequestListener,
  { certFile, keyFile, requestCert, tlsSettings }: Port,
): Promise<Server> {
  if (certFile === undefined || keyFile === undefined) return createServer(listener);
  try {
    return createServer(listener, { cert: await readFile(certFile), key: await readFile(keyFile), requestCert });
  } catch (cause) {
    const complaint = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`cannot serve https with ${tlsSettings}: ${complaint}`, { cause });
  }
}

/** Whom it lets in, the file system says: its owner and its group. Whoever comes through it is that enforcement point. */
async function openAdmissionSocket(
  listener: RequestListener,
  { enforcementPointId, path }: AdmissionSocket,
): Promise<Server> {
  const server = createServer(listener);
  server.keepAliveTimeout = GATEWAY_KEEP_ALIVE_MS;
  server.on('connection', (connection) => belongsToEnforcementPoint(connection, enforcementPointId));
  try {
    await removeIfAbandoned(path);
    await listen(server, { path });
    await chmod(path, 0o660);
    return server;
  } catch (cause) {
    if (server.listening) await close(server);
    const code = cause instanceof Error && 'code' in cause ? cause.code : String(cause);
    throw new StartError(`cannot listen on ${path} (${code}), which HOLDFAST_ADMISSION_SOCKETS names`, { cause });
  }
}

/** A process that was killed leaves its socket behind; one that answers is left alone, and so is any other file. */
async function removeIfAbandoned(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || !found.isSocket()) return;
  const isAbandoned = await new Promise<boolean>((resolve) => {
    const trial = connect(path, () => resolve(false));
    trial.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
    trial.on('connect', () => trial.destroy());
  });
  if (isAbandoned) await unlink(path);
}
