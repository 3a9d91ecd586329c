/** Most requests are answered before the framework sees them; nobody can tell that from the answers. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Exchange } from '../../../src/http/federation/exchange.ts';
import type { FederationEndpoint } from '../../../src/issuance/authority-endpoints.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { startTestService, type TestService, urlOf } from '../../support/service.ts';

let service: TestService;
let socket: Awaited<ReturnType<TestService['listen']>>;
let authority: Authority;
let entity: Entity;
let server: FederationServer;
/** Called for what the other doors answer. */
const worked = vi.spyOn(Exchange.prototype, 'complete');

beforeAll(async () => {
  service = await startTestService('embedded');
  socket = await service.listen();
  authority = await service.authority({ entityIdentifier: `${socket.origin}/ta` });
  server = await serveFederation({ rp: { superiors: [authority.entityIdentifier] } }, { clock: service.clock });
  entity = await service.admit(await service.organisation(authority), server.federation, 'rp');
});

afterEach(() => expect(service.failures).toEqual([]));

afterAll(async () => {
  vi.restoreAllMocks();
  for (const resource of [server, socket, service]) await resource?.[Symbol.asyncDispose]();
});

const SIGNED = ['configuration', 'fetch', 'resolve', 'historicalKeys'] as const satisfies FederationEndpoint[];

function url(endpoint: FederationEndpoint): string {
  const { entityIdentifier: sub } = entity;
  if (endpoint === 'fetch') return urlOf(authority, endpoint, { sub });
  if (endpoint === 'resolve') return urlOf(authority, endpoint, { sub, trust_anchor: authority.entityIdentifier });
  return urlOf(authority, endpoint);
}

/** An answer over the socket, and whether the other doors had to work for it. */
async function ask(endpoint: FederationEndpoint, init: RequestInit = {}) {
  worked.mockClear();
  const response = await fetch(url(endpoint), init);
  return { response, body: await response.text(), isWorked: worked.mock.calls.length > 0 };
}

/** Asks until the answer lies ready: the first time it is made, the second time it is found. */
async function askUntilReady(endpoint: FederationEndpoint) {
  for (let count = 0; count < 2; count++) await ask(endpoint);
  const answer = await ask(endpoint);
  expect([endpoint, answer.response.status, answer.isWorked]).toEqual([endpoint, 200, false]);
  return answer;
}

/** Header fields that tell of the connection. */
const OF_THE_CONNECTION = ['connection', 'date', 'keep-alive'];

function fieldsOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !OF_THE_CONNECTION.includes(name)));
}

describe.each(SIGNED)('a plain GET of %s', (endpoint) => {
  it('[OIDFED-8-7] is answered with the bytes and header fields that the framework would give', async () => {
    const { response, body } = await askUntilReady(endpoint);
    const worked = await service.app.fetch(new Request(url(endpoint)));
    expect(fieldsOf(response)).toEqual(fieldsOf(worked));
    expect(body).toBe(await worked.text());
  });

  it.each([
    ['the bytes that the caller has', { headers: { 'if-none-match': '*' } }, 304],
    ['a caller with credentials', { headers: { authorization: 'Bearer made-up' } }, 200],
    ['another method', { method: 'HEAD' }, 200],
  ] as const)('is worked out for %s', async (_, init, status) => {
    await askUntilReady(endpoint);
    const { response, isWorked } = await ask(endpoint, init);
    expect([response.status, isWorked]).toEqual([status, true]);
    const isPublic = !('headers' in init && 'authorization' in init.headers);
    expect(response.headers.get('cache-control')).toMatch(isPublic ? /^public, max-age=\d+$/ : /^no-store$/);
  });
});

it('[OIDFED-8.8-5] an endpoint that begins to ask for a proof refuses the very next plain request', async () => {
  for (const endpoint of ['fetch', 'resolve'] as const) {
    await askUntilReady(endpoint);
    const set = async (authentication: 'off' | 'required') =>
      await updateAuthority(service.context(), authority.id, {
        endpointAuthentication: { [endpoint]: authentication },
      });
    await set('required');
    expect((await ask(endpoint)).response.status).not.toBe(200);
    await set('off');
    expect((await askUntilReady(endpoint)).response.status).toBe(200);
  }
});

it('what was answered within this second is refused after a suspension, and given again after a reinstatement', async () => {
  const endpoints = ['fetch', 'resolve'] as const;
  for (const endpoint of endpoints) await askUntilReady(endpoint);
  await transitionEntity(service.context(), entity.id, 'suspend', 'a test');
  for (const endpoint of endpoints) expect([404, 400]).toContain((await ask(endpoint)).response.status);
  await transitionEntity(service.context(), entity.id, 'reinstate', 'a test');
  for (const endpoint of endpoints) expect((await ask(endpoint)).response.status).toBe(200);
});

it('an answer that has aged is not given again', async () => {
  const { body } = await askUntilReady('fetch');
  service.clock.advance(authority.statementLifetimeSeconds);
  const { body: renewed, isWorked } = await ask('fetch');
  expect(isWorked).toBe(true);
  expect(renewed).not.toBe(body);
});
