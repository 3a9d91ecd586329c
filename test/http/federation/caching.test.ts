import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FEDERATION_ENDPOINT_NAMES, type FederationEndpoint } from '../../../src/issuance/authority-endpoints.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { claimsOf, refusalIn } from '../../support/answers.ts';
import { freshJwks } from '../../support/registry.ts';
import { type Query, startTestService, type TestService, urlOf } from '../../support/service.ts';

let service: TestService;
let authority: Authority;
let organisation: Organisation;
let entity: Entity;

beforeAll(async () => {
  service = await startTestService('embedded');
  authority = await service.authority();
  organisation = await service.organisation(authority);
  entity = await service.entity(organisation);
  await mark(authority, entity);
});

afterEach(() => expect(service.failures).toEqual([]));

afterAll(() => service[Symbol.asyncDispose]());

const MARK_TYPE = 'https://marks.example/member';

async function mark(issuer: Authority, bearer: Entity): Promise<void> {
  const type = await service.trustMarkType(issuer, { trustMarkType: MARK_TYPE });
  await service.trustMark(type, bearer.entityIdentifier);
}

/** The status of a Trust Mark is asked by POST alone (§8.4.1), and nobody keeps it. */
const GET_ENDPOINTS = FEDERATION_ENDPOINT_NAMES.filter((endpoint) => endpoint !== 'trustMarkStatus');

/** A query that each endpoint of an authority with this subordinate answers with 200. */
function goodQuery(endpoint: FederationEndpoint, { entityIdentifier } = authority, subordinate = entity): Query {
  const sub = subordinate.entityIdentifier;
  if (endpoint === 'fetch' || endpoint === 'subordinateEvents') return { sub };
  if (endpoint === 'trustMark' || endpoint === 'trustMarkList') return { trust_mark_type: MARK_TYPE, sub };
  return endpoint === 'resolve' ? { sub: entityIdentifier, trust_anchor: entityIdentifier } : {};
}

async function ask(endpoint: FederationEndpoint, init: RequestInit = {}): Promise<Response> {
  return await service.ask(authority, endpoint, goodQuery(endpoint), init);
}

async function etagOf(response: Response): Promise<string> {
  const etag = response.headers.get('etag') ?? '';
  expect([response.status, etag]).toEqual([200, expect.stringMatching(/^"[\x21\x23-\x7e]+"$/)]);
  return etag;
}

function maxAgeOf(response: Response): number {
  const [, maxAge = 'none'] = /^public, max-age=(\d+)$/.exec(response.headers.get('cache-control') ?? '') ?? [];
  return Number(maxAge);
}

/** What a resolve answer has besides: how old its oldest part is. */
function ageHeaders(endpoint: FederationEndpoint): { exposed: string; given: object } {
  if (endpoint !== 'resolve') return { exposed: 'ETag, Retry-After', given: {} };
  const given = { 'holdfast-oldest-statement': new Date(service.clock.now() * 1000).toUTCString() };
  return { exposed: 'ETag, Retry-After, Holdfast-Oldest-Statement', given };
}

describe.each(GET_ENDPOINTS)('a 200 of the endpoint %s', (endpoint) => {
  it('[OIDFED-8-7] has a strong entity tag that stands for its bytes', async () => {
    const [first, second] = [await ask(endpoint), await ask(endpoint)];
    expect(await etagOf(first)).toBe(await etagOf(second));
    expect(await first.text()).toBe(await second.text());
  });

  it('[OIDFED-8-7] becomes a 304 for a caller who has these bytes', async () => {
    const etag = await etagOf(await ask(endpoint));
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, `"x",W/${etag} , "y"`, '*', ' * ']) {
      const response = await ask(endpoint, { headers: { 'if-none-match': known } });
      expect([known, response.status, await response.text()]).toEqual([known, 304, '']);
      expect(Object.fromEntries(response.headers)).toEqual({
        etag,
        'cache-control': expect.stringMatching(/^public, max-age=\d+$/),
        'access-control-allow-origin': '*',
        'access-control-expose-headers': ageHeaders(endpoint).exposed,
        ...ageHeaders(endpoint).given,
      });
    }
  });

  it('[OIDFED-8-7] is sent in full to a caller who has others', async () => {
    const etag = await etagOf(await ask(endpoint));
    for (const known of ['"x"', etag.slice(1, -1), `${etag}x`, `"x ${etag.slice(1)}`, '', 'W/*']) {
      expect([known, (await ask(endpoint, { headers: { 'if-none-match': known } })).status]).toEqual([known, 200]);
    }
  });

  it('[OIDFED-8-8] may be kept for a minute at most', async () => {
    expect(maxAgeOf(await ask(endpoint))).toBe(60);
  });

  it('[OIDFED-8-5] is open to every origin, without credentials', async () => {
    const response = await ask(endpoint, { headers: { origin: 'https://app.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-expose-headers')).toBe(ageHeaders(endpoint).exposed);
    expect(response.headers.has('access-control-allow-credentials')).toBe(false);
  });

  it('[OIDFED-8-11] is the same for HEAD, without the body', async () => {
    const [get, head] = [await ask(endpoint), await ask(endpoint, { method: 'HEAD' })];
    expect(head.status).toBe(200);
    const length = String((await get.arrayBuffer()).byteLength);
    expect(Object.fromEntries(head.headers)).toEqual({ ...Object.fromEntries(get.headers), 'content-length': length });
    expect(await head.text()).toBe('');
  });

  it('is not for shared caches when the caller showed who it is', async () => {
    const response = await ask(endpoint, { headers: await service.bearer(['auditor']) });
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
  });
});

const NOT_OF_THE_ANSWER = ['connection', 'date', 'keep-alive', 'ratelimit', 'ratelimit-policy'];

/** Header fields of the answer itself: not of the connection, the moment, or what it cost the caller. */
function fieldsOf({ headers }: Response): Record<string, string> {
  const fields = [...headers].filter(([name]) => !NOT_OF_THE_ANSWER.includes(name));
  return Object.fromEntries(fields);
}

describe('over a socket', () => {
  let server: Awaited<ReturnType<TestService['listen']>>;
  let local: Authority;
  let subordinate: Entity;

  beforeAll(async () => {
    server = await service.listen();
    local = await service.authority({ entityIdentifier: `${server.origin}/local` });
    subordinate = await service.entity(await service.organisation(local));
    await mark(local, subordinate);
  });

  afterAll(() => server[Symbol.asyncDispose]());

  it.each(GET_ENDPOINTS)(
    '[OIDFED-8-11] %s answers HEAD with the header fields of GET, Content-Length too',
    async (endpoint) => {
      const url = urlOf(local, endpoint, goodQuery(endpoint, local, subordinate));
      const [get, head] = [await fetch(url), await fetch(url, { method: 'HEAD' })];
      expect([get.status, head.status]).toEqual([200, 200]);
      expect(fieldsOf(head)).toEqual(fieldsOf(get));
      expect(get.headers.get('content-length')).toBe(String((await get.arrayBuffer()).byteLength));
      expect(await head.text()).toBe('');
      const unchanged = await fetch(url, { headers: { 'if-none-match': await etagOf(get) } });
      expect([unchanged.status, await unchanged.text()]).toEqual([304, '']);
    },
  );

  it.each([
    ['fetch', {}],
    ['fetch', { sub: 'https://stranger.example' }],
    ['list', { intermediate: 'maybe' }],
    ['resolve', {}],
    ['resolve', { sub: 'https://stranger.example', trust_anchor: 'https://stranger.example' }],
  ] as const)('[OIDFED-8-11] %s %j is refused alike for HEAD, without the body', async (endpoint, query) => {
    const url = urlOf(local, endpoint, query);
    const [get, head] = [await fetch(url), await fetch(url, { method: 'HEAD' })];
    expect(await refusalIn(get)).toBe(`${head.status} ${((await get.json()) as { error: string }).error}`);
    expect(fieldsOf(head)).toEqual(fieldsOf(get));
    expect(await head.text()).toBe('');
  });

  it('[OIDFED-8.8-5] a POST is refused whatever its form', async () => {
    const form = new URLSearchParams({ sub: subordinate.entityIdentifier, client_assertion: 'eyJ' });
    const response = await fetch(urlOf(local, 'fetch'), { method: 'POST', body: form });
    expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    expect(await refusalIn(response)).toBe('405 invalid_request');
  });
});

describe('time', () => {
  it('[OIDFED-8-8] limits how long a statement may be kept to what is left of its life', async () => {
    const { keys } = await freshJwks();
    const end = service.clock.now() + 100;
    const passing = await service.entity(organisation, { jwks: { keys: keys.map((key) => ({ ...key, exp: end })) } });
    const maxAge = async () => maxAgeOf(await service.ask(authority, 'fetch', { sub: passing.entityIdentifier }));
    expect(await maxAge()).toBe(60);
    service.clock.advance(60);
    expect(await maxAge()).toBe(40);
    service.clock.advance(39);
    expect(await maxAge()).toBe(1);
  });

  it('[OIDFED-8-8] limits how long a resolve answer may be kept to what is left of its life', async () => {
    const passing = await service.authority({ resolveLifetimeSeconds: 60 });
    const query = goodQuery('resolve', passing);
    const first = await service.ask(passing, 'resolve', query);
    service.clock.advance(29);
    const second = await service.ask(passing, 'resolve', query);
    expect([maxAgeOf(first), maxAgeOf(second)]).toEqual([60, 31]);
    expect(await second.text()).toBe(await first.text());
    service.clock.advance(1);
    const third = await service.ask(passing, 'resolve', query);
    expect(maxAgeOf(third)).toBe(60);
    expect(claimsOf(await third.text())).toMatchObject({ iat: service.clock.now(), exp: service.clock.now() + 60 });
  });
});

it('[OIDFED-8-7] gives other bytes another entity tag', async () => {
  const { entityIdentifier } = await service.entity(organisation);
  const query = { sub: entityIdentifier };
  const before = await etagOf(await service.ask(authority, 'fetch', query));
  const list = await etagOf(await service.ask(authority, 'list'));
  service.clock.advance(1);
  await updateAuthority(service.context(), authority.id, { statementLifetimeSeconds: 1800 });
  const after = await service.ask(authority, 'fetch', query, { headers: { 'if-none-match': before } });
  expect(await etagOf(after)).not.toBe(before);
  await service.entity(organisation);
  const listAfter = await service.ask(authority, 'list', {}, { headers: { 'if-none-match': list } });
  expect(await etagOf(listAfter)).not.toBe(list);
});
