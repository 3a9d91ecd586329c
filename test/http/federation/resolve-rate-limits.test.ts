import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { claimsOf, refusalIn } from '../../support/answers.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { startTestService, type TestService, urlOf } from '../../support/service.ts';

/** Fewer than usual, so that they are soon used up. */
const UNITS = 1200;
const POLICY = `"anonymous";q=${UNITS};w=60`;
const TYPES = ['openid_relying_party', 'wallet', 'verifier', 'attester', 'federation_entity'];

let service: TestService;
let socket: Awaited<ReturnType<TestService['listen']>>;
let anchor: Authority;
let organisation: Organisation;
let server: FederationServer;

beforeAll(async () => {
  const { resolver } = loadConfig({ HOLDFAST_RESOLVE_ANONYMOUS_UNITS: String(UNITS) }).config;
  service = await startTestService('embedded', { trustedProxies: ['127.0.0.1'], resolveAnonymous: 'refuse', resolver });
  socket = await service.listen();
  anchor = await service.authority({ entityIdentifier: `${socket.origin}/anchor` });
  organisation = await service.organisation(anchor);
  const superiors = [anchor.entityIdentifier];
  const metadata = Object.fromEntries(TYPES.map((type) => [type, { organization_name: type }]));
  server = await serveFederation(
    { known: { superiors }, rp: { superiors }, versatile: { superiors, metadata } },
    { clock: service.clock },
  );
  await service.admit(organisation, server.federation, 'known');
  await service.admit(organisation, server.federation, 'rp');
  await service.admit(organisation, server.federation, 'versatile');
});

afterAll(async () => {
  expect(service.failures).toEqual([]);
  await server[Symbol.asyncDispose]();
  await socket[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

/** Asks over the socket, through a proxy that says who asks. */
function ask(
  client: string,
  sub: string,
  headers: Record<string, string> = {},
  entityTypes: string[] = [],
): Promise<Response> {
  const url = urlOf(anchor, 'resolve', { sub, trust_anchor: anchor.entityIdentifier, entity_type: entityTypes });
  return fetch(url, { headers: { 'x-forwarded-for': client, ...headers } });
}

const stranger = (index: number): string => `${server.origin}/stranger-${index}`;

function fieldsOf({ headers }: Response): (string | null)[] {
  return [headers.get('ratelimit-policy'), headers.get('ratelimit')];
}

/** What a client has left that used up some units. */
const left = (used: number): string => `"anonymous";r=${UNITS - used};t=1`;

/** Uses up what a client has. */
async function exhaust(client: string): Promise<Response> {
  for (let round = 0; ; round++) {
    const batch = await Promise.all(
      Array.from({ length: 100 }, (_, index) => ask(client, stranger(round * 100 + index))),
    );
    const refused = batch.find(({ status }) => status === 429);
    if (refused !== undefined) return refused;
    if (round === 40) throw new Error('there is no end of it');
  }
}

describe('the quota of a client', () => {
  it('is of 3000 units a minute unless the settings say otherwise', async () => {
    await using usual = await startTestService('embedded', { resolveAnonymous: 'refuse' });
    const authority = await usual.authority();
    const question = { sub: 'https://stranger.example', trust_anchor: authority.entityIdentifier };
    const response = await usual.ask(authority, 'resolve', question);
    expect(fieldsOf(response)).toEqual(['"anonymous";q=3000;w=60', '"anonymous";r=2999;t=1']);
  });

  it('shows in answers that cost work, and only in those', async () => {
    const sub = server.federation.id('rp');
    const first = await ask('192.0.2.1', sub);
    expect([first.status, ...fieldsOf(first)]).toEqual([200, POLICY, left(11)]);
    const second = await ask('192.0.2.1', sub);
    expect([second.status, ...fieldsOf(second)]).toEqual([200, null, null]);
    const refused = await ask('192.0.2.1', stranger(0));
    expect([await refusalIn(refused), ...fieldsOf(refused)]).toEqual(['404 invalid_subject', POLICY, left(12)]);
  });

  it('ends with 429 and Retry-After, for that client alone; what is known is answered still', async () => {
    const known = server.federation.id('known');
    expect((await ask('192.0.2.2', known)).status).toBe(200);
    const refused = await exhaust('192.0.2.2');
    expect([await refusalIn(refused), refused.headers.get('retry-after'), ...fieldsOf(refused)]).toEqual([
      '429 temporarily_unavailable',
      '1',
      POLICY,
      '"anonymous";r=0;t=60',
    ]);
    expect((await ask('192.0.2.2', known)).status).toBe(200);
    expect(await refusalIn(await ask('192.0.2.3', stranger(1)))).toBe('404 invalid_subject');
    service.clock.advance(1);
    expect(await refusalIn(await ask('192.0.2.2', stranger(2)))).toBe('404 invalid_subject');
  });

  it('is that of all addresses in one /64', async () => {
    await exhaust('2001:db8:1:2::1');
    expect((await ask('2001:db8:1:2:ffff::9', stranger(3))).status).toBe(429);
    expect((await ask('2001:db8:1:3::1', stranger(3))).status).toBe(404);
  });

  it('is one of its own for a caller with a token, wherever it comes from', async () => {
    await exhaust('192.0.2.4');
    const headers = await service.bearer(['auditor']);
    const response = await ask('192.0.2.4', stranger(4), headers);
    expect([response.status, response.headers.get('ratelimit-policy')]).toEqual([404, '"authenticated";q=30000;w=60']);
    const [other] = fieldsOf(await ask('192.0.2.9', stranger(5), headers));
    expect(other).toBe('"authenticated";q=30000;w=60');
  });

  it('ends guessing of tokens before each guess costs a look at the database', async () => {
    const guess = (index: number) => ask('192.0.2.5', stranger(index), { authorization: `Bearer guess-${index}` });
    const guesses = await Promise.all(Array.from({ length: 310 }, (_, index) => guess(index)));
    expect(guesses.filter(({ status }) => status === 429)).toHaveLength(10);
    expect((await ask('192.0.2.5', stranger(6))).status).toBe(404);
  });

  it('pays for each choice of types beyond those that are kept, in whichever order they are named', async () => {
    const sub = server.federation.id('versatile');
    const asked = async (entityTypes: string[], client = '192.0.2.7') => {
      const response = await ask(client, sub, {}, entityTypes);
      return [response.status, ...fieldsOf(response)];
    };
    const evaluated = [200, POLICY, left(11)];
    const kept = [200, null, null];
    const [a, b, c, d] = TYPES as [string, string, string, string];
    expect([await asked([]), await asked([a]), await asked([b]), await asked([a, b])]).toEqual([
      evaluated,
      ...[kept, kept, kept],
    ]);
    expect([await asked([b, a]), await asked([b, a, b, 'unheard-of']), await asked(TYPES)]).toEqual([kept, kept, kept]);
    expect(await asked([a, b, c])).toEqual([200, POLICY, left(12)]);
    expect(await asked([c, b, a])).toEqual(kept);
    await exhaust('192.0.2.7');
    expect([await asked([c, d]), await asked([a, c, b])]).toEqual([[429, POLICY, '"anonymous";r=0;t=60'], kept]);
    expect(await asked([c, d], '192.0.2.8')).toEqual([200, POLICY, left(1)]);
  });

  it('lets a thousand wait for one evaluation', async () => {
    await using below = await serveFederation(
      { cold: { superiors: [anchor.entityIdentifier] } },
      { clock: service.clock },
    );
    await service.admit(organisation, below.federation, 'cold');
    const sub = below.federation.id('cold');
    const responses = await Promise.all(Array.from({ length: 1_000 }, () => ask('192.0.2.6', sub)));
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    expect(below.requests).toHaveLength(1);
    expect(claimsOf(await responses[0]!.text())).toMatchObject({ sub });
  });
});
