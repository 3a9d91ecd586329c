/**
 * An API behind a gateway that asks Holdfast before each request. It judges neither certificates nor tokens: whoever
 * gets through to it was admitted, and the gateway's headers say who that is.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { serveProgram } from './program.ts';

/** It must listen where only the gateway can connect, such as a UNIX socket: whoever else can may call himself anybody. */
export function createResourceServer(): Server {
  return createServer(answer);
}

function answer({ method, url, headers }: IncomingMessage, outgoing: ServerResponse): void {
  const isKnown = method === 'GET' && url === '/accounts';
  const caller = {
    participant: headers['holdfast-participant'],
    organisation: headers['holdfast-organisation'],
    roles: headers['holdfast-roles'],
  };
  const body = isKnown ? { accounts: [{ id: '4711', balance: '12.50' }], for: caller } : { title: 'Not Found' };
  outgoing.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  outgoing.end(`${JSON.stringify(body)}\n`);
}

/** `node resource-server.ts SETTINGS.json` */
if (import.meta.main) await serveProgram(createResourceServer);
