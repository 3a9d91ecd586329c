import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createFetchClient, type Fetch, type FetchClientOptions } from '../../src/outbound/fetch-client.ts';
import type { OutboundClient } from '../../src/outbound/outbound-client.ts';
import { failureOf } from '../support/outbound.ts';
import { httpResponse, serveRaw } from '../support/raw-server.ts';

const CHUNKED = { 'transfer-encoding': 'chunked' };
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

function clientOf(options: Partial<FetchClientOptions> = {}): OutboundClient {
  return createFetchClient({ fetch, allowHttp: false, userAgent: 'holdfast/test', timeoutMs: 5000, ...options });
}

/** A fetch that hears no signal, as careless wrappers do. */
const deafFetch: Fetch = (url, { signal: _, ...init }) => fetch(url, init);

describe('a client made of a fetch', () => {
  it('gives status, media type, headers and body', async () => {
    await using server = await serveRaw((socket) =>
      socket.end(httpResponse(404, { 'content-type': 'Application/Entity-Statement+JWT; q=1', etag: '"1"' }, 'hello')),
    );
    await using client = clientOf();
    const response = await client.get(`http://127.0.0.1:${server.port}/`);
    expect(response).toMatchObject({ status: 404, contentType: 'application/entity-statement+jwt' });
    expect(response.headers.get('etag')).toBe('"1"');
    expect(new TextDecoder().decode(response.body)).toBe('hello');
  });

  it('puts a body together that comes in pieces, and takes one that is missing for empty', async () => {
    await using server = await serveRaw((socket, request) =>
      request.includes('/pieces')
        ? socket.end(`${httpResponse(200, CHUNKED)}${chunk('one ')}${chunk('two')}${chunk('')}`)
        : socket.end('HTTP/1.1 204 No Content\r\n\r\n'),
    );
    await using client = clientOf();
    const pieces = await client.get(`http://127.0.0.1:${server.port}/pieces`);
    expect(new TextDecoder().decode(pieces.body)).toBe('one two');
    expect(pieces.contentType).toBeUndefined();
    expect((await client.get(`http://127.0.0.1:${server.port}/`)).body).toEqual(new Uint8Array());
  });

  it('asks as the caller says: GET, media types, User-Agent, no coding', async () => {
    await using server = await serveRaw((socket) => socket.end(httpResponse(200)));
    await using client = clientOf();
    await client.get(`http://127.0.0.1:${server.port}/x?y=1`, { accept: ['application/a', 'application/b'] });
    const [request = ''] = server.requests;
    expect(request).toMatch(/^GET \/x\?y=1 HTTP\/1\.1\r\n/);
    expect(request).toMatch(/\r\naccept: application\/a, application\/b\r\n/i);
    expect(request).toMatch(/\r\nuser-agent: holdfast\/test\r\n/i);
    expect(request).toMatch(/\r\naccept-encoding: identity\r\n/i);
  });

  it('posts a body, text or bytes, with its media type', async () => {
    await using server = await serveRaw((socket) => socket.end(httpResponse(200)));
    await using client = clientOf();
    const contentType = 'application/x-www-form-urlencoded';
    for (const body of ['a=1', new TextEncoder().encode('a=1')]) {
      await client.post(`http://127.0.0.1:${server.port}/`, { body, contentType });
    }
    expect(server.requests).toHaveLength(2);
    for (const request of server.requests) {
      expect(request).toMatch(/^POST \/ HTTP\/1\.1\r\n/);
      expect(request).toMatch(/\r\ncontent-type: application\/x-www-form-urlencoded\r\n/i);
      expect(request).toMatch(/\r\n\r\na=1$/);
    }
  });

  it('asks whether what is known still holds, and gives a 304 back', async () => {
    await using server = await serveRaw((socket) => socket.end('HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'));
    await using client = clientOf();
    expect((await client.get(`http://127.0.0.1:${server.port}/`, { ifNoneMatch: '"1"' })).status).toBe(304);
    expect(server.requests[0]).toMatch(/\r\nif-none-match: "1"\r\n/i);
  });

  it.each([301, 302, 303, 307, 308])(
    '[OIDFED-9-5] refuses a redirect with status %i and sends nothing to its destination',
    async (status) => {
      await using destination = await serveRaw((socket) => socket.end(httpResponse(200)));
      const location = `http://127.0.0.1:${destination.port}/`;
      await using server = await serveRaw((socket) => socket.end(httpResponse(status, { location })));
      await using client = clientOf();
      expect((await failureOf(client.get(`http://127.0.0.1:${server.port}/`))).reason).toBe('redirect_refused');
      expect(destination.connections).toBe(0);
    },
  );

  it('refuses the answer of a fetch that followed a redirect all the same', async () => {
    await using server = await serveRaw((socket, request) =>
      socket.end(request.includes('/here') ? httpResponse(200) : httpResponse(302, { location: '/here' })),
    );
    await using client = clientOf({ fetch: (url, init) => fetch(url, { ...init, redirect: 'follow' }) });
    expect((await failureOf(client.get(`http://127.0.0.1:${server.port}/`))).reason).toBe('redirect_refused');
  });

  it('takes a body of exactly the limit, and none that is longer by its Content-Length', async () => {
    await using server = await serveRaw((socket) => socket.end(httpResponse(200, {}, 'x'.repeat(100))));
    await using client = clientOf();
    const url = `http://127.0.0.1:${server.port}/`;
    expect((await client.get(url, { maxResponseBytes: 100 })).body.length).toBe(100);
    const failure = await failureOf(client.get(url, { maxResponseBytes: 99 }));
    expect(failure.reason).toBe('response_too_large');
    expect(failure.message).toContain('99 bytes');
  });

  it('[OIDFED-18.1-1] cuts a body without end at the limit, and lets go of the connection', async () => {
    await using server = await serveRaw((socket) => {
      socket.write(httpResponse(200, CHUNKED));
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk('x'.repeat(5000))));
      };
      socket.on('drain', more);
      more();
    });
    await using client = clientOf();
    const failure = await failureOf(client.get(`http://127.0.0.1:${server.port}/`, { maxResponseBytes: 10_000 }));
    expect(failure.reason).toBe('response_too_large');
    await server.allClosed();
  });

  it('[OIDFED-18.1-1] counts a compressed body as it is after expansion', async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000));
    await using server = await serveRaw((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`);
      socket.end(bomb);
    });
    await using client = clientOf();
    expect((await failureOf(client.get(`http://127.0.0.1:${server.port}/`))).reason).toBe('response_too_large');
  });

  it.each([
    ['never answers', () => undefined],
    [
      'stops in its body',
      (socket: { write(text: string): unknown }) => socket.write(`${httpResponse(200, CHUNKED)}${chunk('x')}`),
    ],
  ])(
    '[OIDFED-18.1-1] gives up on a server that %s, whether or not the fetch hears the signal',
    async (_what, answer) => {
      await using server = await serveRaw((socket) => void answer(socket));
      for (const given of [fetch, deafFetch]) {
        await using client = clientOf({ fetch: given, timeoutMs: 150 });
        const begin = performance.now();
        const failure = await failureOf(client.get(`http://127.0.0.1:${server.port}/`));
        expect(failure.reason).toBe('timed_out');
        expect(performance.now() - begin).toBeLessThan(2000);
      }
    },
  );

  it('tells what the network does by its code', async () => {
    const server = await serveRaw(() => undefined);
    const { port } = server;
    await server[Symbol.asyncDispose]();
    await using client = clientOf();
    const failure = await failureOf(client.get(`http://127.0.0.1:${port}/`));
    expect([failure.reason, failure.message]).toEqual([
      'connection_failed',
      `the connection to 127.0.0.1:${port} failed (ECONNREFUSED)`,
    ]);
  });

  it('takes whatever else a fetch throws, at once or later, for a failed connection', async () => {
    const broken: Fetch[] = [
      () => Promise.reject(new Error('no route')),
      () => {
        throw new Error('not even that');
      },
    ];
    for (const given of broken) {
      await using client = clientOf({ fetch: given });
      expect((await failureOf(client.get('https://fed.example/'))).reason).toBe('connection_failed');
    }
  });

  it.each(['http://fed.example/', 'ftp://fed.example/', 'https://me:secret@fed.example/', 'nothing'])(
    'asks nobody for %s',
    async (url) => {
      let asked = 0;
      const counting: Fetch = async () => {
        asked++;
        return new Response();
      };
      await using client = clientOf({ fetch: counting });
      const failure = await failureOf(client.get(url));
      expect([failure.reason, asked]).toEqual(['address_forbidden', 0]);
      expect(failure.message).not.toContain('secret');
    },
  );

  it('accepts http of any host where that is allowed', async () => {
    await using client = clientOf({ allowHttp: true, fetch: async () => new Response('yes') });
    expect((await client.get('http://fed.example/')).status).toBe(200);
  });

  it("rejects with the caller's reason when the caller gives up, and sends nothing when that was before", async () => {
    await using server = await serveRaw(() => undefined);
    await using client = clientOf();
    const controller = new AbortController();
    const reason = new Error('no longer needed');
    const url = `http://127.0.0.1:${server.port}/`;
    const underWay = client.get(url, { signal: controller.signal });
    const outcome = expect(underWay).rejects.toBe(reason);
    await server.connected;
    controller.abort(reason);
    await outcome;
    await expect(client.get(url, { signal: controller.signal })).rejects.toBe(reason);
    expect(server.connections).toBe(1);
  });

  it('breaks off what is under way when it is disposed of, and sends nothing any more', async () => {
    await using server = await serveRaw(() => undefined);
    const client = clientOf();
    const url = `http://127.0.0.1:${server.port}/`;
    const outcome = expect(client.get(url)).rejects.toThrow('the client is closed');
    await server.connected;
    await client[Symbol.asyncDispose]();
    await outcome;
    await expect(client.get(url)).rejects.toThrow('the client is closed');
    expect(server.connections).toBe(1);
  });
});
