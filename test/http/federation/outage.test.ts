import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEDERATION_ENDPOINT_NAMES, type FederationEndpoint } from '../../../src/issuance/authority-endpoints.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { migrateDatabase } from '../../../src/storage/migrate.ts';
import { descriptionIn, refusalIn } from '../../support/answers.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { type PostgresServer, startPostgresServer } from '../../support/postgres-server.ts';
import { type Query, TestService, urlOf } from '../../support/service.ts';

/** A PostgreSQL of its own, that goes away and comes back. */
let postgres: PostgresServer;
let service: TestService;
let socket: Awaited<ReturnType<TestService['listen']>>;
let authority: Authority;
let entity: Entity;
let server: FederationServer;

beforeAll(async () => {
  postgres = await startPostgresServer();
  const database = await connectDatabase({ url: postgres.url, role: 'owner' });
  await migrateDatabase(database);
  service = await TestService.start(database, {});
  socket = await service.listen();
  authority = await service.authority({ entityIdentifier: `${socket.origin}/ta` });
  const superiors = [authority.entityIdentifier];
  server = await serveFederation({ rp: { superiors }, slow: { superiors } }, { clock: service.clock });
  const organisation = await service.organisation(authority);
  entity = await service.admit(organisation, server.federation, 'rp');
  const slow = await service.admit(organisation, server.federation, 'slow');
  const type = await service.trustMarkType(authority, { trustMarkType: MARK_TYPE });
  await service.trustMark(type, entity.entityIdentifier);
  await service.ask(authority, 'fetch', { sub: slow.entityIdentifier });
});

afterAll(async () => {
  for (const resource of [server, socket, service, postgres]) await resource?.[Symbol.asyncDispose]();
});

const MARK_TYPE = 'https://marks.example/member';

/** The status of a Trust Mark is asked by POST alone (§8.4.1). */
const GET_ENDPOINTS = FEDERATION_ENDPOINT_NAMES.filter((endpoint) => endpoint !== 'trustMarkStatus');

function goodQuery(endpoint: FederationEndpoint): Query {
  const { entityIdentifier: sub } = entity;
  if (endpoint === 'fetch' || endpoint === 'subordinateEvents') return { sub };
  if (endpoint === 'trustMark' || endpoint === 'trustMarkList') return { trust_mark_type: MARK_TYPE, sub };
  return endpoint === 'resolve' ? { sub, trust_anchor: authority.entityIdentifier } : {};
}

const ask = (endpoint: FederationEndpoint): Promise<Response> => service.ask(authority, endpoint, goodQuery(endpoint));

/** What all endpoints answer. */
const statuses = async (): Promise<number[]> => [
  ...new Set(await Promise.all(GET_ENDPOINTS.map(async (endpoint) => (await ask(endpoint)).status))),
];

/** A resolution that waits for its subject's configuration until it is released. */
async function heldResolution(): Promise<{ held: Promise<Response>; release: () => void }> {
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  server.override(server.configurationUrl('slow'), (request, response) => {
    server.restore(server.configurationUrl('slow'));
    asked.resolve();
    void released.promise.then(() => server.listener(request, response));
  });
  const query = { sub: server.federation.id('slow'), trust_anchor: authority.entityIdentifier };
  const held = service.ask(authority, 'resolve', query);
  await asked.promise;
  return { held, release: released.resolve };
}

describe('while the database does not confirm our state', () => {
  it('nobody is vouched for, and everybody again once it is back', async () => {
    expect(await statuses()).toEqual([200]);
    // Over the socket, what was asked before lies ready.
    const overSocket = async (endpoint: FederationEndpoint) =>
      (await fetch(urlOf(authority, endpoint, goodQuery(endpoint)))).status;
    for (const endpoint of [...GET_ENDPOINTS, ...GET_ENDPOINTS]) expect(await overSocket(endpoint)).toBe(200);
    const { held, release } = await heldResolution();
    await postgres.stop();
    await expect.poll(statuses, { timeout: 5000, interval: 10 }).toEqual([503]);

    // It was asked for while all was well, and all that it needs is in memory.
    release();
    expect(await refusalIn(await held)).toBe('503 temporarily_unavailable');

    for (const endpoint of GET_ENDPOINTS) {
      const response = await ask(endpoint);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await descriptionIn(response)).toBe('the current state cannot be confirmed; try again shortly');
      expect(await refusalIn(response)).toBe('503 temporarily_unavailable');
      expect(await overSocket(endpoint)).toBe(503);
    }
    const unchanged = { headers: { 'if-none-match': '*' } };
    expect((await service.ask(authority, 'list', {}, unchanged)).status).toBe(503);
    expect((await service.fetch(`${socket.origin}/readyz`)).status).toBe(503);

    await postgres.start();
    await expect.poll(statuses, { timeout: 10_000, interval: 50 }).toEqual([200]);
    expect((await service.fetch(`${socket.origin}/readyz`)).status).toBe(200);
    expect(service.failures).toEqual([]);
  });
});
