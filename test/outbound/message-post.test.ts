import { afterAll, describe, expect, it } from 'vitest';
import { parseOutboundAllow } from '../../src/outbound/address-rules.ts';
import { createMessagePost, type MessagePostOptions } from '../../src/outbound/message-post.ts';
import { failureOf, scriptedLookup } from '../support/outbound.ts';
import { httpResponse, serveRaw } from '../support/raw-server.ts';

const MESSAGE = { contentType: 'application/json', headers: { 'webhook-id': 'evt_1_0' }, body: '{"a":1}' };

const stack = new AsyncDisposableStack();
afterAll(() => stack.disposeAsync());

function poster(options: Partial<MessagePostOptions> & { allowed?: string } = {}) {
  const { allowed = '127.0.0.0/8', ...given } = options;
  return stack.use(
    createMessagePost({
      ...{ allow: parseOutboundAllow(allowed, 'HOLDFAST_WEBHOOK_ALLOW'), allowHttp: false, extraCas: [] },
      ...{ userAgent: 'holdfast/test', timeoutMs: 5_000 },
      ...given,
    }),
  );
}

describe('[F50] a message to a receiver', () => {
  it('goes out with its headers and the very bytes of its body, on a connection of its own', async () => {
    await using server = await serveRaw((socket) => socket.end(httpResponse(202, { 'retry-after': '7' }, 'thanks')));
    const client = poster();
    const url = `http://127.0.0.1:${server.port}/hook?x=1`;
    expect(await client.post(url, MESSAGE)).toEqual({ status: 202, retryAfterSeconds: 7 });
    await client.post(url, MESSAGE);
    expect(server.connections).toBe(2);
    expect(server.requests[0]).toMatch(
      /^POST \/hook\?x=1 HTTP\/1.1\r\n[\s\S]*webhook-id: evt_1_0\r\n[\s\S]*\r\n\r\n\{"a":1\}$/,
    );
  });

  it('is answered by the status alone: a body without end, or one that never comes, is not waited for', async () => {
    await using endless = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`;
      const pour = () => {
        while (!socket.destroyed && socket.write(chunk)) {
          // Until the other side is full.
        }
      };
      socket.on('drain', pour);
      pour();
    });
    await using silent = await serveRaw((socket) => socket.write('HTTP/1.1 500 No\r\ncontent-length: 5\r\n\r\n'));
    const client = poster();
    expect(await client.post(`http://127.0.0.1:${endless.port}/`, MESSAGE)).toMatchObject({ status: 200 });
    expect(await client.post(`http://127.0.0.1:${silent.port}/`, MESSAGE)).toMatchObject({ status: 500 });
    await Promise.all([endless.allClosed(), silent.allClosed()]);
  });

  it('follows no redirect', async () => {
    await using server = await serveRaw((socket) =>
      socket.end(httpResponse(302, { location: 'http://169.254.169.254/latest/meta-data' })),
    );
    expect((await poster().post(`http://127.0.0.1:${server.port}/`, MESSAGE)).status).toBe(302);
    expect(server.connections).toBe(1);
  });

  it('looks the name up each time, and goes nowhere that is not allowed then', async () => {
    await using server = await serveRaw((socket) => socket.end(httpResponse(200)), { tls: false });
    const lookup = scriptedLookup(['127.0.0.1'], ['169.254.169.254'], ['10.0.0.1']);
    const client = poster({ lookup, allowHttp: true });
    const url = `http://rebinding.example:${server.port}/`;
    expect((await client.post(url, MESSAGE)).status).toBe(200);
    const refused = [await failureOf(client.post(url, MESSAGE)), await failureOf(client.post(url, MESSAGE))];
    expect(refused.map(({ reason }) => reason)).toEqual(['address_forbidden', 'address_forbidden']);
    expect(refused[0]?.message).toContain('HOLDFAST_WEBHOOK_ALLOW can allow it');
    expect(lookup.names).toHaveLength(3);
    expect(server.connections).toBe(1);
  });

  it('trusts no certificate of an unknown authority, and ends a receiver that says nothing', async () => {
    await using tls = await serveRaw((socket) => socket.end(httpResponse(200)), { tls: true });
    expect(await failureOf(poster().post(`https://127.0.0.1:${tls.port}/`, MESSAGE))).toMatchObject({
      reason: 'connection_failed',
    });
    await using mute = await serveRaw(() => undefined);
    const client = poster({ timeoutMs: 50 });
    expect(await failureOf(client.post(`http://127.0.0.1:${mute.port}/`, MESSAGE))).toMatchObject({
      reason: 'timed_out',
    });
    await mute.allClosed();
  });
});
