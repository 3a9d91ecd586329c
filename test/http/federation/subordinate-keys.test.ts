import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CLIENT_ASSERTION_TYPE } from '../../../src/federation/client-assertion.ts';
import { endpointUrl } from '../../../src/issuance/authority-endpoints.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { markKeyCompromised } from '../../../src/registry/entities/keys/mark-key-compromised.ts';
import { readEntityKeys } from '../../../src/registry/entities/keys/read-entity-keys.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { claimsOf, descriptionIn, jwtOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { signJwt, type Tampering, type TestKey } from '../../support/keys.ts';
import { actor } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { freshKey, keySetClaims } from '../../support/subordinate-keys.ts';

const KEY_SET = 'application/jwk-set+jwt';
const reason = 'by a test';

describe.each(DATABASE_KINDS)('what a subordinate does about its keys, on the %s database', (kind) => {
  let service: TestService;
  let anchor: Authority;
  let organisation: Organisation;
  let server: FederationServer;
  let entity: Entity;
  let key: TestKey;
  let turn = 0;

  beforeAll(async () => {
    service = await startTestService(kind);
    anchor = await service.authority();
    organisation = await service.organisation(anchor);
    const superiors = [anchor.entityIdentifier];
    const names = Array.from({ length: 16 }, (_, index) => `rp${index}`);
    server = await serveFederation(Object.fromEntries(names.map((name) => [name, { superiors }])), {
      clock: service.clock,
    });
  });

  /** Each test has an entity of its own, active. */
  beforeEach(async () => {
    const name = nameNow();
    server.federation.entity(name).keys = [await freshKey()];
    entity = await service.admit(organisation, server.federation, name);
    [key] = server.federation.entity(name).keys as [TestKey];
    return () => void turn++;
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await server[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  const nameNow = () => `rp${turn}`;
  const statementKids = async (): Promise<string[]> => {
    const answer = await service.ask(anchor, 'fetch', { sub: entity.entityIdentifier });
    const { jwks } = claimsOf(await jwtOf(answer, 'application/entity-statement+jwt')) as { jwks: { keys: TestKey[] } };
    return jwks.keys.map(({ kid }) => kid);
  };

  const send = (body: string, contentType = KEY_SET, method = 'POST'): Promise<Response> =>
    service.fetch(endpointUrl(anchor.entityIdentifier, 'subordinateKeys'), {
      method,
      ...(method === 'POST' ? { body, headers: { 'content-type': contentType } } : {}),
    });

  async function push(keys: TestKey[], tampering: Tampering = {}): Promise<Response> {
    const claims = keySetClaims(entity.entityIdentifier, anchor, keys, service.clock.now());
    return await send(await signJwt(key, 'jwk-set+jwt', claims, tampering));
  }

  async function outcomeOf(response: Promise<Response>): Promise<string> {
    const answer = await response;
    return answer.status === 200 ? '200' : await refusalIn(answer);
  }

  async function assertion(tampering: Tampering = {}): Promise<string> {
    const now = service.clock.now();
    const sub = entity.entityIdentifier;
    const claims = { iss: sub, sub, aud: anchor.entityIdentifier, jti: randomUUID(), iat: now, exp: now + 60 };
    return await signJwt(key, 'client-authentication+jwt', claims, tampering);
  }

  const refresh = (client_assertion: string): Promise<Response> =>
    service.fetch(endpointUrl(anchor.entityIdentifier, 'subordinateRefresh'), {
      method: 'POST',
      body: new URLSearchParams({ client_assertion_type: CLIENT_ASSERTION_TYPE, client_assertion }),
    });

  it('[OIDFED-11.2-7] [OIDFED-11.2-2] a pushed set is in the statement when it is answered', async () => {
    const next = await freshKey();
    expect(await statementKids()).toEqual([key.kid]);
    const response = await push([key, next]);
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await response.json()).toEqual({
      sub: entity.entityIdentifier,
      registered: [key.kid, next.kid],
      added: [next.kid],
      removed: [],
    });
    expect(await statementKids()).toEqual([key.kid, next.kid]);
  });

  it('a pushed set that is no good is refused, and nothing changes', async () => {
    const stranger = await freshKey();
    const seq = await service.seq();
    const refusals: [string, Promise<Response>][] = [
      ['401 invalid_client', push([stranger], { key: stranger })],
      ['400 invalid_request', push([{ ...key, jwk: key.privateJwk }])],
      ['400 invalid_request', push([{ ...stranger, jwk: { ...stranger.jwk, kid: key.kid } }])],
      ['400 invalid_request', push([key], { header: { typ: 'JWT' } })],
      ['400 invalid_request', push([key], { claims: { aud: 'https://other.example' } })],
      ['400 invalid_request', push([key], { claims: { sub: 'https://other.example' } })],
      ['400 invalid_request', send('no JWT at all')],
      ['400 invalid_request', send('{}', 'application/json')],
      ['413 invalid_request', send('a'.repeat(64 * 1024 + 1))],
      ['405 invalid_request', send('', '', 'GET')],
    ];
    for (const [expected, response] of refusals) expect(await outcomeOf(response)).toBe(expected);
    const leaked = await (await push([{ ...key, jwk: key.privateJwk }])).text();
    expect(leaked).not.toContain(key.privateJwk['d']);
    expect(await service.seq()).toBe(seq);
    expect(await statementKids()).toEqual([key.kid]);
  });

  it('a pushed set is refused when it is repeated, older than the last, or from an entity that is suspended', async () => {
    const claims = keySetClaims(entity.entityIdentifier, anchor, [key], service.clock.now());
    const jwt = await signJwt(key, 'jwk-set+jwt', claims);
    expect(await outcomeOf(send(jwt))).toBe('200');
    expect(await outcomeOf(send(jwt))).toBe('400 invalid_request');
    expect(await outcomeOf(push([key], { claims: { iat: service.clock.now() - 1 } }))).toBe('400 invalid_request');
    await transitionEntity(service.context(), entity.id, 'suspend', reason);
    expect(await outcomeOf(push([key], { claims: { iat: service.clock.now() + 1 } }))).toBe('401 invalid_client');
  });

  it('two sets pushed at once: one of them counts', async () => {
    const [one, other] = [await freshKey(), await freshKey()];
    const outcomes = await Promise.all([outcomeOf(push([key, one])), outcomeOf(push([key, other]))]);
    expect(outcomes.sort()).toEqual(['200', '400 invalid_request']);
    expect(await statementKids()).toHaveLength(2);
  });

  it('a set for another authority of ours is of no use here', async () => {
    const other = await service.authority();
    const claims = keySetClaims(entity.entityIdentifier, other, [key], service.clock.now());
    const body = await signJwt(key, 'jwk-set+jwt', claims);
    expect(await outcomeOf(send(body))).toBe('400 invalid_request');
    const there = service.fetch(endpointUrl(other.entityIdentifier, 'subordinateKeys'), {
      method: 'POST',
      body,
      headers: { 'content-type': KEY_SET },
    });
    expect(await outcomeOf(there)).toBe('401 invalid_client');
  });

  it('[OIDFED-11.2-8] "fetch mine again" takes in what its configuration says now', async () => {
    const next = await freshKey();
    server.federation.entity(nameNow()).keys = [key, next];
    const response = await refresh(await assertion());
    expect(await response.json()).toMatchObject({ outcome: 'followed', proposed: [next.kid], added: [] });
    const { proposals } = await readEntityKeys(service.db, actor(), entity.id);
    expect(proposals.map(({ kid, state }) => [kid, state])).toEqual([[next.kid, 'proposed']]);
    expect(await statementKids()).toEqual([key.kid]);
  });

  it('[OIDFED-11.2-10] a compromised key signs no assertion, no set, and is in no statement', async () => {
    const next = await freshKey();
    await push([key, next]);
    expect(await statementKids()).toEqual([key.kid, next.kid]);
    await markKeyCompromised(service.context(), entity.id, { kid: key.kid, reason });
    expect(await statementKids()).toEqual([next.kid]);
    const asked = server.requests.length;
    expect(await outcomeOf(refresh(await assertion()))).toBe('401 invalid_client');
    expect(await outcomeOf(push([next], { claims: { iat: service.clock.now() + 1 } }))).toBe('401 invalid_client');
    expect(server.requests).toHaveLength(asked);
  });

  it('without any key that counts there is no statement', async () => {
    await markKeyCompromised(service.context(), entity.id, { kid: key.kid, reason });
    const answer = await service.ask(anchor, 'fetch', { sub: entity.entityIdentifier });
    expect(await refusalIn(answer)).toBe('404 not_found');
  });

  it('what it does about its keys counts against a quota that nobody else can spend', async () => {
    const now = service.clock.now();
    const own = async (iat: number) => await signJwt(key, 'jwk-set+jwt', claimsAt(iat));
    const claimsAt = (iat: number) => keySetClaims(entity.entityIdentifier, anchor, [key], iat);
    const first = await own(now);
    expect(await outcomeOf(send(first))).toBe('200');
    const stranger = await freshKey();
    for (let round = 0; round < 25; round++) {
      expect(await outcomeOf(send(first))).toBe('400 invalid_request');
      expect(await outcomeOf(push([stranger], { key: stranger }))).toBe('401 invalid_client');
    }
    for (let round = 1; round < 19; round++) expect(await outcomeOf(send(await own(now + round)))).toBe('200');
    const refreshed = await refresh(await assertion());
    expect([refreshed.status, refreshed.headers.get('ratelimit')]).toEqual([200, '"own-keys";r=0;t=600']);
    const refused = await push([key], { claims: { iat: now + 20 } });
    expect([await refusalIn(refused), refused.headers.get('retry-after')]).toEqual([
      '429 temporarily_unavailable',
      '30',
    ]);
    expect(refused.headers.get('ratelimit-policy')).toBe('"own-keys";q=20;w=600');
    expect(await outcomeOf(refresh(await assertion()))).toBe('429 temporarily_unavailable');
  });

  it('no chain is looked for to learn who asks for a refresh: only subordinates may', async () => {
    const stranger = server.federation.id('rp15');
    const claims = { iss: stranger, sub: stranger };
    const response = await refresh(await assertion({ claims, key: await freshKey() }));
    expect(await descriptionIn(response.clone())).not.toContain('looked for');
    expect(await refusalIn(response)).toBe('401 invalid_client');
  });

  it.each(['subordinateKeys', 'subordinateRefresh'] as const)('%s tells browsers what it serves', async (endpoint) => {
    const answer = await service.fetch(endpointUrl(anchor.entityIdentifier, endpoint), { method: 'OPTIONS' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'POST, OPTIONS']);
  });

  it('an assertion counts once, and only from an active subordinate', async () => {
    const once = await assertion();
    expect(await outcomeOf(refresh(once))).toBe('200');
    expect(await outcomeOf(refresh(once))).toBe('401 invalid_client');
    expect(await outcomeOf(refresh(await assertion({ key: await freshKey() })))).toBe('401 invalid_client');
    expect(await outcomeOf(refresh(''))).toBe('401 invalid_client');
    await transitionEntity(service.context(), entity.id, 'suspend', reason);
    expect(await outcomeOf(refresh(await assertion()))).toBe('401 invalid_client');
  });
});
