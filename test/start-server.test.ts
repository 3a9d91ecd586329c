import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { close, createServer, listen } from '../src/start-server.ts';
import { freePort } from './support/cli.ts';

const CONNECT = 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n';

async function serve() {
  const port = await freePort();
  const server = createServer((_, outgoing) => outgoing.end('ok'));
  await listen(server, { host: '127.0.0.1', port });
  /** Keeps its half open, whatever the server does. */
  const send = (text: string): Socket => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {}).setEncoding('latin1');
    socket.write(text);
    return socket;
  };
  return { server, send };
}

async function said(socket: Socket): Promise<string> {
  let text = '';
  for await (const part of socket) text += part;
  return text;
}

it('outlives who asks for a tunnel and resets the connection', async () => {
  const { server, send } = await serve();
  const given = once(server, 'connect');
  const client = send(CONNECT);
  const [, socket] = await given;
  client.resetAndDestroy();
  await new Promise((resolve) => socket.once('close', resolve));
  expect(await said(send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'))).toContain('\r\n\r\nok');
  await close(server);
});

it.concurrent.each([
  ['a tunnel', CONNECT, '403'],
  ['what is no HTTP', 'nonsense\r\n\r\n', '400'],
  ['admission in what is no HTTP', 'GET /api/v1/admission/http HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n', '403'],
])('refuses %s, and waits for nobody who keeps the connection', async (_, text, status) => {
  const { server, send } = await serve();
  const client = send(text);
  // The end is that of the server's half; ours stays open.
  let answer = '';
  client.on('data', (part) => {
    answer += part;
  });
  await once(client, 'end');
  expect(answer).toContain(`HTTP/1.1 ${status} `);
  expect(client.writable).toBe(true);
  await close(server);
  client.destroy();
});

it.each(['h2c', 'websocket'])('answers a request for %s as any other', async (protocol) => {
  const { server, send } = await serve();
  const lines = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade, close', `Upgrade: ${protocol}`];
  expect(await said(send(`${lines.join('\r\n')}\r\n\r\n`))).toMatch(/^HTTP\/1.1 200 /);
  await close(server);
});
