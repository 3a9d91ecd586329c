/** One HTTP server: with or without TLS, on a port or a UNIX socket; what it says where no door can, and how it closes. */
import { constants } from 'node:crypto';
import { createServer as createHttpServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { ListenOptions, Socket } from 'node:net';
import { undecided } from './http/admission/forward-auth-answer.ts';

const SHUTDOWN_TIMEOUT_MS = 10_000;

/** Longer than gateways keep idle connections to those they ask: otherwise one closes what the other just uses. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

const LIMITS: ServerOptions = {
  // Chains of certificates in headers.
  maxHeaderSize: 128 * 1024,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
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
            rejectUnauthorized: false,
            minVersion: 'TLSv1.2',
            // A connection stays with the certificate that it began with.
            secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
          },
          listener,
        );
  server.on('checkExpectation', listener);
  server.on('connect', (_request, socket) => socket.end(rawAnswer(403)));
  server.on('clientError', refuseUnreadable);
  return server;
}

/** Gateways that ask for admission must hear 403, whatever a client made them send: of 400 and 431 nginx makes 500. */
function refuseUnreadable(error: Error & { code?: string; rawPacket?: Buffer }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const isForAdmission = /^[A-Z-]+ \S*\/api\/v1\/admission\/http[/?\s]/.test(
    error.rawPacket?.toString('latin1', 0, 4096) ?? '',
  );
  if (isForAdmission || error.code === 'HPE_HEADER_OVERFLOW') socket.end(rawAnswer(403));
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') socket.end(rawAnswer(408));
  else socket.end(rawAnswer(error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW' ? 413 : 400));
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
