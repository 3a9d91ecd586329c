import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createParticipantsDoor } from '../../../src/http/participants/participants-door.ts';
import { addApiResource } from '../../../src/registry/api-resources/add-api-resource.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { addAuthorizationServer } from '../../../src/registry/authorization-servers/add-authorization-server.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { addOrganisation } from '../../../src/registry/organisations/add-organisation.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { addAuthorisationDomain } from '../../../src/registry/roles/add-authorisation-domain.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { StaleStateError } from '../../../src/storage/change-feed.ts';
import { NO_SUCH_ID } from '../../support/api-service.ts';
import { NOW } from '../../support/federation.ts';
import { complaintsAbout, endpointsOf } from '../../support/open-finance-brasil.ts';
import { rawGet } from '../../support/raw-get.ts';
import { assignedRole, role } from '../../support/roles.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const RETIRES_SECONDS = 1000;
const at = (seconds: number) => new Date((NOW + seconds) * 1000);

let service: TestService;
let server: Awaited<ReturnType<TestService['listen']>>;
let authority: Authority;
/** An organisation of which everything is said that can be said. */
let rich: Organisation;
let provider: Entity;
let inTest: Entity;

beforeAll(async () => {
  service = await startTestService('embedded', { baseUrl: 'http://localhost:8080' });
  server = await service.listen();
  authority = await service.authority();
  await service.organisation(authority);
  const parent = await service.organisation(authority);
  const added = await addOrganisation(service.context(), authority.id, {
    legalName: 'Banco Exemplo S.A.',
    registration: { number: '13.353.236/0001-89', register: 'CNPJ', country: 'BR' },
    parentId: parent.id,
    tags: ['pilot'],
    contacts: [{ type: 'incident', email: 'person@partner.example' }],
  });
  rich = await transitionOrganisation(service.context(), added.id, 'approve', 'a secret reason');
  const types = { entityTypes: ['openid_provider'], verifiedEntityTypes: ['openid_provider', 'federation_entity'] };
  provider = await service.entity(rich, { ...types, name: 'Exemplo' });
  inTest = await service.entity(rich, { ...types, mode: 'test', environment: 'sandbox' });
  const domain = await addAuthorisationDomain(service.context(), authority.id, { name: 'Open Banking' });
  const held = await role(service, authority, { name: 'DADOS', domainId: domain.id });
  await assignedRole(service, rich, { id: held.id, jurisdictions: ['BR'], registrationId: '13353236-DADOS' });
  const later = await role(service, authority, { name: 'PAGTO', domainId: domain.id });
  await assignedRole(service, rich, { id: later.id, validFrom: at(RETIRES_SECONDS) });
  await giveRole(service.context(), provider.id, held.id);
  const { id: authorizationServerId } = await addAuthorizationServer(service.context(), { entityId: provider.id });
  await addAuthorizationServer(service.context(), { entityId: inTest.id });
  const offer = { authorizationServerId, family: 'accounts' };
  await addApiResource(service.context(), {
    ...{ ...offer, apiVersion: '2.1.0', endpoints: ['https://api.banco.example/accounts/v2'] },
    certification: { status: 'certified', uri: 'https://certifier.example/1', from: at(-9e6), to: at(9e7) },
  });
  await addApiResource(service.context(), {
    ...{ ...offer, apiVersion: '1.0.0-beta.2', endpoints: ['https://api.banco.example/accounts/v1'] },
    certification: { status: 'self_certified', uri: null, from: null, to: at(RETIRES_SECONDS) },
    ...{ deprecatedAt: at(-1), retiresAt: at(2 * RETIRES_SECONDS) },
  });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  expect(service.failures).toEqual([]);
  await service[Symbol.asyncDispose]();
});

const get = (query = '', headers: Record<string, string> = {}, method = 'GET') =>
  rawGet(`${server.origin}/participants${query}`, headers, method);

interface Participant extends Record<string, unknown> {
  OrganisationId: string;
  AuthorisationServers: { AuthorisationServerId: string; Issuer: string; ApiResources: Record<string, unknown>[] }[];
  OrgDomainRoleClaims: { Role: string; Status: string }[];
  Holdfast: { applications: Record<string, unknown>[]; authorizationServers: { applicationId: string }[] };
}

async function participants(query = ''): Promise<Participant[]> {
  const { status, body } = await get(query);
  expect(status).toBe(200);
  return JSON.parse(body.toString()) as Participant[];
}

const ids = async (query = '') => (await participants(query)).map(({ OrganisationId }) => OrganisationId);

async function found(id: string): Promise<Participant> {
  const participant = (await participants()).find(({ OrganisationId }) => OrganisationId === id);
  if (participant === undefined) throw new Error(`${id} is not there`);
  return participant;
}

describe('/participants', () => {
  it('[F10] is read by a consumer that knows the public schema of Open Finance Brasil alone', async () => {
    const document = await participants();
    expect(document.length).toBeGreaterThan(2);
    expect(complaintsAbout(document)).toEqual([]);
    expect(endpointsOf(document, { role: 'DADOS', family: 'accounts', major: 2 })).toEqual([
      'https://api.banco.example/accounts/v2',
    ]);
    // Not held yet.
    expect(endpointsOf(document, { role: 'PAGTO', family: 'accounts', major: 2 })).toEqual([]);
    const shown = await found(rich.id);
    expect(shown).toMatchObject({
      ...{ Status: 'Active', OrganisationName: 'Banco Exemplo S.A.', RegistrationNumber: '13.353.236/0001-89' },
      ...{ CompanyRegister: 'CNPJ', CountryOfRegistration: 'BR' },
      OrgDomainRoleClaims: [
        { Role: 'DADOS', Status: 'Active', Authorisations: [{ Status: 'Active', MemberState: 'BR' }] },
        { Role: 'PAGTO', Status: 'Inactive' },
      ],
    });
    const [server, ...others] = shown.AuthorisationServers;
    expect([server?.Issuer, others]).toEqual([provider.entityIdentifier, []]);
    expect(server?.ApiResources).toMatchObject([
      { ApiVersion: '2.1.0', CertificationStatus: 'Certified', ApiCertificationUri: 'https://certifier.example/1' },
      { ApiVersion: '1.0.0', CertificationStatus: 'Self-Certified' },
    ]);
  });

  it('[F10] the consumer does find what is wrong', async () => {
    const [first] = await participants();
    const wrong = { ...first, Status: 'Suspended', CreatedOn: 7, Contacts: [], OrganisationName: undefined };
    expect(complaintsAbout(JSON.parse(JSON.stringify([wrong])))).toEqual([
      '/0/OrganisationName is missing',
      '/0/Status is none of Active,Pending,Withdrawn',
      '/0/CreatedOn is no string',
      '/0/Contacts is not known to that schema',
    ]);
  });

  it('[F10] says beside that what only we know, of test applications too, and nothing of persons', async () => {
    const { Holdfast: own } = await found(rich.id);
    expect(own.applications).toMatchObject([
      { id: provider.id, mode: 'live', roles: [{ name: 'DADOS', domain: 'Open Banking' }] },
      { id: inTest.id, mode: 'test', environment: 'sandbox', roles: [] },
    ]);
    expect(own.authorizationServers.map(({ applicationId }) => applicationId)).toEqual([provider.id, inTest.id]);
    const text = (await get()).body.toString();
    for (const secret of ['person@partner.example', 'ops@partner.example', 'a secret reason', 'pilot', 'test-actor']) {
      expect(text).not.toContain(secret);
    }
  });

  it('[F10] leaves out whoever is not active, and has those back who are reinstated', async () => {
    for (const state of ['pending', 'rejected', 'suspended', 'withdrawn', 'revoked'] as const) {
      const { id } = await service.organisation(authority, state);
      expect(await ids(), state).not.toContain(id);
    }
    expect(await ids()).toContain(rich.id);
    await transitionOrganisation(service.context(), rich.id, 'suspend', 'by a test');
    expect(await ids()).not.toContain(rich.id);
    await transitionOrganisation(service.context(), rich.id, 'reinstate', 'by a test');
    expect(await ids()).toContain(rich.id);
    await transitionEntity(service.context(), provider.id, 'suspend', 'by a test');
    const without = await found(rich.id);
    expect([without.AuthorisationServers, without.Holdfast.applications.map(({ id }) => id)]).toEqual([
      [],
      [inTest.id],
    ]);
    await transitionEntity(service.context(), provider.id, 'reinstate', 'by a test');
    expect((await found(rich.id)).AuthorisationServers).toHaveLength(1);
  });

  it('[F10] gives each form a tag, and 304 to whoever has it', async () => {
    const plain = await get();
    const zipped = await get('', { 'accept-encoding': 'gzip' });
    expect(plain.headers).toMatchObject({
      ...{ 'content-type': 'application/json', 'cache-control': 'public, max-age=5', vary: 'Accept-Encoding' },
      ...{ 'access-control-allow-origin': '*', 'x-registry-seq': String(await service.seq()) },
      'content-length': String(plain.body.length),
    });
    expect([plain.headers['content-encoding'], zipped.headers['content-encoding']]).toEqual([undefined, 'gzip']);
    expect(zipped.headers['content-length']).toBe(String(zipped.body.length));
    expect(gunzipSync(zipped.body)).toEqual(plain.body);
    const [etag, zippedTag] = [plain.headers['etag'] ?? '', zipped.headers['etag'] ?? ''];
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    expect(zippedTag).not.toBe(etag);
    for (const known of [etag, `W/${etag}`, `"another", ${etag}`, '*']) {
      const { status, body, headers } = await get('', { 'if-none-match': known });
      expect([status, body.length, headers['etag'], headers['vary']], known).toEqual([304, 0, etag, 'Accept-Encoding']);
    }
    for (const other of ['"another"', zippedTag, etag.slice(1, -1)]) {
      expect((await get('', { 'if-none-match': other })).status, other).toBe(200);
    }
    expect((await get('', { 'accept-encoding': 'gzip', 'if-none-match': zippedTag })).status).toBe(304);
    const head = await get('', {}, 'HEAD');
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([
      200,
      0,
      plain.headers['content-length'],
    ]);
  });

  it('[F10] keeps bytes and tag through changes that it does not show, and tells their seq', async () => {
    const before = await get('', { 'accept-encoding': 'gzip' });
    await service.organisation(authority, 'pending');
    const after = await get('', { 'accept-encoding': 'gzip' });
    expect(after.body).toEqual(before.body);
    expect(after.headers['etag']).toBe(before.headers['etag']);
    expect(Number(after.headers['x-registry-seq'])).toBeGreaterThan(Number(before.headers['x-registry-seq']));
  });

  it('gives those of one authority, by id or Entity Identifier', async () => {
    const other = await service.authority();
    const { id } = await service.organisation(other);
    expect(await ids(`?authority=${other.id}`)).toEqual([id]);
    expect(await ids(`?authority=${encodeURIComponent(other.entityIdentifier)}`)).toEqual([id]);
    expect(await ids(`?authority=${authority.id}`)).not.toContain(id);
    expect(await ids()).toEqual(expect.arrayContaining([id, rich.id]));
    const empty = await service.authority();
    expect(await ids(`?authority=${empty.id}`)).toEqual([]);
  });

  it('refuses what it does not understand, and never fails', async () => {
    const refusal = async (query: string, method = 'GET') => {
      const { status, body } = await get(query, {}, method);
      return [status, (JSON.parse(body.toString()) as { code: string }).code];
    };
    expect(await refusal('?cursor=1')).toEqual([400, 'validation_failed']);
    expect(await refusal('?authority=a&authority=b')).toEqual([400, 'validation_failed']);
    expect(await refusal(`?authority=${NO_SUCH_ID}`)).toEqual([404, 'not_found']);
    expect(await refusal('?authority=%E0%A4%A')).toEqual([404, 'not_found']);
    expect(await refusal('', 'POST')).toEqual([405, 'method_not_allowed']);
    const preflight = await get('', { origin: 'https://app.example' }, 'OPTIONS');
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([204, 'GET, HEAD, OPTIONS']);
  });

  it('says 503 rather than what may be outdated', async () => {
    const failures: unknown[] = [];
    const stale = async () => Promise.reject(new StaleStateError('the database is away'));
    const door = createParticipantsDoor({
      document: { current: () => Promise.reject(new Error('is not asked')) },
      state: { seq: 1, isCurrent: () => false, ensureCurrent: stale },
      directory: { get: () => undefined, find: () => undefined },
      isHosting: () => false,
      observe: () => {},
      logError: (error) => failures.push(error),
    });
    const listening = createServer((incoming, outgoing) => void door(incoming, outgoing)).listen(0, '127.0.0.1');
    await new Promise((resolve) => listening.once('listening', resolve));
    const { port } = listening.address() as AddressInfo;
    const { status, headers, body } = await rawGet(`http://127.0.0.1:${port}/participants`);
    expect([status, headers['retry-after'], headers['cache-control']]).toEqual([503, '1', 'no-store']);
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'temporarily_unavailable' });
    expect(failures).toEqual([]);
    await new Promise((resolve) => listening.close(resolve));
  });

  it('takes the place from whoever takes it uncompressed and reads nothing', async () => {
    const plainLength = 2 ** 25;
    const chunk = gzipSync(Buffer.alloc(plainLength));
    const member = { chunks: [chunk], length: chunk.length, plainLength, digest: 'x' };
    const door = createParticipantsDoor({
      document: { current: () => ({ seq: 1, changesAt: NOW, all: member, of: () => member }) },
      state: { seq: 1, isCurrent: () => true, ensureCurrent: async () => {} },
      directory: { get: () => undefined, find: () => undefined },
      isHosting: () => false,
      observe: () => {},
      logError: () => {},
    });
    const answers: ServerResponse[] = [];
    const listening = createServer((incoming, outgoing) => {
      answers.push(outgoing);
      door(incoming, outgoing);
    }).listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    const idle = Array.from({ length: 32 }, () => connect(port, '127.0.0.1'));
    for (const socket of idle) {
      socket.on('error', () => {}).write('GET /participants HTTP/1.1\r\nhost: x\r\n\r\n');
      await once(socket, 'readable');
    }
    const status = async () => (await rawGet(`http://127.0.0.1:${port}/participants`)).status;
    expect(await status()).toBe(503);
    const [first] = answers;
    expect(first?.socket?.timeout).toBe(10_000);
    const closed = first === undefined ? undefined : once(first, 'close');
    first?.socket?.emit('timeout');
    await closed;
    expect(await status()).toBe(200);
    for (const socket of idle) socket.destroy();
    listening.close();
    listening.closeAllConnections();
  });

  // Last: the clock goes on.
  it('[F07] leaves out what has retired, by the clock alone', async () => {
    const apis = async () =>
      (await found(rich.id)).AuthorisationServers.flatMap(({ ApiResources }) =>
        ApiResources.map(({ ApiVersion, CertificationStatus }) => [ApiVersion, CertificationStatus]),
      );
    const before = [
      ['2.1.0', 'Certified'],
      ['1.0.0', 'Self-Certified'],
    ];
    const seq = await service.seq();
    expect(await apis()).toEqual(before);
    service.clock.advance(RETIRES_SECONDS - 1);
    expect(await apis()).toEqual(before);
    service.clock.advance(1);
    expect(await apis()).toEqual([before[0], ['1.0.0', 'Deprecated']]);
    expect((await found(rich.id)).OrgDomainRoleClaims.map(({ Status }) => Status)).toEqual(['Active', 'Active']);
    service.clock.advance(RETIRES_SECONDS);
    expect(await apis()).toEqual([before[0]]);
    expect(await service.seq()).toBe(seq);
  });
});
