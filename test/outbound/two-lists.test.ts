import { describe, expect, it } from 'vitest';
import { failureOf, testClient } from '../support/outbound.ts';
import { httpResponse, serveRaw } from '../support/raw-server.ts';

describe('a client for what participants name and one for what an operator configures', () => {
  it('reach what is on their own list only, also while the other has an open connection', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200, {}, 'x')));
    const url = `http://127.0.0.1:${server.port}/`;
    await using participants = testClient({ allow: '' });
    await using operator = testClient({ allow: '127.0.0.1' });
    expect((await operator.get(url)).status).toBe(200);
    expect((await failureOf(participants.get(url))).reason).toBe('address_forbidden');
    expect((await operator.get(url)).status).toBe(200);
    expect(server.requests).toHaveLength(2);
  });

  it('end apart', async () => {
    await using server = await serveRaw((socket) => socket.write(httpResponse(200, {}, 'x')));
    const url = `http://127.0.0.1:${server.port}/`;
    await using operator = testClient();
    await testClient()[Symbol.asyncDispose]();
    expect((await operator.get(url)).status).toBe(200);
  });
});
