/** Row F01 of the directory's features: creating, reading, listing and changing every kind of record. */
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { OPERATIONS } from '../../../src/http/api/operations.ts';
import { type ApiAnswer, refusalOf } from '../../support/api-client.ts';
import { type ApiService, startApi } from '../../support/api-service.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { serveFederation } from '../../support/federation-server.ts';
import { apiResource, authorizationServer, provider } from '../../support/offers.ts';
import { documentedSchema } from '../../support/openapi-document.ts';
import { freshIdentifier } from '../../support/registry.ts';

interface Kind {
  name: string;
  /** Where a new one goes, and what it is. */
  create: (place: Place) => Promise<{ path: string; body: Record<string, unknown> }>;
  /** A change, and the member by which it shows. */
  change: Record<string, unknown>;
  /** What is refused, and where: of new ones and of changes. */
  unknown: Record<string, unknown>;
  /** A member of free text, if it has one. */
  text?: string;
  /** Those of the list that have something in common with it. */
  filter: (record: ApiAnswer['body']) => string;
  remove?: boolean;
}

interface Place {
  api: ApiService;
  authorityId: string;
  organisationId: string;
  authorizationServerId: string;
  /** An Entity Identifier of whom a configuration is published. */
  nextEntity: () => string;
  nextProvider: () => Promise<string>;
}

let made = 0;

const KINDS: Kind[] = [
  {
    name: 'organisation',
    create: async ({ authorityId }) => ({
      path: '/api/v1/organisations',
      body: {
        authorityId,
        legalName: 'Example Bank Ltd',
        registration: { number: `0512345${++made}`, register: 'Companies House', country: 'GB' },
        tags: ['bank'],
        contacts: [{ type: 'incident', email: 'soc@bank.example', name: null, pgpFingerprint: null }],
      },
    }),
    change: { tags: ['bank', 'pilot'] },
    unknown: { fax: '1', registration: { number: '1', register: 'x', country: 'GB', 'a/b': 1 } },
    text: 'legalName',
    filter: ({ registration }) => `registrationNumber=${registration.number}&registrationCountry=GB&tag=bank`,
  },
  {
    name: 'contact',
    create: async ({ organisationId }) => ({
      path: `/api/v1/organisations/${organisationId}/contacts`,
      body: { type: 'security', email: `cert-${++made}@bank.example`, name: 'CERT' },
    }),
    change: { email: 'other@bank.example' },
    unknown: { fax: '1' },
    text: 'name',
    filter: () => 'type=security',
    remove: true,
  },
  {
    name: 'application',
    create: async ({ organisationId, nextEntity }) => ({
      path: '/api/v1/entities',
      body: { organisationId, entityIdentifier: nextEntity(), mode: 'test', environment: 'sandbox', name: 'Portal' },
    }),
    change: { environment: 'conformance' },
    unknown: { software: 'x' },
    text: 'name',
    filter: ({ entityIdentifier }) => `entityIdentifier=${encodeURIComponent(entityIdentifier)}&mode=test`,
  },
  {
    name: 'authorization server',
    create: async ({ nextProvider }) => ({
      path: '/api/v1/authorization-servers',
      body: { entityId: await nextProvider(), deprecatedAt: '2027-06-01T00:00:00.000Z' },
    }),
    change: { retiresAt: '2030-12-31T00:00:00.000Z' },
    unknown: { issuer: 'https://else.example' },
    filter: ({ entityId }) => `entityId=${entityId}`,
    remove: true,
  },
  {
    name: 'API',
    create: async ({ authorizationServerId }) => ({
      path: '/api/v1/api-resources',
      body: {
        authorizationServerId,
        family: 'payments',
        apiVersion: `2.${++made}.0-rc.1+build`,
        endpoints: ['https://api.bank.example/payments/v2'],
      },
    }),
    change: { certification: { status: 'certified', uri: 'https://lab.example/7', from: null, to: null } },
    unknown: { version: 1, certification: { status: 'certified', by: 'x' } },
    filter: () => 'family=payments',
    remove: true,
  },
  {
    name: 'role of an organisation',
    create: async ({ api, authorityId, organisationId }) => {
      const domain = await api.admin.post('/api/v1/authorisation-domains', { authorityId, name: `Domain ${++made}` });
      const role = await api.admin.post('/api/v1/roles', { domainId: domain.body.id, name: 'PISP' });
      return {
        path: `/api/v1/organisations/${organisationId}/roles`,
        body: { roleId: role.body.id, registrationId: 'PSDGB-FCA-123456', validTo: '2029-12-31T00:00:00.000Z' },
      };
    },
    change: { jurisdictions: ['GB', 'IE'] },
    unknown: { since: '2020' },
    text: 'registrationId',
    filter: ({ roleId }) => `roleId=${roleId}`,
  },
];

const HOSTILE = [
  '<script>alert(1)</script>',
  `<img src=x onerror="alert('1')">&amp;`,
  '=HYPERLINK("https://evil.example","x")',
  '+1 @SUM(1) -2 |cmd',
  "'; DROP TABLE organisations; --",
  '%0d%0aset-cookie: x=y $(curl evil.example)',
  'Müller 株式会社 🏦 العربية \u200f',
];

const REFUSED = [
  ['a header', 'x\r\nset-cookie: a=b'],
  ['a line of the log', 'x\n{"level":50}'],
  ['a terminal command', 'x\u001b[2J'],
  ['a line separator', 'x\u2028y'],
  ['text that turns around', 'x\u202egnp.exe'],
  ['what nobody sees', 'x\u200by'],
  ['half a character', 'x\ud800'],
  ['nothing visible', ' \u3000 '],
] as const;

describe.each(DATABASE_KINDS)('the record on %s', async (kind) => {
  const api = await startApi({}, kind);
  const authority = await api.service.authority();
  const parties = Array.from({ length: 10 }, (_, index) => `rp${index}`);
  const federation = await serveFederation(
    Object.fromEntries(parties.map((name) => [name, { superiors: [authority.entityIdentifier] }])),
  );

  afterAll(async () => {
    await federation[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  const place: Place = {
    api,
    authorityId: authority.id,
    organisationId: (await api.service.organisation(authority)).id,
    authorizationServerId: (await authorizationServer(api.service, authority)).id,
    nextEntity: () => federation.federation.id(parties.pop() ?? ''),
    nextProvider: async () => (await provider(api.service, authority)).id,
  };

  async function add(record: Kind): Promise<{ added: ApiAnswer; path: string; at: string }> {
    const { path, body } = await record.create(place);
    const added = await api.registrar.post(path, body);
    expect(refusalOf(added).trim()).toBe('201');
    return { added, path, at: `${path}/${added.body.id}` };
  }

  it.each(KINDS)('[F01] creates, reads, lists and changes: $name', async (record) => {
    const { path, body } = await record.create(place);
    const added = await api.registrar.post(path, body);
    const at = `${path}/${added.body.id}`;
    expect([added.status, added.headers.get('location'), added.etag]).toEqual([201, at, '"1"']);
    expect(added.body).toMatchObject(body);
    // The answer names the enrolment that an entity began with.
    const { enrolmentId: _, ...kept } = added.body;
    expect((await api.auditor.get(at)).body).toEqual(kept);
    const { body: listed } = await api.auditor.get(`${path}?${record.filter(added.body)}`);
    expect(listed.items.map(({ id }: { id: string }) => id)).toContain(added.body.id);
    const changed = await api.registrar.patch(at, record.change, { 'if-match': added.etag });
    expect([changed.status, changed.etag]).toEqual([200, '"2"']);
    expect(changed.body).toMatchObject(record.change);
    expect((await api.auditor.get(at)).body).toEqual(changed.body);
  });

  it.each(KINDS.filter(({ remove }) => remove))('[F01] removes: $name', async (record) => {
    const { added, path, at } = await add(record);
    expect((await api.registrar.delete(at, { 'if-match': added.etag })).status).toBe(204);
    const { body: listed } = await api.auditor.get(`${path}?${record.filter(added.body)}`);
    expect(listed.items.map(({ id }: { id: string }) => id)).not.toContain(added.body.id);
  });

  it.each(KINDS)('[F01] refuses unknown fields by their JSON pointers: $name', async (record) => {
    const { path, body } = await record.create(place);
    const pointers = (refused: Record<string, unknown>) =>
      Object.entries(refused).map(([name, value]) => {
        const [inner] = Object.keys(Object(value)).slice(-1);
        return typeof value === 'object' ? `/${name}/${inner?.replace('/', '~1')}` : `/${name}`;
      });
    const seq = await api.service.seq();
    const refused = await api.registrar.post(path, { ...body, ...record.unknown });
    expect([refused.status, refused.body.code]).toEqual([400, 'validation_failed']);
    const found = refused.body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(found.sort()).toEqual(pointers(record.unknown).sort());
    expect(await api.service.seq()).toBe(seq);
    const { at, added } = await add(record);
    const change = await api.registrar.patch(at, { nonsense: 1 }, { 'if-match': added.etag });
    expect(refusalOf(change)).toBe('400 validation_failed /nonsense');
  });

  it.each(KINDS)('[F01] refuses a stale If-Match, and none: $name', async (record) => {
    const { added, at } = await add(record);
    const changed = await api.registrar.patch(at, record.change, { 'if-match': added.etag });
    const stale = await api.registrar.patch(at, record.change, { 'if-match': added.etag });
    expect([refusalOf(stale), stale.body.version]).toEqual(['412 version_mismatch', changed.body.version]);
    expect(refusalOf(await api.registrar.patch(at, record.change))).toBe('428 version_required');
    if (record.remove !== true) return;
    expect(refusalOf(await api.registrar.delete(at, { 'if-match': added.etag }))).toBe('412 version_mismatch');
    expect(refusalOf(await api.registrar.delete(at))).toBe('428 version_required');
  });

  it.each(KINDS)('[F01] makes one record of a repeated request: $name', async (record) => {
    const { path, body } = await record.create(place);
    const key = { 'idempotency-key': `once-${++made}` };
    const [first, again] = [await api.registrar.post(path, body, key), await api.registrar.post(path, body, key)];
    expect([again.status, again.body]).toEqual([201, first.body]);
    const other = await api.registrar.post(path, { ...body, ...record.change }, key);
    expect(refusalOf(other)).toBe('422 idempotency_key_reused');
  });

  const texts = KINDS.flatMap(({ text, ...record }) => (text === undefined ? [] : [{ ...record, text }]));

  it.each(texts)('[F01] takes hostile text as text: $text of $name', async ({ text, ...record }) => {
    for (const hostile of HOSTILE) {
      const { at, added } = await add(record);
      const changed = await api.registrar.patch(at, { [text]: hostile }, { 'if-match': added.etag });
      expect([changed.status, changed.body[text]]).toEqual([200, hostile]);
      expect(changed.headers.get('content-type')).toBe('application/json');
      expect(JSON.stringify([...changed.headers])).not.toContain('evil.example');
      if (record.name === 'application') break;
    }
  });

  it.each(texts)('[F01] refuses text that is no line: $text of $name', async ({ text, ...record }) => {
    const { at, added } = await add(record);
    for (const [what, hostile] of REFUSED) {
      const refused = await api.registrar.patch(at, { [text]: hostile }, { 'if-match': added.etag });
      expect([what, refusalOf(refused)]).toEqual([what, `400 validation_failed /${text}`]);
    }
  });

  it('[F01] has one open record of a registration, and names it', async () => {
    const { path, body } = await (KINDS[0] as Kind).create(place);
    const first = await api.registrar.post(path, body);
    const number = ` ${(body['registration'] as { number: string }).number} `;
    const registration = { number, register: 'COMPANIES  HOUSE', country: 'GB' };
    const again = await api.registrar.post(path, { ...body, legalName: 'Another', registration });
    expect([refusalOf(again), again.body.organisation]).toEqual(['409 organisation_exists', first.body.id]);
    const other = await add(KINDS[0] as Kind);
    const moved = await api.registrar.patch(other.at, { registration }, { 'if-match': other.added.etag });
    expect([refusalOf(moved), moved.body.organisation]).toEqual(['409 organisation_exists', first.body.id]);
  });

  it('[F01] has one authorization server of an entity, and one record of an API version', async () => {
    const server = await add(KINDS[3] as Kind);
    const again = await api.registrar.post(server.path, { entityId: server.added.body.entityId });
    expect(refusalOf(again)).toBe('409 authorization_server_exists');
    const { id: apiId, ...one } = await apiResource(api.service, authority);
    const { authorizationServerId, family, apiVersion } = one;
    const twice = await api.registrar.post('/api/v1/api-resources', { authorizationServerId, family, apiVersion });
    expect([refusalOf(twice), typeof apiId]).toEqual(['409 api_resource_exists', 'string']);
  });

  it('[F01] shows a domain in mixed scripts as such', async () => {
    const organisation = await api.service.organisation(authority);
    const entityIdentifier = `https://${new URL('https://b\u0430nk.example').hostname}/${++made}`;
    const { id } = await api.service.entity(organisation, { entityIdentifier });
    const { body } = await api.auditor.get(`/api/v1/entities/${id}`);
    const shown = { unicode: 'b\u0430nk.example', scripts: ['Latin', 'Cyrillic'], isMixed: true };
    expect(body.internationalDomain).toEqual(shown);
    const plain = await api.service.entity(organisation, { entityIdentifier: freshIdentifier('plain') });
    expect((await api.auditor.get(`/api/v1/entities/${plain.id}`)).body.internationalDomain).toBeNull();
  });

  it('[F01] serves the OpenAPI 3.1 document against which all these answers were held', async () => {
    const response = await api.service.fetch('http://localhost:8080/openapi.yaml');
    const document = parse(await response.text());
    expect([response.status, document.openapi]).toEqual([200, '3.1.0']);
    const { added } = await add(KINDS[0] as Kind);
    const schema = documentedSchema('readOrganisation', 200, 'application/json');
    expect(schema?.safeParse(added.body).success).toBe(true);
    const { legalName: _, ...without } = added.body;
    expect(schema?.safeParse(without).success).toBe(false);
    expect(schema?.safeParse({ ...added.body, state: 'open' }).success).toBe(false);
    expect(schema?.safeParse({ ...added.body, contacts: [{ type: 'incident' }] }).success).toBe(false);
  });
});

it.each(OPERATIONS.map(({ route }) => [route.operationId ?? '', route] as const))(
  '[F01] %s: the document describes what it answers',
  (operationId, { responses }) => {
    for (const [status, response] of Object.entries(responses)) {
      const { content = {} } = response as { content?: Record<string, unknown> };
      for (const mediaType of Object.keys(content)) {
        expect(documentedSchema(operationId, Number(status), mediaType), `${status} ${mediaType}`).toBeDefined();
      }
    }
  },
);
