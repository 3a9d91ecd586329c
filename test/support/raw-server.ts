/** A TCP or TLS server on loopback that answers HTTP byte by byte as a test says, and counts what reaches it. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from './tls.ts';

/** What to do with one whole request; `request` is its text, head and body. */
export type RawAnswer = (socket: Socket, request: string) => void;

export interface RawServerOptions {
  /** Listens here; any of 127.0.0.0/8 is this machine on Linux. */
  address?: string;
  port?: number;
  tls?: boolean;
}

/** @example await using server = await serveRaw((socket) => socket.end(httpResponse(200, {}, 'hello'))); */
export async function serveRaw(answer: RawAnswer, options: RawServerOptions = {}): Promise<RawServer> {
  const tcp = options.tls ? createTlsServer({ key: TEST_TLS_KEY, cert: TEST_TLS_CERTIFICATE }) : createServer();
  const server = new RawServer(tcp, answer, options.tls ? 'secureConnection' : 'connection');
  tcp.listen(options.port ?? 0, options.address ?? '127.0.0.1');
  await once(tcp, 'listening');
  return server;
}

/** Text of a response with its `Content-Length`, unless the headers speak of the length themselves. */
export function httpResponse(status: number, headers: Record<string, string> = {}, body = ''): string {
  const length = 'transfer-encoding' in headers ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const fields = Object.entries({ ...length, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Test\r\n${fields.join('')}\r\n${body}`;
}

export class RawServer implements AsyncDisposable {
  /** Whole requests, in order of arrival. */
  readonly requests: string[] = [];
  /** TCP connections accepted so far. */
  connections = 0;
  /** Bytes received so far, before TLS is taken off. */
  bytesReceived = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #waiting: (() => void)[] = [];
  readonly #first = Promise.withResolvers<void>();

  constructor(server: Server, answer: RawAnswer, ready: 'connection' | 'secureConnection') {
    this.#server = server;
    server.on('connection', (socket: Socket) => this.#count(socket));
    server.on(ready, (socket: Socket) => this.#serve(socket, answer));
    server.on('tlsClientError', () => undefined);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves with the first connection, before any TLS handshake. */
  get connected(): Promise<void> {
    return this.#first.promise;
  }

  /** Resolves once every accepted connection has been closed. */
  async allClosed(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #count(socket: Socket): void {
    this.connections++;
    this.#open.add(socket);
    this.#first.resolve();
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.bytesReceived += socket.bytesRead;
      this.#open.delete(socket);
      if (this.#open.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  #serve(socket: Socket, answer: RawAnswer): void {
    let pending = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      for (let end = requestEnd(pending); end > 0; end = requestEnd(pending)) {
        const request = pending.slice(0, end);
        pending = pending.slice(end);
        this.requests.push(request);
        answer(socket, request);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Length of the first request in the text, 0 while it is incomplete. */
function requestEnd(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head === -1) return 0;
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
  const end = head + 4 + length;
  return text.length >= end ? end : 0;
}
