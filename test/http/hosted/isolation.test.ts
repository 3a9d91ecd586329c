import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ENDPOINT_PATHS } from '../../../src/issuance/authority-endpoints.ts';
import { HOSTED_BASE_URL, startHosting, type TestHosting } from '../../support/hosting.ts';
import { hostedEntity } from '../../support/hosting-verbs.ts';
import { freshIdentifier } from '../../support/registry.ts';

const WELL_KNOWN = '/.well-known/openid-federation';
const OTHER_PATHS = [
  ...[
    '/',
    '/docs',
    '/openapi.yaml',
    '/healthz',
    '/readyz',
    '/metrics',
    '/console',
    '/api/v1/whoami',
    '/api/v1/entities',
  ],
  ...Object.values(ENDPOINT_PATHS).filter((path) => path !== WELL_KNOWN),
  ...['/favicon.ico', '/.well-known/', '/.well-known', '/.well-known/openid-federation/', '//'],
];

let hosting: TestHosting;
let clinic: { id: string; entityIdentifier: string };
let partner: string;

beforeAll(async () => {
  hosting = await startHosting('embedded');
  clinic = await hosting.host();
  partner = (await hostedEntity(hosting.service, hosting.anchor)).entityIdentifier;
});

afterEach(() => expect(hosting.service.failures).toEqual([]));

afterAll(() => hosting[Symbol.asyncDispose]());

/** Status, and all that an answer from a host of hosted entities tells about anything. */
async function told(url: string, init?: RequestInit): Promise<string> {
  const response = await hosting.service.fetch(url, init);
  const body = await response.text();
  return [response.status, body, response.headers.get('content-type') ?? ''].join('|');
}

describe('a host name of hosted entities', () => {
  it.each(OTHER_PATHS)('has nothing at %s, not even words', async (path) => {
    for (const origin of [HOSTED_BASE_URL, `${HOSTED_BASE_URL}:8443`, `${HOSTED_BASE_URL}.`, partner]) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
        expect(await told(`${origin}${path}`, { method }), `${method} ${origin}`).toBe('404||');
      }
    }
  });

  it('does not know a valid API token', async () => {
    const headers = await hosting.service.bearer(['admin']);
    expect(await told(`${HOSTED_BASE_URL}/api/v1/whoami`, { headers })).toBe('404||');
    expect(await told(`${partner}/api/v1/whoami`, { headers })).toBe('404||');
  });

  it('has no authority, whatever its path', async () => {
    const { pathname } = new URL(hosting.anchor.entityIdentifier);
    for (const path of Object.values(ENDPOINT_PATHS)) {
      expect(await told(`${HOSTED_BASE_URL}${pathname.replace(/\/$/, '')}${path}`)).toBe('404||');
    }
  });

  it('takes a configuration by reading only', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      expect(await told(`${clinic.entityIdentifier}${WELL_KNOWN}`, { method })).toBe('404||');
    }
  });

  it.each([
    ['another case of the path', (url: string) => url.replace('/clinic', '/Clinic')],
    ['an encoded path', (url: string) => url.replace('/clinic', '/%63linic')],
    ['a doubled slash', (url: string) => url.replace('/clinic', '//clinic')],
    ['something behind it', (url: string) => `${url}/x`],
    ['another port', (url: string) => url.replace('.example/', '.example:8443/')],
  ])('has nothing at %s', async (_, changed) => {
    expect(await told(changed(`${clinic.entityIdentifier}${WELL_KNOWN}`))).toBe('404||');
  });

  it.each([
    ['the default port', (url: string) => url.replace('https:', 'http:').replace('.example/', '.example:443/')],
    ['another case of the host', (url: string) => url.replace('entities.example', 'ENTITIES.Example')],
    ['a query', (url: string) => `${url}?x=1`],
  ])('has the configuration at %s', async (_, changed) => {
    expect(await told(changed(`${clinic.entityIdentifier}${WELL_KNOWN}`))).toMatch(/^200\|eyJ/);
  });

  it('tells nobody which identifiers wait for approval', async () => {
    const pending = await hosting.enrol();
    const at = async (identifier: string) => {
      const { status, headers } = await hosting.ask(identifier);
      return [status, Object.fromEntries(headers)];
    };
    expect(await at(pending.body.entityIdentifier)).toEqual(await at(`${HOSTED_BASE_URL}/nobody`));
  });
});

describe('a host name on which nobody approved an entity yet', () => {
  it('is not taken from what is there otherwise, by whoever enrols', async () => {
    const awaited = freshIdentifier('awaited');
    const { body } = await hosting.enrol(awaited);
    expect((await hosting.service.fetch(`${awaited}/docs`)).status).toBe(200);
    expect((await hosting.service.fetch(`${awaited}/api/v1/whoami`)).status).toBe(401);
    const response = await hosting.ask(awaited);
    expect([response.status, response.headers.get('holdfast-hosting'), await response.text()]).toEqual([
      404,
      body.id,
      '',
    ]);
  });
});

describe('the host of an authority', () => {
  it('has no hosted entity, whoever asks for it there', async () => {
    const { pathname } = new URL(clinic.entityIdentifier);
    for (const origin of [hosting.anchor.entityIdentifier, 'http://localhost:8080']) {
      const response = await hosting.service.fetch(`${origin}${pathname}${WELL_KNOWN}`);
      expect(response.status).toBe(404);
      expect(await response.text()).not.toMatch(/^eyJ/);
    }
  });

  it('goes on to have its pages and its API', async () => {
    const { service, anchor } = hosting;
    expect((await service.fetch(`${anchor.entityIdentifier}/docs`)).status).toBe(200);
    expect((await service.fetch(`${anchor.entityIdentifier}/api/v1/whoami`)).status).toBe(401);
  });
});

/** A request as it goes over the wire, with whatever Host it names. */
async function raw(origin: string, headers: Record<string, string | string[]>, path: string): Promise<string> {
  const { hostname, port } = new URL(origin);
  const sent = request({ hostname, port, path, headers, setHost: false });
  const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
    sent.end();
  });
  const body = await text(response);
  return `${response.statusCode} ${body.startsWith('eyJ') ? 'configuration' : body.includes('<html') ? 'page' : ''}`.trim();
}

describe('a Host header', () => {
  const path = () => `${new URL(clinic.entityIdentifier).pathname}${WELL_KNOWN}`;

  it('alone says where a request goes: no other header takes it to a hosted entity, or away from one', async () => {
    await using server = await hosting.service.listen();
    const forwarded = { 'x-forwarded-host': 'entities.example', forwarded: 'host=entities.example' };
    expect(await raw(server.origin, { host: 'entities.example' }, path())).toBe('200 configuration');
    expect(await raw(server.origin, { host: 'localhost', ...forwarded }, path())).toBe('404');
    const away = { 'x-forwarded-host': 'localhost', forwarded: 'host=localhost' };
    expect(await raw(server.origin, { host: 'entities.example', ...away }, '/docs')).toBe('404');
    expect(await raw(server.origin, { host: 'localhost' }, '/docs')).toBe('200 page');
  });

  it.each(['entities.example.', 'ENTITIES.EXAMPLE', 'entities.example:443', 'entities.example:1'])(
    '%s leads to no page',
    async (host) => {
      await using server = await hosting.service.listen();
      for (const page of ['/', '/docs', '/healthz', '/api/v1/whoami']) {
        expect(await raw(server.origin, { host }, page)).toBe('404');
      }
    },
  );

  it.each([
    'entities.example/docs',
    'entities.example@localhost',
    'localhost@entities.example',
    'entities.example#localhost',
    'entities.example?localhost',
    'entities.example\\localhost',
    'entities.example:port',
    '',
  ])('that is none, %j, is refused', async (host) => {
    await using server = await hosting.service.listen();
    for (const page of ['/docs', path()]) expect(await raw(server.origin, { host }, page)).toBe('400');
  });
});
