/** One HTTP server: with or without TLS, on a port or a UNIX socket; what it says where no door can, and how it closes. */
import { constants } from 'node:crypto';
import { createServer as createHttpServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { ListenOptions } from 'node:net';
import type { Duplex } from 'node:stream';
import { GATEWAY_KEEP_ALIVE_MS } from './http/admission/enforcement-point-caller.ts';
import { undecided } from './http/admission/forward-auth-answer.ts';

const SHUTDOWN_TIMEOUT_MS = 10_000;

/** Whoever does not even begin TLS is on no list of requests, and would be waited for at the end. */
const HANDSHAKE_TIMEOUT_MS = SHUTDOWN_TIMEOUT_MS;

/** How long somebody who was refused may take to read that. */
const LINGER_MS = 1000;

const LIMITS: ServerOptions = {
  // Chains of certificates in headers.
  maxHeaderSize: 128 * 1024,
};

export interface TlsFiles {
  cert: Buffer;
  key: Buffer;
  /** Whether clients are asked for a certificate. Any that they have the key of will do: who it is, a record says. */
  requestCert: boolean;
}

/** @throws Error where certificate and key are none, or do not belong together */
export function createServer(listener: RequestListener, tls?: TlsFiles): Server {
  const server =
    tls === undefined
      ? createHttpServer(LIMITS, listener)
      : createHttpsServer(
          {
            ...LIMITS,
            ...tls,
            ...(tls.requestCert ? { keepAliveTimeout: GATEWAY_KEEP_ALIVE_MS } : {}),
            rejectUnauthorized: false,
            handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
            minVersion: 'TLSv1.2',
            // A connection stays with the certificate that it began with.
            secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
          },
          listener,
        );
  server.on('checkExpectation', listener);
  // Node has given this connection away: it neither hears its errors nor closes it.
  server.on('connect', (_request, socket) => {
    socket.on('error', () => {}).resume();
    refuse(socket, 403);
  });
  server.on('clientError', refuseUnreadable);
  return server;
}

/** Gateways that ask for admission must hear 403, whatever a client made them send: of 400 and 431 nginx makes 500. */
function refuseUnreadable(error: Error & { code?: string; rawPacket?: Buffer }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const isForAdmission = /^[A-Z-]+ \S*\/api\/v1\/admission\/http[/?\s]/.test(
    error.rawPacket?.toString('latin1', 0, 4096) ?? '',
  );
  if (isForAdmission || error.code === 'HPE_HEADER_OVERFLOW') refuse(socket, 403);
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') refuse(socket, 408);
  else refuse(socket, error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW' ? 413 : 400);
}

/** Clients that keep their half of the connection, or never begin TLS, would hold it for ever. */
function refuse(socket: Duplex, status: keyof typeof STATUS_TEXTS): void {
  socket.end(rawAnswer(status));
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}

const STATUS_TEXTS = { 400: 'Bad Request', 403: 'Forbidden', 408: 'Request Timeout', 413: 'Payload Too Large' };

function rawAnswer(status: keyof typeof STATUS_TEXTS): string {
  const start = `HTTP/1.1 ${status} ${STATUS_TEXTS[status]}\r\nConnection: close\r\n`;
  if (status !== 403) return `${start}Content-Length: 0\r\n\r\n`;
  const { headers, body } = undecided('request_unreadable');
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${start}${lines.join('')}\r\n${body}`;
}

/** Rejects with what the system says, such as EADDRINUSE. */
export async function listen(server: Server, where: ListenOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Stops accepting, lets requests under way finish, then cuts what is left. */
export async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), SHUTDOWN_TIMEOUT_MS);
  await closed;
  clearTimeout(timer);
}
