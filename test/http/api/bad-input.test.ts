/** What comes over the wire malformed gets the right refusal and changes nothing. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiAnswer, refusalOf } from '../../support/api-client.ts';
import { startApi } from '../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/organisations';
const MAX_BYTES = 256 * 1024;
const { service } = api;
const { id: authorityId } = await service.authority();

let seq = 0;
beforeEach(async () => {
  seq = await service.seq();
});
afterEach(async () => {
  expect(await service.seq()).toBe(seq);
  expect(service.failures).toEqual([]);
});

const post = (text: RequestInit['body'], headers: Record<string, string> = {}): Promise<ApiAnswer> =>
  api.registrar.send('POST', PATH, { text, headers });

/** A body that never ends, and how much of it was taken. */
function endless(): { stream: ReadableStream<Uint8Array>; taken: () => number } {
  let taken = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      taken += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(0x20));
    },
  });
  return { stream, taken: () => taken };
}

describe('400', () => {
  const nested = `${'['.repeat(40)}${']'.repeat(40)}`;

  it.each([
    ['nothing', '', 'json_malformed'],
    ['no JSON', '{"authorityId":', 'json_malformed'],
    ['two values', `{"authorityId":"${authorityId}","legalName":"x"} {}`, 'json_malformed'],
    ['a comment', `{/**/"authorityId":"${authorityId}","legalName":"x"}`, 'json_malformed'],
    ['a member twice', `{"authorityId":"${authorityId}","legalName":"x","legalName":"y"}`, 'json_duplicate_member'],
    [
      'a member twice, spelt otherwise',
      `{"authorityId":"${authorityId}","legalName":"x","legalN\\u0061me":"y"}`,
      'json_duplicate_member',
    ],
    ['a member twice, deep inside', '{"contacts":[{"type":"billing","type":"security"}]}', 'json_duplicate_member'],
    ['__proto__', `{"authorityId":"${authorityId}","legalName":"x","__proto__":{}}`, 'json_member_forbidden'],
    ['deep nesting', `{"legalName":${nested}}`, 'json_too_deep'],
  ])('refuses %s', async (_what, text, reason) => {
    const answer = await post(text, { 'content-type': 'application/json' });
    expect([answer.status, answer.body.code, answer.body.reason]).toEqual([400, 'validation_failed', reason]);
  });

  it('refuses bytes that are no UTF-8', async () => {
    const bytes = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    expect((await post(bytes)).body).toMatchObject({ status: 400, reason: 'json_malformed' });
  });

  it.each(['null', '[]', '"x"', '1'])('refuses %s instead of an object', async (text) => {
    expect(refusalOf(await post(text)).trim()).toBe('400 validation_failed');
  });

  it('shows wrong names, but not at any length', async () => {
    const answer = await post(JSON.stringify({ authorityId, legalName: 'x', ['n'.repeat(100_000)]: 1 }));
    expect(answer.body.errors[0].pointer).toMatch(/^\/n{100}…$/);
  });

  it('lists at most twenty errors', async () => {
    const wrong = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field${index}`, 1]));
    expect((await post(JSON.stringify({ authorityId, legalName: 'x', ...wrong }))).body.errors).toHaveLength(20);
  });
});

describe('401', () => {
  it('asks who comes before it reads a body', async () => {
    const { stream, taken } = endless();
    expect((await api.anonymous.send('POST', PATH, { text: stream })).status).toBe(401);
    expect(taken()).toBeLessThanOrEqual(2 * 65_536);
  });
});

describe('404', () => {
  it.each([`${PATH}/`, '/api/v1', '/api/v2/tokens', '/api/v1/tokens/a/b', '/favicon.ico', '/docs/x', '//docs'])(
    'knows no path %s, with or without a token',
    async (path) => {
      for (const client of [api.admin, api.anonymous]) expect(refusalOf(await client.get(path))).toBe('404 not_found');
    },
  );
});

describe('405', () => {
  it.each([
    ['PUT', PATH, 'GET, HEAD, POST'],
    ['DELETE', '/api/v1/whoami', 'GET, HEAD'],
    ['OPTIONS', PATH, 'GET, HEAD, POST'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['GET', `/api/v1/entities/${authorityId}/approve`, 'POST'],
    ['POST', '/', 'GET, HEAD'],
  ])('%s %s names the methods served', async (method, path, allow) => {
    const answer = await api.anonymous.send(method, path);
    expect([refusalOf(answer), answer.headers.get('allow')]).toEqual(['405 method_not_allowed', allow]);
  });
});

describe('413', () => {
  it('refuses what announces to be too long', async () => {
    const answer = await post(JSON.stringify({ authorityId, legalName: 'x'.repeat(MAX_BYTES) }));
    expect(refusalOf(answer)).toBe('413 payload_too_large');
  });

  it('stops to read what does not announce its length', async () => {
    const { stream, taken } = endless();
    expect(refusalOf(await post(stream))).toBe('413 payload_too_large');
    expect(taken()).toBeLessThanOrEqual(MAX_BYTES + 2 * 65_536);
  });

  it('takes what is just within the limit', async () => {
    const body = JSON.stringify({ authorityId, legalName: 'x' });
    const padded = body + ' '.repeat(MAX_BYTES - body.length);
    expect(refusalOf(await post(`${padded} `))).toBe('413 payload_too_large');
    expect(refusalOf(await api.auditor.send('POST', PATH, { text: padded }))).toBe('403 role_missing');
  });

  it('is answered over a socket, too', async () => {
    await using listening = await service.listen();
    const response = await fetch(`${listening.origin}${PATH}`, {
      method: 'POST',
      headers: { ...(await service.bearer(['registrar'])), 'content-type': 'application/json' },
      body: new Blob([new Uint8Array(4 * MAX_BYTES)]).stream(),
      duplex: 'half',
    });
    expect([response.status, await response.json()]).toEqual([
      413,
      expect.objectContaining({ code: 'payload_too_large' }),
    ]);
    seq = await service.seq();
  });
});

describe('415', () => {
  it.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['application/jsonp'],
    ['application/json; charset=utf-16'],
    ['application/json, text/plain'],
    ['multipart/form-data; boundary=x'],
    [''],
  ])('refuses the content type %j', async (contentType) => {
    const answer = await post('{}', { 'content-type': contentType });
    expect(refusalOf(answer)).toBe('415 unsupported_media_type');
  });

  it('refuses a compressed body', async () => {
    expect(refusalOf(await post('{}', { 'content-encoding': 'gzip' }))).toBe('415 unsupported_media_type');
  });

  it.each(['application/json;charset=utf-8', 'Application/JSON; charset="UTF-8"'])('takes %s', async (contentType) => {
    expect((await post('{}', { 'content-type': contentType })).status).toBe(400);
  });
});
