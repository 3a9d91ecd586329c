import { describe, expect, it, vi } from 'vitest';
import { MEDIA_TYPE } from '../../src/federation/media-types.ts';
import { failureOf, testClient } from '../support/outbound.ts';
import { httpResponse, serveRaw } from '../support/raw-server.ts';
import { TEST_TLS_CERTIFICATE } from '../support/tls.ts';

describe('requests', () => {
  it('sends a GET with the given media types and returns status, media type, headers and body', async () => {
    await using server = await serveRaw((socket) =>
      socket.write(
        httpResponse(200, { 'Content-Type': 'Application/Entity-Statement+JWT; charset=utf-8', ETag: '"1"' }, 'a.b.c'),
      ),
    );
    await using client = testClient();
    const response = await client.get(`http://127.0.0.1:${server.port}/a/.well-known/openid-federation?x=1#fragment`, {
      accept: [MEDIA_TYPE.entityStatement, MEDIA_TYPE.json],
    });
    expect(response.status).toBe(200);
    expect(response.contentType).toBe(MEDIA_TYPE.entityStatement);
    expect(response.headers.get('etag')).toBe('"1"');
    expect(Buffer.from(response.body).toString()).toBe('a.b.c');
    const [requestLine, ...fields] = server.requests[0]!.trimEnd().split('\r\n');
    expect(requestLine).toBe('GET /a/.well-known/openid-federation?x=1 HTTP/1.1');
    expect(fields).toContain('accept: application/entity-statement+jwt, application/json');
    expect(fields).toContain('accept-encoding: identity');
    expect(fields).toContain('user-agent: holdfast/test');
  });

  it('sends a POST with its body and content type', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200, {}, '{}')));
    await using client = testClient();
    const form = { body: 'trust_mark=a.b.c', contentType: 'application/x-www-form-urlencoded' };
    await client.post(`http://127.0.0.1:${server.port}/status`, form);
    await client.post(`http://127.0.0.1:${server.port}/bytes`, { ...form, body: new TextEncoder().encode('x=1') });
    expect(server.requests[0]).toMatch(/^POST \/status HTTP\/1\.1\r\n/);
    expect(server.requests[0]).toContain('\r\ncontent-type: application/x-www-form-urlencoded\r\n');
    expect(server.requests[0]).toMatch(/\r\n\r\ntrust_mark=a\.b\.c$/);
    expect(server.requests[1]).toMatch(/\r\n\r\nx=1$/);
  });

  it('uses connections again', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200, {}, 'x')));
    await using client = testClient();
    for (let count = 0; count < 10; count++) await client.get(`http://127.0.0.1:${server.port}/`);
    expect(server.requests.length).toBe(10);
    // A second one is opened where a request follows before the first has become free again.
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it('opens no more connections to a host than allowed, and serves what waits', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200, {}, 'x')));
    await using client = testClient({ maxConnectionsPerHost: 2 });
    const url = `http://127.0.0.1:${server.port}/`;
    const responses = await Promise.all(Array.from({ length: 10 }, () => client.get(url)));
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect([server.requests.length, server.connections]).toEqual([10, 2]);
  });

  it.each([204, 400, 404, 429, 500, 503])('returns status %i instead of throwing', async (status) => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(status)));
    await using client = testClient();
    expect((await client.get(`http://127.0.0.1:${server.port}/`)).status).toBe(status);
  });

  it('[OIDFED-9-3] tells the media type of the answer, so that a wrong one can be refused', async () => {
    const types = ['text/html; charset=utf-8', 'application/entity-statement+jwt-evil', '', undefined];
    await using server = await serveRaw((socket) => {
      const type = types[server.requests.length - 1];
      socket.write(httpResponse(200, type === undefined ? {} : { 'content-type': type }, '<html>'));
    });
    await using client = testClient();
    const told: (string | undefined)[] = [];
    for (const _type of types) told.push((await client.get(`http://127.0.0.1:${server.port}/`)).contentType);
    expect(told).toEqual(['text/html', 'application/entity-statement+jwt-evil', undefined, undefined]);
  });

  it('joins a header field that is sent twice', async () => {
    const head =
      'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n';
    await using server = await serveRaw((socket) => socket.write(head));
    await using client = testClient();
    expect((await client.get(`http://127.0.0.1:${server.port}/`)).contentType).toBe('application/json, text/html');
  });

  it('passes interim responses over', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nContent-Encoding: gzip\r\n\r\n';
    await using server = await serveRaw((socket) => socket.write(early + httpResponse(200, {}, 'x')));
    await using client = testClient();
    expect((await client.get(`http://127.0.0.1:${server.port}/`)).status).toBe(200);
  });

  it('goes through no proxy that the environment names', async () => {
    await using proxy = await serveRaw((socket) => socket.end(httpResponse(200, {}, 'from the proxy')));
    await using server = await serveRaw((socket) => socket.write(httpResponse(200, {}, 'direct')));
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']) {
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    }
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    vi.stubEnv('NO_PROXY', '');
    try {
      await using client = testClient();
      const { body } = await client.get(`http://127.0.0.1:${server.port}/`);
      expect(Buffer.from(body).toString()).toBe('direct');
      expect(proxy.connections).toBe(0);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('redirects', () => {
  it.each([300, 301, 302, 303, 305, 307, 308, 399])('F53 [OIDFED-9-5] does not follow a %i', async (status) => {
    await using elsewhere = await serveRaw((socket) => socket.end(httpResponse(200)));
    const location = `http://user:secret@127.0.0.1:${elsewhere.port}/private?token=secret`;
    await using server = await serveRaw((socket) => socket.write(httpResponse(status, { location })));
    await using client = testClient();
    const failure = await failureOf(client.get(`http://127.0.0.1:${server.port}/`));
    expect(failure.reason).toBe('redirect_refused');
    expect(failure.message).toContain(`to 127.0.0.1:${elsewhere.port};`);
    expect(failure.message).not.toContain('secret');
    await server.allClosed();
    expect(elsewhere.connections).toBe(0);
  });

  it('asks whether what is known still holds, and gives a 304 back, wherever it points', async () => {
    const location = 'http://127.0.0.1:1/';
    await using server = await serveRaw((socket) => socket.write(httpResponse(304, { location, etag: '"1"' })));
    await using client = testClient();
    const { status, body } = await client.get(`http://127.0.0.1:${server.port}/`, { ifNoneMatch: '"1"' });
    expect([status, body.length]).toEqual([304, 0]);
    expect(server.requests).toEqual([expect.stringContaining('if-none-match: "1"')]);
  });

  it('[OIDFED-9-5] refuses a redirect of a POST, and one without a usable Location', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(307, { location: 'http://[' })));
    await using client = testClient();
    const request = { body: 'a=b', contentType: 'application/x-www-form-urlencoded' };
    const failure = await failureOf(client.post(`http://127.0.0.1:${server.port}/`, request));
    expect(failure.reason).toBe('redirect_refused');
    expect(server.requests.length).toBe(1);
  });
});

describe('TLS', () => {
  it('refuses a certificate that no trusted authority issued', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200)), { tls: true });
    await using client = testClient();
    const failure = await failureOf(client.get(`https://127.0.0.1:${server.port}/`));
    expect(failure.reason).toBe('connection_failed');
    expect(failure.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(server.requests).toEqual([]);
    await server.allClosed();
  });

  it('refuses it even where the environment turns verification off', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200)), { tls: true });
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    try {
      await using client = testClient();
      expect((await failureOf(client.get(`https://127.0.0.1:${server.port}/`))).reason).toBe('connection_failed');
      expect(server.requests).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('accepts it when it is one of the extra authorities, for an address and for a name', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200, {}, 'x')), { tls: true });
    await using client = testClient({
      extraCas: [TEST_TLS_CERTIFICATE],
      lookup: async () => [{ address: '127.0.0.1' }],
    });
    expect((await client.get(`https://127.0.0.1:${server.port}/`)).status).toBe(200);
    expect((await client.get(`https://partner.example:${server.port}/`)).status).toBe(200);
  });

  it('refuses a trusted certificate of another name', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200)), { tls: true });
    await using client = testClient({
      extraCas: [TEST_TLS_CERTIFICATE],
      lookup: async () => [{ address: '127.0.0.1' }],
    });
    const failure = await failureOf(client.get(`https://other.example:${server.port}/`));
    expect(failure.reason).toBe('connection_failed');
    expect(failure.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(server.requests).toEqual([]);
  });
});

describe('the life of a request', () => {
  it('ends with the caller’s signal and its reason, while it waits for an answer', async () => {
    const given = new AbortController();
    const reason = new Error('the budget is spent');
    await using server = await serveRaw(() => given.abort(reason));
    await using client = testClient();
    await expect(client.get(`http://127.0.0.1:${server.port}/`, { signal: given.signal })).rejects.toBe(reason);
    await server.allClosed();
  });

  it('does not begin with a signal that is aborted already', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200)));
    await using client = testClient();
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(client.get(`http://127.0.0.1:${server.port}/`, { signal })).rejects.toThrow('too late');
    expect(server.connections).toBe(0);
  });

  it('is never sent when the signal aborts while the name is being resolved', async () => {
    const given = new AbortController();
    const resolution = Promise.withResolvers<{ address: string }[]>();
    await using server = await serveRaw((socket) => socket.write(httpResponse(200)));
    await using client = testClient({ lookup: () => resolution.promise });
    const request = client.get(`http://localhost:${server.port}/`, { signal: given.signal });
    given.abort('stop');
    await expect(request).rejects.toBe('stop');
    resolution.resolve([{ address: '127.0.0.1' }]);
    await client.get(`http://localhost:${server.port}/second`);
    expect(server.requests.map((text) => text.split(' ')[1])).toEqual(['/second']);
  });

  it('is broken off when the client is disposed, which then refuses new requests', async () => {
    const arrived = Promise.withResolvers<void>();
    await using server = await serveRaw(() => arrived.resolve());
    const client = testClient();
    const failure = failureOf(client.get(`http://127.0.0.1:${server.port}/`));
    await arrived.promise;
    await client[Symbol.asyncDispose]();
    expect((await failure).reason).toBe('connection_failed');
    await expect(client.get(`http://127.0.0.1:${server.port}/`)).rejects.toThrow('the outbound client is closed');
    await server.allClosed();
  });

  it('is broken off by disposal while its name is being resolved', async () => {
    const client = testClient({ lookup: () => new Promise(() => undefined) });
    const failure = failureOf(client.get('https://partner.example/'));
    await client[Symbol.asyncDispose]();
    expect((await failure).reason).toBe('connection_failed');
  });

  it('is broken off by disposal during the TLS handshake', async () => {
    await using server = await serveRaw(() => undefined);
    const client = testClient({ timeoutMs: 20_000 });
    const start = performance.now();
    const failure = failureOf(client.get(`https://127.0.0.1:${server.port}/`));
    await server.connected;
    await client[Symbol.asyncDispose]();
    expect((await failure).reason).toBe('connection_failed');
    await server.allClosed();
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
