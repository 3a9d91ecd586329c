import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FEDERATION_ENDPOINT_NAMES } from '../../../src/issuance/authority-endpoints.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { descriptionIn, refusalIn } from '../../support/answers.ts';
import { startTestService, type TestService, urlOf } from '../../support/service.ts';

let service: TestService;
let authority: Authority;
let entity: Entity;

beforeAll(async () => {
  service = await startTestService('embedded', { resolveAnonymous: 'refuse' });
  authority = await service.authority();
  entity = await service.entity(await service.organisation(authority));
});

afterAll(() => service[Symbol.asyncDispose]());

describe.each(FEDERATION_ENDPOINT_NAMES)('the endpoint %s', (endpoint) => {
  const isAuthenticationOffered = endpoint === 'resolve';
  const isPostAlways = endpoint === 'trustMarkStatus';
  const publicMethods = isAuthenticationOffered ? 'GET, HEAD, POST, OPTIONS' : 'GET, HEAD, OPTIONS';
  const methods = isPostAlways ? 'POST, OPTIONS' : publicMethods;

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'].slice(isAuthenticationOffered || isPostAlways ? 1 : 0))(
    '[OIDFED-8.8-5] [OIDFED-8.9-1] answers %s with 405, the methods that it serves, and an error body',
    async (method) => {
      const response = await service.ask(authority, endpoint, { sub: entity.entityIdentifier }, { method });
      expect(response.headers.get('allow')).toBe(methods);
      expect(await refusalIn(response)).toBe('405 invalid_request');
    },
  );

  it('[OIDFED-8.8-5] answers a POST with a complete authenticated form just so, where nobody may prove a name', async () => {
    const form = { sub: entity.entityIdentifier, trust_anchor: authority.entityIdentifier };
    const proof = { client_assertion: 'eyJ', client_assertion_type: 'x' };
    const init = { method: 'POST', body: new URLSearchParams({ ...form, ...proof }) };
    const refused = isPostAlways
      ? '400 invalid_request'
      : isAuthenticationOffered
        ? '401 invalid_client'
        : '405 invalid_request';
    expect(await refusalIn(await service.ask(authority, endpoint, {}, init))).toBe(refused);
  });

  it('[OIDFED-8-5] tells browsers which requests they may send', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
    const response = await service.ask(authority, endpoint, {}, { method: 'OPTIONS', headers });
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      allow: methods,
      'access-control-allow-origin': '*',
      'access-control-allow-methods': methods,
      'access-control-allow-headers': 'If-None-Match',
    });
    expect(response.headers.has('access-control-allow-credentials')).toBe(false);
  });

  it('[OIDFED-8-4] is at its own path only, and nothing near it redirects there', async () => {
    const url = urlOf(authority, endpoint);
    for (const near of [`${url}/`, url.replace(/\/([^/]+)$/, '//$1'), url.toUpperCase().replace('HTTPS', 'https')]) {
      const response = await service.fetch(`${near}?sub=x`);
      expect([near, response.status, response.headers.get('location')]).toEqual([near, 404, null]);
    }
  });
});

describe('errors', () => {
  it('[OIDFED-8-9] [OIDFED-8-5] [OIDFED-8.9-2] are open to every origin, kept by nobody, and have a fitting status', async () => {
    const headers = { origin: 'https://app.example' };
    const refused = async (endpoint: 'fetch' | 'resolve', query: Record<string, string>) => {
      const response = await service.ask(authority, endpoint, query, { headers });
      expect(response.headers.has('access-control-allow-credentials')).toBe(false);
      return await refusalIn(response);
    };
    expect(await refused('fetch', {})).toBe('400 invalid_request');
    expect(await refused('fetch', { sub: 'https://stranger.example' })).toBe('404 not_found');
    const stranger = { sub: 'https://stranger.example', trust_anchor: authority.entityIdentifier };
    expect(await refused('resolve', stranger)).toBe('404 invalid_subject');
  });

  it('quote nothing of a request that could do harm where they are shown', async () => {
    const sub = 'https://op.example/"><script>alert(1)</script>\r\nx: y\\ö';
    const response = await service.ask(authority, 'fetch', { sub });
    expect(await refusalIn(response)).toBe('400 invalid_request');
    expect(await descriptionIn(response)).not.toMatch(/["<>\\]|script/);
  });

  it('of our own making say nothing but that: the cause goes to the log', async () => {
    expect(service.failures).toEqual([]);
    const broken = await service.entity(await service.organisation(authority));
    // No verb writes this; an operator with psql, or a bug, might.
    await service.db.update(entities).set({ crit: ['absent'] });
    const response = await service.ask(authority, 'fetch', { sub: broken.entityIdentifier });
    expect(await refusalIn(response)).toBe('500 server_error');
    expect(await descriptionIn(response)).toBe('something went wrong here');
    expect(service.failures.splice(0)).toMatchObject([
      { name: 'StatementUnfit', message: expect.stringContaining(broken.entityIdentifier) },
    ]);
  });
});

describe('what is no federation endpoint', () => {
  it.each([
    ['GET', '/api/v1/authorities'],
    ['OPTIONS', '/api/v1/authorities'],
    ['POST', '/api/v1/entities'],
    ['GET', '/api/v1/nothing'],
    ['GET', '/healthz'],
    ['GET', '/readyz'],
    ['GET', '/'],
  ])('[OIDFED-8-6] lets no other origin read %s %s', async (method, path) => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const response = await service.fetch(`${authority.entityIdentifier}${path}`, { method, headers });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });
});
