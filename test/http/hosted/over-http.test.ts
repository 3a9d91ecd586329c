import { createServer } from 'node:http';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { createResolver } from '../../../src/resolver/resolver.ts';
import { claimsOf } from '../../support/answers.ts';
import { type ApiAnswer, refusalOf } from '../../support/api-client.ts';
import { freePort } from '../../support/cli.ts';
import { METADATA, startHosting, type TestHosting } from '../../support/hosting.ts';
import { testKey } from '../../support/keys.ts';
import { testClient } from '../../support/outbound.ts';
import { outcomeText } from '../../support/relying-parties.ts';

/** Host names of their own, all of this machine: the service, its hosted entities, three partners. */
const [SERVICE, HOSTED, PARTNER] = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;
const [ELSEWHERE, PUBLISHING] = ['127.0.0.4', '127.0.0.5'] as const;
const DAY = 86_400;

const ifMatch = ({ etag }: ApiAnswer) => ({ 'if-match': etag });

let hosting: TestHosting;
let port: number;
const servers: ServerType[] = [];
const at = (host: string, path = ''): string => `http://${host}:${port}${path}`;

async function listen(host: string, fetch: Parameters<typeof createAdaptorServer>[0]['fetch']): Promise<void> {
  const server = createAdaptorServer({ fetch, createServer });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  servers.push(server);
}

beforeAll(async () => {
  port = await freePort();
  hosting = await startHosting(
    'embedded',
    { baseUrl: at(SERVICE), hostedBaseUrl: at(HOSTED) },
    { entityIdentifier: at(SERVICE) },
  );
  for (const host of [SERVICE, HOSTED, PARTNER]) await listen(host, (request) => hosting.service.app.fetch(request));
});

afterAll(async () => {
  for (const server of servers) await new Promise<unknown>((resolve) => server.close(resolve));
  await hosting[Symbol.asyncDispose]();
});

async function resolved(subject: string): Promise<string> {
  await using outbound = testClient();
  const { service, anchor } = hosting;
  const resolver = createResolver({ outbound, clock: service.clock });
  const trustAnchors = await service.trustAnchors(anchor);
  return outcomeText(await resolver.resolve({ subject: subject as EntityIdentifier, trustAnchors }));
}

describe('over HTTP, a hosted entity', () => {
  it('resolves to our Trust Anchor for a resolver that fetches as anybody', async () => {
    const { entityIdentifier } = await hosting.host(at(HOSTED, '/clinic'));
    expect(await resolved(entityIdentifier)).toBe('resolved');
  });

  it('is resolved by the process that hosts and vouches for it', async () => {
    const { id, entityIdentifier } = await hosting.host(at(HOSTED, '/surgery'));
    const { service, anchor } = hosting;
    const query = { sub: entityIdentifier, trust_anchor: anchor.entityIdentifier };
    const response = await service.ask(anchor, 'resolve', query);
    const body = await response.text();
    expect([response.status, body.slice(0, 3)]).toEqual([200, 'eyJ']);
    expect(claimsOf(body)).toMatchObject({ sub: entityIdentifier, metadata: METADATA });
    await hosting.transition(id, 'suspend');
    expect((await service.ask(anchor, 'resolve', query)).status).toBe(400);
  });
});

describe('over HTTP, an entity that publishes itself', () => {
  it('is checked by what it publishes, whatever waits to be hosted under its identifier elsewhere', async () => {
    const { service, registrar } = hosting;
    const key = await testKey('ES256', 8003);
    const entityIdentifier = at(PUBLISHING);
    await listen(PUBLISHING, async () => {
      const headers = { 'content-type': 'application/entity-statement+jwt' };
      return new Response(await hosting.signed(entityIdentifier, key), { headers });
    });
    const other = await service.authority();
    const { id: otherOrganisation } = await service.organisation(other);
    const foreign = { organisationId: otherOrganisation, entityIdentifier, hosting: { metadata: METADATA } };
    expect((await registrar.post('/api/v1/entities', foreign)).status).toBe(201);
    const own = { organisationId: hosting.organisationId, entityIdentifier };
    const enrolled = await registrar.post('/api/v1/entities', own);
    expect(enrolled.body.evidence.kid).toBe(key.kid);
    await hosting.transition(enrolled.body.id, 'approve', ifMatch(enrolled));
    const refreshed = await registrar.post(`/api/v1/entities/${enrolled.body.id}/refresh`);
    expect([refreshed.status, refreshed.body.outcome]).toEqual([200, 'followed']);
    expect((await registrar.get(`/api/v1/entities/${enrolled.body.id}`)).body.evidence.kid).toBe(key.kid);
  });

  it('learns nothing of what waits to be hosted under its identifier', async () => {
    const entityIdentifier = at(HOSTED, '/waiting');
    const { service, registrar } = hosting;
    expect((await hosting.enrol(entityIdentifier)).status).toBe(201);
    const { id: organisationId } = await service.organisation(await service.authority());
    const enrolled = await registrar.post('/api/v1/entities', { organisationId, entityIdentifier });
    expect(enrolled.body.checks[0]).toMatchObject({ check: 'configuration_retrieved', outcome: 'failed' });
    expect(enrolled.body.evidence).not.toHaveProperty('claims');
  });
});

describe('over HTTP, a host name of a partner', () => {
  it('is shown to be pointed here before its entity can be approved, and can be pointed elsewhere', async () => {
    const entityIdentifier = at(PARTNER);
    const enrolled = await hosting.enrol(entityIdentifier);
    const { id } = enrolled.body;
    expect(enrolled.body.checks[0]).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('point the host'),
    });
    const unchecked = await hosting.approver.post(`/api/v1/entities/${id}/approve`, { reason: 'x' }, ifMatch(enrolled));
    expect(refusalOf(unchecked)).toBe('409 evidence_changed');
    const checked = await hosting.registrar.post(`/api/v1/entities/${id}/checks`);
    expect(checked.body.checks.map(({ outcome }: { outcome: string }) => outcome)).not.toContain('failed');
    await hosting.transition(id, 'approve', ifMatch(checked));
    const response = await fetch(`${entityIdentifier}/.well-known/openid-federation`);
    expect([response.status, response.headers.get('holdfast-hosting')]).toEqual([200, id]);
    expect(await resolved(entityIdentifier)).toBe('resolved');
    const stop = () => hosting.registrar.post(`/api/v1/entities/${id}/hosting/stop`, { reason: 'moves' });
    expect(refusalOf(await stop())).toBe('409 not_hosted');
    const key = await testKey('ES256', 8001);
    await hosting.bring({ id, entityIdentifier }, key);
    hosting.service.clock.advance(5 * DAY);
    expect((await hosting.upload(id, await hosting.signed(entityIdentifier, key))).status).toBe(200);
    const stopped = await stop();
    expect([stopped.status, stopped.body.enrolment, stopped.body.state]).toEqual([200, 'published', 'active']);
    const after = await hosting.service.fetch(`${entityIdentifier}/.well-known/openid-federation`);
    expect(after.headers.get('holdfast-hosting')).toBeNull();
    expect(await after.text()).not.toMatch(/^eyJ/);
  });

  it('that points elsewhere fails its checks, whatever is there, and is not approved', async () => {
    const { service } = hosting;
    const key = await testKey('ES256', 8002);
    const entityIdentifier = at(ELSEWHERE);
    await listen(ELSEWHERE, async () => {
      const headers = { 'content-type': 'application/entity-statement+jwt', 'holdfast-hosting': 'anything' };
      return new Response(await hosting.signed(entityIdentifier, key), { headers });
    });
    const enrolled = await hosting.enrol(entityIdentifier);
    expect(enrolled.status).toBe(201);
    const [check] = enrolled.body.checks;
    expect([check.check, check.outcome, check.reason]).toEqual([
      'configuration_retrieved',
      'failed',
      'entity_not_found',
    ]);
    const path = `/api/v1/entities/${enrolled.body.id}/approve`;
    const approval = await hosting.approver.post(path, { reason: 'x' }, ifMatch(enrolled));
    expect(refusalOf(approval)).toBe('409 checks_failed');
    expect(service.failures).toEqual([]);
  });
});
