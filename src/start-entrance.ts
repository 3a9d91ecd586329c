/** The port: with or without TLS, it turns requests away until the service is ready, and closes in order. */
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { getRequestListener } from '@hono/node-server';
import type { Config } from './config/config.ts';
import { StartError } from './start-error.ts';

const SHUTDOWN_TIMEOUT_MS = 10_000;

/** The port, which turns every request away until the service is ready. */
export interface Entrance extends AsyncDisposable {
  admit(listener: RequestListener): void;
}

/** @throws StartError when the port, its address or the certificate cannot be had */
export async function openEntrance(config: Config): Promise<Entrance> {
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
