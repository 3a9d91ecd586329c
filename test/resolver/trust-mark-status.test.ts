import { afterAll, describe, expect, it } from 'vitest';
import type { EntityStatement } from '../../src/federation/statement/entity-statement.ts';
import { parseTrustMark, type TrustMark } from '../../src/federation/trust-mark/trust-mark.ts';
import { TrustMarkStatusClient, type TrustMarkStatusClientOptions } from '../../src/resolver/trust-mark-status.ts';
import { ManualClock, NOW } from '../support/federation.ts';
import { type CannedResponse, type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testKey } from '../support/keys.ts';
import { testClient } from '../support/outbound.ts';
import {
  configurationOf,
  serveStatus,
  statusAnswer,
  statusMetadata,
  statusUrl,
  trustMark,
  verdictOf,
} from '../support/trust-marks.ts';

const outbound = testClient();

afterAll(async () => {
  await outbound[Symbol.asyncDispose]();
});

interface Setting extends AsyncDisposable {
  server: FederationServer;
  clock: ManualClock;
  client: TrustMarkStatusClient;
  issuer: EntityStatement;
  mark: TrustMark;
}

/** An issuer that offers a status endpoint, a mark of it, and a client that never asked before. */
async function setUp(options: Partial<TrustMarkStatusClientOptions> = {}): Promise<Setting> {
  const clock = new ManualClock();
  const entities = { issuer: { metadata: statusMetadata }, op: {}, rp: {} };
  const server = await serveFederation(entities, { clock });
  return {
    server,
    clock,
    client: new TrustMarkStatusClient({ outbound, clock, ...options }),
    issuer: await configurationOf(server.federation, 'issuer'),
    mark: await markFor(server, 'op'),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function markFor(server: FederationServer, bearer: string): Promise<TrustMark> {
  return parseTrustMark(await trustMark(server.federation, 'issuer', bearer));
}

function serveActive(server: FederationServer): ReturnType<typeof serveStatus> {
  return serveStatus(server, 'issuer', async (jwt) => ({ body: await statusAnswer(server.federation, 'issuer', jwt) }));
}

describe('a status request', () => {
  it('[OIDFED-7.3-8] posts the mark as a form to the endpoint of the issuer', async () => {
    await using setting = await setUp();
    const { server, client, issuer, mark } = setting;
    const questions = serveActive(server);
    expect(await client.confirm({ mark, issuer })).toBe(NOW + 60);
    expect(questions).toEqual([
      {
        method: 'POST',
        contentType: 'application/x-www-form-urlencoded',
        accept: 'application/trust-mark-status-response+jwt',
        form: `trust_mark=${mark.jwt}`,
      },
    ]);
  });

  it('[OIDFED-7.3-8] is not made where the issuer offers no endpoint', async () => {
    await using setting = await setUp();
    const { server, client, mark } = setting;
    server.federation.entity('issuer').metadata = {};
    const issuer = await configurationOf(server.federation, 'issuer');
    expect(await client.confirm({ mark, issuer })).toBeUndefined();
    expect(server.requests).toEqual([]);
  });

  it('is made once more when the connection failed', async () => {
    await using setting = await setUp();
    const { server, client, issuer, mark } = setting;
    let count = 0;
    const body = await statusAnswer(server.federation, 'issuer', mark.jwt);
    server.override(statusUrl(server, 'issuer'), (_request, response) => {
      if (count++ === 0) response.destroy();
      else response.writeHead(200, { 'Content-Type': 'application/trust-mark-status-response+jwt' }).end(body);
    });
    expect(await client.confirm({ mark, issuer })).toBe(NOW + 60);
    expect(count).toBe(2);
  });

  it('ends after its own time', async () => {
    await using setting = await setUp({ timeoutMs: 50 });
    const { server, client, issuer, mark } = setting;
    server.override(statusUrl(server, 'issuer'), { neverAnswers: true });
    expect(await verdictOf(() => client.confirm({ mark, issuer }))).toBe('timed_out at  (10.5)');
  });
});

const STATUS_TYPE = { 'Content-Type': 'application/trust-mark-status-response+jwt' };

describe('an answer', () => {
  it('[OIDFED-8.4-8] may have parameters in its media type', async () => {
    await using setting = await setUp();
    const { server, client, issuer, mark } = setting;
    const headers = { 'Content-Type': `${STATUS_TYPE['Content-Type']}; charset=utf-8` };
    const body = await statusAnswer(server.federation, 'issuer', mark.jwt);
    serveStatus(server, 'issuer', () => ({ headers, body }));
    expect(await client.confirm({ mark, issuer })).toBe(NOW + 60);
  });

  it.each<[string, CannedResponse, string]>([
    ['404', { status: 404 }, 'trust_mark_status_not_active at  (8.4)'],
    ['400', { status: 400 }, 'http_status_unexpected at  (9.2)'],
    ['401', { status: 401 }, 'http_status_unexpected at  (9.2)'],
    ['204', { status: 204 }, 'http_status_unexpected at  (9.2)'],
    ['405', { status: 405 }, 'http_status_unexpected at  (9.2)'],
    ['429', { status: 429 }, 'server_unavailable at  (10.5)'],
    ['500', { status: 500 }, 'server_unavailable at  (10.5)'],
    ['a redirect', { status: 307, headers: { location: '/elsewhere' } }, 'redirect_refused at  (9)'],
    ['a JSON media type', { headers: { 'Content-Type': 'application/json' } }, 'content_type_unexpected at  (8.4)'],
    ['no media type', { headers: {} }, 'content_type_unexpected at  (8.4)'],
    ['nothing', { headers: STATUS_TYPE }, 'jwt_malformed at  (8.4)'],
    ['the JSON of older drafts', { headers: STATUS_TYPE, body: '{"active":true}' }, 'jwt_malformed at  (8.4)'],
    ['too long', { headers: STATUS_TYPE, body: 'a'.repeat(256 * 1024 + 1) }, 'response_too_large at  (18.1)'],
  ])('[OIDFED-8.4-8] does not confirm the mark when it is %s', async (_what, response, expected) => {
    await using setting = await setUp();
    const { server, client, issuer, mark } = setting;
    serveStatus(server, 'issuer', () => response);
    expect(await verdictOf(() => client.confirm({ mark, issuer }))).toBe(expected);
  });

  it('[OIDFED-8.4-8] does not confirm the mark when it says so, or was made for another or by another', async () => {
    await using setting = await setUp({ refusalSeconds: 0 });
    const { server, client, issuer, mark } = setting;
    const other = (await markFor(server, 'rp')).jwt;
    const { federation } = server;
    const bodies = [
      statusAnswer(federation, 'issuer', mark.jwt, 'revoked'),
      statusAnswer(federation, 'issuer', other),
      statusAnswer(federation, 'op', mark.jwt),
      statusAnswer(federation, 'issuer', mark.jwt, 'active', { key: await testKey('ES256', 99) }),
    ];
    const verdicts: string[] = [];
    for (const body of await Promise.all(bodies)) {
      serveStatus(server, 'issuer', () => ({ body }));
      verdicts.push(await verdictOf(() => client.confirm({ mark, issuer })));
    }
    expect(verdicts).toEqual([
      'trust_mark_status_not_active at /status (8.4)',
      'trust_mark_status_mismatch at /trust_mark (8.4)',
      'issuer_mismatch at /iss (8.4)',
      'key_not_found at header/kid (8.4)',
    ]);
  });

  it('[OIDFED-8.4-9] does not confirm the mark when it was kept for longer than a minute and a half', async () => {
    await using setting = await setUp();
    const { server, client, clock, issuer, mark } = setting;
    const body = await statusAnswer(server.federation, 'issuer', mark.jwt);
    serveStatus(server, 'issuer', () => ({ body }));
    clock.advance(91);
    expect(await verdictOf(() => client.confirm({ mark, issuer }))).toBe('trust_mark_status_not_fresh at /iat (8.4)');
  });
});

describe('the memory of answers', () => {
  it('keeps `active` for a minute', async () => {
    await using setting = await setUp();
    const { server, client, clock, issuer, mark } = setting;
    const questions = serveActive(server);
    await client.confirm({ mark, issuer });
    clock.advance(59);
    expect(await client.confirm({ mark, issuer })).toBe(NOW + 60);
    expect(questions).toHaveLength(1);
    clock.advance(1);
    const { federation } = server;
    const revocations = serveStatus(server, 'issuer', async (jwt) => ({
      body: await statusAnswer(federation, 'issuer', jwt, 'revoked'),
    }));
    expect(await verdictOf(() => client.confirm({ mark, issuer }))).toBe(
      'trust_mark_status_not_active at /status (8.4)',
    );
    expect(revocations).toHaveLength(1);
  });

  it('keeps everything else for five seconds', async () => {
    await using setting = await setUp();
    const { server, client, clock, issuer, mark } = setting;
    const failures = serveStatus(server, 'issuer', () => ({ status: 503 }));
    const verdict = () => verdictOf(() => client.confirm({ mark, issuer }));
    expect([await verdict(), await verdict()]).toEqual(Array(2).fill('server_unavailable at  (10.5)'));
    const questions = serveActive(server);
    clock.advance(4);
    expect(await verdict()).toBe('server_unavailable at  (10.5)');
    expect([failures.length, questions.length]).toEqual([1, 0]);
    clock.advance(1);
    expect(await verdict()).toBe('accepted');
  });

  it('keeps nothing where it is told to', async () => {
    await using setting = await setUp({ cacheSeconds: 0 });
    const { server, client, issuer, mark } = setting;
    const questions = serveActive(server);
    await client.confirm({ mark, issuer });
    await client.confirm({ mark, issuer });
    expect(questions).toHaveLength(2);
    expect(client.bytes).toBe(0);
  });

  it('tells marks apart, and issuers that another federation knows other keys of', async () => {
    await using setting = await setUp();
    const { server, client, issuer, mark } = setting;
    const questions = serveActive(server);
    await client.confirm({ mark, issuer });
    await client.confirm({ mark: await markFor(server, 'rp'), issuer });
    expect(questions).toHaveLength(2);
    const jwks = server.federation.jwks('op');
    const elsewhere = { ...issuer, claims: { ...issuer.claims, jwks } };
    expect(await verdictOf(() => client.confirm({ mark, issuer: elsewhere }))).toBe(
      'key_not_found at header/kid (8.4)',
    );
    expect(questions).toHaveLength(3);
  });

  it('is bounded in bytes', async () => {
    await using setting = await setUp({ maxCacheBytes: 6000 });
    const { server, client, issuer } = setting;
    const questions = serveActive(server);
    const marks = await Promise.all(Array.from({ length: 6 }, (_, index) => numbered(server, index)));
    for (const mark of marks) await client.confirm({ mark, issuer });
    expect(client.bytes).toBeGreaterThan(1000);
    expect(client.bytes).toBeLessThanOrEqual(6000);
    await client.confirm({ mark: marks[5]!, issuer });
    expect(questions).toHaveLength(6);
    await client.confirm({ mark: marks[0]!, issuer });
    expect(questions).toHaveLength(7);
  });
});

async function numbered(server: FederationServer, number: number): Promise<TrustMark> {
  return parseTrustMark(await trustMark(server.federation, 'issuer', 'op', undefined, { claims: { number } }));
}

describe('questions at the same time', () => {
  it('share one request', async () => {
    await using setting = await setUp();
    const { server, client, issuer, mark } = setting;
    const questions = serveActive(server);
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.confirm({ mark, issuer })));
    expect(answers).toEqual(Array(50).fill(NOW + 60));
    expect(questions).toHaveLength(1);
  });

  it('share a refusal', async () => {
    await using setting = await setUp();
    const { server, client, issuer, mark } = setting;
    const questions = serveStatus(server, 'issuer', () => ({ status: 500 }));
    const verdicts = await Promise.all([1, 2, 3].map(() => verdictOf(() => client.confirm({ mark, issuer }))));
    expect(verdicts).toEqual(Array(3).fill('server_unavailable at  (10.5)'));
    expect(questions).toHaveLength(1);
  });

  it('outlive a caller who leaves', async () => {
    await using setting = await setUp();
    const { server, client, issuer, mark } = setting;
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const questions = serveStatus(server, 'issuer', async (jwt) => {
      onAsked();
      await released;
      return { body: await statusAnswer(server.federation, 'issuer', jwt) };
    });
    const leaving = new AbortController();
    const first = client.confirm({ mark, issuer, signal: leaving.signal });
    const second = client.confirm({ mark, issuer });
    await asked;
    leaving.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    release();
    expect(await second).toBe(NOW + 60);
    expect(questions).toHaveLength(1);
  });

  it('break their request off when the last caller has left, and keep nothing of it', async () => {
    await using setting = await setUp();
    const { server, client, issuer, mark } = setting;
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
    const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>();
    server.override(statusUrl(server, 'issuer'), (_request, response) => {
      response.on('close', () => onClosed());
      onAsked();
    });
    const leaving = new AbortController();
    const only = client.confirm({ mark, issuer, signal: leaving.signal });
    await asked;
    leaving.abort(new Error('enough'));
    await expect(only).rejects.toThrow('enough');
    await closed;
    const questions = serveActive(server);
    expect(await client.confirm({ mark, issuer })).toBe(NOW + 60);
    expect(questions).toHaveLength(1);
  });

  it('are not asked by a caller who has left already', async () => {
    await using setting = await setUp();
    const { server, client, issuer, mark } = setting;
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(client.confirm({ mark, issuer, signal })).rejects.toThrow('enough');
    expect(server.requests).toEqual([]);
  });
});
