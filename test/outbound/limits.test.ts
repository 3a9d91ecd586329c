import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { failureOf, testClient } from '../support/outbound.ts';
import { httpResponse, serveRaw } from '../support/raw-server.ts';

const CHUNKED = { 'transfer-encoding': 'chunked' };
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

/** How long `work` took, in ms. */
async function durationOf(work: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work;
  return performance.now() - start;
}

describe('size', () => {
  it('[OIDFED-18.1-1] accepts a body of exactly the limit', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200, {}, 'x'.repeat(100))));
    await using client = testClient({ maxResponseBytes: 100 });
    expect((await client.get(`http://127.0.0.1:${server.port}/`)).body.length).toBe(100);
  });

  it('F53 [OIDFED-18.1-1] refuses a longer body by its Content-Length, before any of it arrives', async () => {
    await using server = await serveRaw((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n'));
    await using client = testClient({ maxResponseBytes: 100 });
    const failure = await failureOf(client.get(`http://127.0.0.1:${server.port}/`));
    expect(failure.reason).toBe('response_too_large');
    expect(failure.message).toContain('100 bytes');
    await server.allClosed();
  });

  it('F53 [OIDFED-18.1-1] cuts a longer body that comes without Content-Length', async () => {
    await using server = await serveRaw((socket) => {
      socket.write(httpResponse(200, CHUNKED));
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk('x'.repeat(50))));
      };
      socket.on('drain', more);
      more();
    });
    await using client = testClient({ maxResponseBytes: 100 });
    expect((await failureOf(client.get(`http://127.0.0.1:${server.port}/`))).reason).toBe('response_too_large');
    await server.allClosed();
  });

  it('[OIDFED-18.1-1] cuts a longer body that ends with the connection', async () => {
    await using server = await serveRaw((socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(101)}`));
    await using client = testClient({ maxResponseBytes: 100 });
    expect((await failureOf(client.get(`http://127.0.0.1:${server.port}/`))).reason).toBe('response_too_large');
  });

  it('takes the limit of the request before that of the client', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200, {}, 'x'.repeat(150))));
    await using client = testClient({ maxResponseBytes: 100 });
    const url = `http://127.0.0.1:${server.port}/`;
    expect((await client.get(url, { maxResponseBytes: 200 })).body.length).toBe(150);
    expect((await failureOf(client.get(url, { maxResponseBytes: 149 }))).reason).toBe('response_too_large');
  });

  it('allows 256 KiB unless told otherwise', async () => {
    await using server = await serveRaw((socket, request) =>
      socket.write(httpResponse(200, {}, 'x'.repeat(Number(request.split(' ')[1]?.slice(1))))),
    );
    await using client = testClient();
    const limit = 256 * 1024;
    expect((await client.get(`http://127.0.0.1:${server.port}/${limit}`)).body.length).toBe(limit);
    const failure = await failureOf(client.get(`http://127.0.0.1:${server.port}/${limit + 1}`));
    expect(failure.reason).toBe('response_too_large');
  });

  it('refuses a header section without end', async () => {
    await using server = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => {
        while (!socket.destroyed && socket.write(`X-Filler: ${'x'.repeat(1000)}\r\n`));
      };
      socket.on('drain', more);
      more();
    });
    await using client = testClient();
    expect((await failureOf(client.get(`http://127.0.0.1:${server.port}/`))).reason).toBe('response_too_large');
    await server.allClosed();
  });
});

describe('content coding', () => {
  it.each(['gzip', 'GZIP', 'br', 'deflate', 'zstd', 'identity, gzip', 'x-unknown'])(
    'refuses a body in %s, bomb or not, unread',
    async (coding) => {
      const bomb = gzipSync(Buffer.alloc(5_000_000));
      await using server = await serveRaw((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${bomb.length}\r\n\r\n`);
        socket.write(bomb);
      });
      await using client = testClient();
      const failure = await failureOf(client.get(`http://127.0.0.1:${server.port}/`));
      expect(failure.reason).toBe('content_type_unexpected');
      await server.allClosed();
    },
  );

  it.each(['identity', 'Identity', ''])('accepts a body in %j', async (coding) => {
    await using server = await serveRaw((socket) =>
      socket.write(httpResponse(200, { 'content-encoding': coding }, 'x')),
    );
    await using client = testClient();
    expect((await client.get(`http://127.0.0.1:${server.port}/`)).status).toBe(200);
  });
});

describe('time', () => {
  const timeoutMs = 150;
  const muchLaterMs = 2000;

  it('[OIDFED-18.1-1] gives up on a server that never answers', async () => {
    await using server = await serveRaw(() => undefined);
    await using client = testClient({ timeoutMs });
    const failure = failureOf(client.get(`http://127.0.0.1:${server.port}/`));
    expect(await durationOf(failure)).toBeLessThan(muchLaterMs);
    expect((await failure).reason).toBe('timed_out');
    await server.allClosed();
  });

  /** Writes `piece` every 20 ms: activity that never ends, each gap far below the limit. */
  const drip = (piece: string, opening: string) => (socket: Socket) => {
    socket.write(opening);
    const timer = setInterval(() => socket.write(piece), 20);
    socket.once('close', () => clearInterval(timer));
  };

  it.each([
    ['headers', drip('X', 'HTTP/1.1 200 OK\r\nX-Slow: ')],
    ['interim responses', drip('HTTP/1.1 103 Early Hints\r\n\r\n', '')],
    ['a body', drip('x', 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')],
    ['chunks', drip(chunk('x'), httpResponse(200, CHUNKED))],
  ])('F53 [OIDFED-18.1-1] gives up on a server that drips %s', async (_what, answer) => {
    await using server = await serveRaw(answer);
    await using client = testClient({ timeoutMs });
    const failure = failureOf(client.get(`http://127.0.0.1:${server.port}/`));
    expect(await durationOf(failure)).toBeLessThan(muchLaterMs);
    expect((await failure).reason).toBe('timed_out');
    await server.allClosed();
  });

  it('gives up on a TLS handshake that is not answered', async () => {
    await using server = await serveRaw(() => undefined);
    await using client = testClient({ timeoutMs });
    const failure = failureOf(client.get(`https://127.0.0.1:${server.port}/`));
    expect(await durationOf(failure)).toBeLessThan(muchLaterMs);
    expect((await failure).reason).toBe('timed_out');
    await server.allClosed();
    expect(server.connections).toBe(1);
  });

  it('gives up on a name whose resolution never ends', async () => {
    await using client = testClient({ timeoutMs, lookup: () => new Promise(() => undefined) });
    const failure = failureOf(client.get('https://partner.example/'));
    expect(await durationOf(failure)).toBeLessThan(muchLaterMs);
    expect((await failure).reason).toBe('timed_out');
  });

  it('ends an attempt to connect after the time of the client, even if the request would wait longer', async () => {
    await using client = testClient({ timeoutMs, lookup: () => new Promise(() => undefined) });
    const failure = failureOf(client.get('https://partner.example/', { timeoutMs: 20_000 }));
    expect(await durationOf(failure)).toBeLessThan(muchLaterMs);
    expect((await failure).message).toBe('no connection to partner.example within 150 ms');
  });

  it('counts the time that a request waits for a free connection', async () => {
    const busy = Promise.withResolvers<void>();
    await using server = await serveRaw(() => busy.resolve());
    const client = testClient({ timeoutMs: 20_000, maxConnectionsPerHost: 1 });
    const url = `http://127.0.0.1:${server.port}/`;
    const first = failureOf(client.get(url));
    await busy.promise;
    const waiting = failureOf(client.get(url, { timeoutMs }));
    expect(await durationOf(waiting)).toBeLessThan(muchLaterMs);
    expect((await waiting).reason).toBe('timed_out');
    expect(server.requests.length).toBe(1);
    await client[Symbol.asyncDispose]();
    await first;
  });

  it('takes the limit of the request before that of the client', async () => {
    await using server = await serveRaw(() => undefined);
    await using client = testClient({ timeoutMs: 20_000 });
    const failure = failureOf(client.get(`http://127.0.0.1:${server.port}/`, { timeoutMs }));
    expect(await durationOf(failure)).toBeLessThan(muchLaterMs);
    expect((await failure).message).toContain('within 150 ms');
  });
});

describe('broken servers', () => {
  it.each([
    ['closes at once', ''],
    ['closes within the headers', 'HTTP/1.1 200 OK\r\nContent-'],
    ['closes within the body', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
    ['does not speak HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['switches protocols', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
    ['states two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  ])('reports a server that %s', async (_what, bytes) => {
    await using server = await serveRaw((socket) => socket.end(bytes));
    await using client = testClient();
    const failure = await failureOf(client.get(`http://127.0.0.1:${server.port}/`));
    expect(failure.reason).toBe('connection_failed');
    expect(failure.message).toContain(`127.0.0.1:${server.port}`);
    expect(failure.message).not.toContain('SSH');
  });

  it('reports a port where nobody listens', async () => {
    const server = await serveRaw(() => undefined);
    const { port } = server;
    await server[Symbol.asyncDispose]();
    await using client = testClient();
    const failure = await failureOf(client.get(`http://127.0.0.1:${port}/`));
    expect(failure.reason).toBe('connection_failed');
    expect(failure.message).toContain('ECONNREFUSED');
  });
});
