import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../../../src/config/config.ts';
import { CLIENT_ASSERTION_TYPE } from '../../../src/federation/client-assertion.ts';
import { ALGORITHM_NAMES } from '../../../src/federation/signature.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { usedAssertions } from '../../../src/storage/schema/used-assertions.ts';
import { claimsOf, headerOf, jwtOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { type Tampering, testKey } from '../../support/keys.ts';
import { startTestService, TestService } from '../../support/service.ts';

const MEDIA_TYPE = 'application/resolve-response+jwt';

describe.each(DATABASE_KINDS)('resolve asked by an entity, on the %s database', (kind) => {
  let service: TestService;
  let anchor: Authority;
  let organisation: Organisation;
  let server: FederationServer;

  beforeAll(async () => {
    service = await startTestService(kind, { resolveAnonymous: 'refuse' });
    anchor = await service.authority();
    organisation = await service.organisation(anchor);
    const superiors = [anchor.entityIdentifier];
    const callers = ['caller', 'pending', 'suspended', 'unknown'];
    server = await serveFederation(
      {
        ...Object.fromEntries(callers.map((name) => [name, { superiors }])),
        outside: { superiors },
        rp: { superiors: ['outside'] },
        evaluated: { superiors: ['outside'] },
        other: { superiors: ['outside'] },
      },
      { clock: service.clock },
    );
    const { federation } = server;
    await service.admit(organisation, federation, 'outside', { verifiedIntermediate: true });
    await service.admit(organisation, federation, 'caller');
    await service.admit(organisation, federation, 'pending', {}, 'pending');
    const suspended = await service.admit(organisation, federation, 'suspended');
    await transitionEntity(service.context(), suspended.id, 'suspend', 'by a test');
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await server[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  const id = (name: string): string => server.federation.id(name);

  function assertionBy(name: string, tampering: Tampering = {}): Promise<string> {
    const now = service.clock.now();
    const aud = anchor.entityIdentifier;
    const claims = { iss: id(name), sub: id(name), aud, jti: randomUUID(), iat: now, exp: now + 60 };
    return server.federation.sign(name, 'client-authentication+jwt', claims, tampering);
  }

  function post(sub: string, assertion: string, more: Record<string, string> = {}): Promise<Response> {
    const proof = { client_assertion_type: CLIENT_ASSERTION_TYPE, client_assertion: assertion };
    return service.post(anchor, { sub, trust_anchor: anchor.entityIdentifier, ...proof, ...more });
  }

  async function outcomeOf(response: Promise<Response>): Promise<string> {
    const answer = await response;
    return answer.status === 200 ? '200' : await refusalIn(answer);
  }

  it('[OIDFED-8.3-10] [OIDFED-8-3] [OIDFED-8-10] evaluates a stranger, and names the caller alone as its audience', async () => {
    const response = await post(id('rp'), await assertionBy('caller'));
    expect(response.headers.get('cache-control')).toBe('no-store');
    const jwt = await jwtOf(response, MEDIA_TYPE);
    expect(claimsOf(jwt)).toMatchObject({ iss: anchor.entityIdentifier, sub: id('rp'), aud: id('caller') });
    expect(server.requestCount(server.configurationUrl('caller'))).toBe(0);
    const query = { sub: id('rp'), trust_anchor: anchor.entityIdentifier };
    const shared = claimsOf(await jwtOf(await service.ask(anchor, 'resolve', query), MEDIA_TYPE));
    expect(shared).not.toHaveProperty('aud');
    const again = claimsOf(await jwtOf(await post(id('rp'), await assertionBy('outside')), MEDIA_TYPE));
    expect(again).toMatchObject({ aud: id('outside') });
  });

  it('[OIDFED-8.8.1-1] is announced in the Entity Configuration', async () => {
    const configuration = await (await service.ask(anchor, 'configuration')).text();
    const { metadata } = claimsOf(configuration) as { metadata: Record<string, unknown> };
    expect(metadata['federation_entity']).toMatchObject({
      federation_resolve_endpoint_auth_methods: ['none', 'private_key_jwt'],
      endpoint_auth_signing_alg_values_supported: ALGORITHM_NAMES,
    });
    expect(ALGORITHM_NAMES).not.toContain('none');
  });

  it('lets an entity that was evaluated before have strangers evaluated, by the keys of its chain', async () => {
    const sub = id('other');
    expect(await outcomeOf(post(sub, await assertionBy('evaluated')))).toBe('404 invalid_subject');
    const headers = await service.bearer(['auditor']);
    const query = { sub: id('evaluated'), trust_anchor: anchor.entityIdentifier };
    expect((await service.ask(anchor, 'resolve', query, { headers })).status).toBe(200);
    expect(await outcomeOf(post(sub, await assertionBy('evaluated', { key: await testKey('ES256', 60) })))).toBe(
      '401 invalid_client',
    );
    const jwt = await jwtOf(await post(sub, await assertionBy('evaluated')), MEDIA_TYPE);
    expect(claimsOf(jwt)).toMatchObject({ sub, aud: id('evaluated') });
  });

  it.each(['unknown', 'pending', 'suspended'])(
    'takes an entity that is %s for nobody in particular, and fetches nothing',
    async (name) => {
      const asked = server.requests.length;
      const assertion = await assertionBy(name);
      expect(await outcomeOf(post(`${server.origin}/stranger`, assertion))).toBe('404 invalid_subject');
      const shared = await jwtOf(await post(anchor.entityIdentifier, assertion), MEDIA_TYPE);
      expect(claimsOf(shared)).not.toHaveProperty('aud');
      expect(server.requests).toHaveLength(asked);
    },
  );

  it('[OIDFED-8.8-2] refuses an assertion that was used before', async () => {
    const assertion = await assertionBy('caller');
    const sub = anchor.entityIdentifier;
    expect(await outcomeOf(post(sub, assertion))).toBe('200');
    expect(await outcomeOf(post(sub, assertion))).toBe('401 invalid_client');
    const both = await assertionBy('caller');
    const outcomes = await Promise.all([outcomeOf(post(sub, both)), outcomeOf(post(sub, both))]);
    expect(outcomes.toSorted()).toEqual(['200', '401 invalid_client']);
  });

  it('that is repeated by another spends nothing of its caller', async () => {
    const sub = anchor.entityIdentifier;
    const assertion = await assertionBy('caller');
    const first = await post(sub, assertion);
    const left = (response: Response) => /r=(\d+)/.exec(response.headers.get('ratelimit') ?? '')?.[1];
    for (let count = 0; count < 50; count++) {
      const repeated = await post(sub, assertion);
      expect([await refusalIn(repeated), left(repeated)]).toEqual(['401 invalid_client', undefined]);
    }
    const next = await post(sub, await assertionBy('caller'));
    expect(Number(left(first)) - Number(left(next))).toBe(1);
  });

  it('[OIDFED-8.8-2] refuses it after a restart', async () => {
    const assertion = await assertionBy('caller');
    expect(await outcomeOf(post(anchor.entityIdentifier, assertion))).toBe('200');
    await service.restart();
    expect(await outcomeOf(post(anchor.entityIdentifier, assertion))).toBe('401 invalid_client');
  });

  it.each<[string, () => Promise<Tampering>]>([
    ['for another audience', async () => ({ claims: { aud: 'https://other.example' } })],
    ['for the endpoint', async () => ({ claims: { aud: `${anchor.entityIdentifier}/federation/resolve` } })],
    ['for another besides us', async () => ({ claims: { aud: [anchor.entityIdentifier, 'https://x.example'] } })],
    ['that has expired', async () => ({ claims: { exp: service.clock.now() - 31 } })],
    ['without jti', async () => ({ claims: { jti: undefined } })],
    ['about another', async () => ({ claims: { sub: id('outside') } })],
    ['by another key', async () => ({ key: await testKey('ES256', 61) })],
    [
      "by another key under the caller's kid",
      async () => {
        const [key] = server.federation.entity('caller').keys;
        return { key: await testKey('ES256', 61), header: { kid: key?.kid } };
      },
    ],
  ])('[OIDFED-8.8-1] [OIDFED-8.8-2] [OIDFED-8.8-3] refuses an assertion %s', async (_, tampering) => {
    const assertion = await assertionBy('caller', await tampering());
    expect(await outcomeOf(post(anchor.entityIdentifier, assertion))).toBe('401 invalid_client');
  });

  it('[OIDFED-8.8-6] refuses a POST without an assertion, or with one of another type', async () => {
    const form = { sub: anchor.entityIdentifier, trust_anchor: anchor.entityIdentifier };
    expect(await outcomeOf(service.post(anchor, form))).toBe('400 invalid_request');
    expect(await outcomeOf(service.post(anchor, { ...form, client_assertion: '' }))).toBe('400 invalid_request');
    const assertion = await assertionBy('caller');
    expect(await outcomeOf(post(form.sub, assertion, { client_assertion_type: 'x' }))).toBe('401 invalid_client');
    expect(await outcomeOf(post(form.sub, 'nonsense'))).toBe('401 invalid_client');
  });

  it('refuses a body that is no form, or too large', async () => {
    const send = (body: string | URLSearchParams, headers: Record<string, string> = {}) =>
      outcomeOf(service.ask(anchor, 'resolve', {}, { method: 'POST', body, headers }));
    expect(await send('{}', { 'content-type': 'application/json' })).toBe('400 invalid_request');
    expect(await send(new URLSearchParams({ sub: 'x'.repeat(70_000) }))).toBe('413 invalid_request');
    expect(await send('')).toBe('400 invalid_request');
  });

  it('[OIDFED-8-3] takes the parameters from the body alone', async () => {
    const assertion = await assertionBy('caller');
    const body = new URLSearchParams({ client_assertion_type: CLIENT_ASSERTION_TYPE, client_assertion: assertion });
    const query = { sub: anchor.entityIdentifier, trust_anchor: anchor.entityIdentifier };
    expect(await outcomeOf(service.ask(anchor, 'resolve', query, { method: 'POST', body }))).toBe(
      '400 invalid_request',
    );
  });

  it('answers a caller below an Intermediate of ours', async () => {
    const { intermediate, record } = await service.intermediate(anchor, organisation);
    await using below = await serveFederation(
      { leaf: { superiors: [intermediate.entityIdentifier] } },
      { clock: service.clock },
    );
    const { federation } = below;
    await service.admit(await service.organisation(intermediate), federation, 'leaf');
    const assertion = () => {
      const now = service.clock.now();
      const iss = federation.id('leaf');
      const claims = { iss, sub: iss, aud: anchor.entityIdentifier, jti: randomUUID(), exp: now + 60 };
      return federation.sign('leaf', 'JWT', claims);
    };
    const jwt = await jwtOf(await post(anchor.entityIdentifier, await assertion()), MEDIA_TYPE);
    expect(claimsOf(jwt)).toMatchObject({ aud: federation.id('leaf') });
    await transitionEntity(service.context(), record.id, 'suspend', 'by a test');
    const shared = await jwtOf(await post(anchor.entityIdentifier, await assertion()), MEDIA_TYPE);
    expect(claimsOf(shared)).not.toHaveProperty('aud');
  });

  it('[OIDFED-8.3-11] carries the own chain of an Intermediate to the Trust Anchor asked for, and none otherwise', async () => {
    const { intermediate, record } = await service.intermediate(anchor, organisation);
    const sub = intermediate.entityIdentifier;
    const ownChainTo = async (trustAnchor: Authority) => {
      const query = { sub, trust_anchor: trustAnchor.entityIdentifier };
      const jwt = await jwtOf(await service.ask(intermediate, 'resolve', query), MEDIA_TYPE);
      return headerOf(jwt)['trust_chain'] as string[] | undefined;
    };
    const names = (chain: string[] | undefined) => chain?.map((jwt) => [claimsOf(jwt)['iss'], claimsOf(jwt)['sub']]);
    const top = anchor.entityIdentifier;
    expect(names(await ownChainTo(anchor))).toEqual([
      [sub, sub],
      [top, sub],
      [top, top],
    ]);
    expect(await ownChainTo(intermediate)).toBeUndefined();
    await using below = await serveFederation({ leaf: { superiors: [sub] } }, { clock: service.clock });
    const leaf = await service.admit(await service.organisation(intermediate), below.federation, 'leaf');
    const query = { sub: leaf.entityIdentifier, trust_anchor: top };
    const jwt = await jwtOf(await service.ask(intermediate, 'resolve', query), MEDIA_TYPE);
    expect(names(headerOf(jwt)['trust_chain'] as string[])?.at(-1)).toEqual([top, top]);
    expect(headerOf(await jwtOf(await service.ask(anchor, 'resolve', query), MEDIA_TYPE))).not.toHaveProperty(
      'trust_chain',
    );
    await transitionEntity(service.context(), record.id, 'suspend', 'by a test');
    expect(await refusalIn(await service.ask(intermediate, 'resolve', query))).toBe('400 invalid_trust_chain');
  });
});

describe('a caller', () => {
  /** A service with one entity that is active under it, and what that one sends. */
  async function serviceWithCaller(kind: (typeof DATABASE_KINDS)[number], settings: Partial<Config> = {}) {
    const stack = new AsyncDisposableStack();
    const service = stack.use(await startTestService(kind, settings));
    const anchor = await service.authority();
    const published = { caller: { superiors: [anchor.entityIdentifier] } };
    const { federation } = stack.use(await serveFederation(published, { clock: service.clock }));
    await service.admit(await service.organisation(anchor), federation, 'caller');
    const [sub, aud] = [federation.id('caller'), anchor.entityIdentifier];
    const freshAssertion = () => {
      const claims = { iss: sub, sub, aud, jti: randomUUID(), exp: service.clock.now() + 60 };
      return federation.sign('caller', 'JWT', claims);
    };
    const ask = async (node: TestService, assertion: string) => {
      const proof = { client_assertion_type: CLIENT_ASSERTION_TYPE, client_assertion: assertion };
      return (await node.post(anchor, { sub: aud, trust_anchor: aud, ...proof })).status;
    };
    return { service, freshAssertion, ask, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  it('has no assertion remembered that is beyond its quota', async () => {
    const { resolver } = loadConfig({}).config;
    const quotas = { ...resolver.quotas, authenticated: { units: 12 } };
    await using setting = await serviceWithCaller('embedded', { resolver: { ...resolver, quotas } });
    const { service, freshAssertion, ask } = setting;
    const statuses: number[] = [];
    for (let count = 0; count < 5; count++) statuses.push(await ask(service, await freshAssertion()));
    expect(statuses).toEqual([200, 200, 429, 429, 429]);
    expect(await service.db.select().from(usedAssertions)).toHaveLength(2);
    expect(service.failures).toEqual([]);
  });

  it('[OIDFED-8.8-2] uses an assertion at one of several nodes only, also at the same time', async () => {
    await using setting = await serviceWithCaller('postgresql');
    const { service, freshAssertion, ask } = setting;
    const { url = '' } = service.database;
    await using other = await TestService.start(await connectDatabase({ url }), {});
    const assertion = await freshAssertion();
    expect([await ask(service, assertion), await ask(other, assertion)]).toEqual([200, 401]);
    for (let count = 0; count < 5; count++) {
      const both = await freshAssertion();
      const statuses = await Promise.all([ask(service, both), ask(other, both)]);
      expect(statuses.toSorted()).toEqual([200, 401]);
    }
    expect([service.failures, other.failures]).toEqual([[], []]);
  });

  it('is refused while nobody can say whether its assertion is new', async () => {
    await using setting = await serviceWithCaller('embedded');
    const { service, freshAssertion, ask } = setting;
    const assertion = await freshAssertion();
    const rename = (from: string, to: string) =>
      service.database.asOwner((db) => db.execute(sql.raw(`alter table ${from} rename to ${to}`)));
    await rename('used_assertions', 'out_of_reach');
    expect(await ask(service, assertion)).toBe(500);
    await rename('out_of_reach', 'used_assertions');
    expect([await ask(service, assertion), await ask(service, assertion)]).toEqual([200, 401]);
    expect(service.failures).toHaveLength(1);
  });
});
