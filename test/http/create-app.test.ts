/** What holds for the whole door: pages, health, request ids, headers, and who is asked first. */
import { afterAll, describe, expect, it } from 'vitest';
import { type AppDependencies, createApp } from '../../src/http/create-app.ts';
import { startApi } from '../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const { service } = api;
const ask = (path: string, init?: RequestInit): Promise<Response> =>
  service.fetch(`http://localhost:8080${path}`, init);

/** Attributes by which a page could load something. */
const LOADS = /<(?:script|link|img|iframe|object|embed|form)\b|\ssrc=|\sstyle=|\son\w+=|@import|url\(/i;

async function styleHash(page: string): Promise<string> {
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? '';
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
  return `'sha256-${Buffer.from(digest).toString('base64')}'`;
}

describe('the start page', () => {
  it('lists authorities by what anybody may know, escaped', async () => {
    const { entityIdentifier } = await service.authority({ name: `<script>alert('1')</script>&"x"` });
    const response = await service.fetch(new URL('/', entityIdentifier).href);
    const page = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=UTF-8');
    expect(page).toContain('&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;x&quot;');
    expect(page).not.toMatch(LOADS);
    for (const link of ['/docs', '/openapi.yaml', '/healthz', '/readyz']) expect(page).toContain(`href="${link}"`);
  });

  it('escapes identifiers as well', async () => {
    const nobody = () => undefined;
    const dependencies = {
      federation: nobody,
      hosted: nobody,
      api: {},
      logError: nobody,
    } as unknown as AppDependencies;
    const evil = { name: 'x', entityIdentifier: 'https://x.example/"><script>alert(1)</script>' };
    const app = createApp({ ...dependencies, publicAuthorities: () => [evil] });
    const page = await (await app.fetch(new Request('https://x.example/'))).text();
    expect(page).toContain('x.example/&quot;&gt;');
    expect(page).not.toContain('<script>');
  });

  it('names no authority of another host', async () => {
    const nobody = () => undefined;
    const dependencies = {
      federation: nobody,
      hosted: nobody,
      api: {},
      logError: nobody,
    } as unknown as AppDependencies;
    const authorities = ['https://one.example/a', 'https://two.example'].map((entityIdentifier) => ({
      name: `the authority ${entityIdentifier}`,
      entityIdentifier,
    }));
    const app = createApp({ ...dependencies, publicAuthorities: () => authorities });
    const page = await (await app.fetch(new Request('https://one.example/'))).text();
    expect(page).toContain('https://one.example/a');
    expect(page).not.toContain('two.example');
  });
});

describe.each(['/', '/docs'])('the page %s', (path) => {
  it('loads nothing, runs nothing and is framed by nobody', async () => {
    const response = await ask(path);
    const page = await response.text();
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(response.status).toBe(200);
    expect(policy.split('; ').sort()).toEqual([
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      `style-src ${await styleHash(page)}`,
    ]);
    expect(page).not.toMatch(LOADS);
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
  });
});

describe('the documentation', () => {
  it('has a heading, an example and a place in the contents for every operation', async () => {
    const page = await (await ask('/docs')).text();
    const contents = page.slice(page.indexOf('<nav'), page.indexOf('</nav>'));
    const operations = [...contents.matchAll(/<li><a href="#([A-Za-z]+)">/g)].map(([, id]) => id);
    expect(operations.length).toBeGreaterThan(50);
    for (const id of operations) {
      if (id === 'problems' || id === 'schemas') continue;
      const section = page.slice(page.indexOf(`<h3 id="${id}">`));
      expect(section.slice(0, section.indexOf('</section>')), id).toMatch(/<code>curl (?:-X [A-Z]+ )?&quot;/);
    }
  });

  it('has no link that leads nowhere', async () => {
    const page = await (await ask('/docs')).text();
    const ids = new Set([...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id));
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(targets.filter((target) => !ids.has(target))).toEqual([]);
    expect(ids.size).toBe([...page.matchAll(/\sid="/g)].length);
    expect(ids.has('problem-validation_failed')).toBe(true);
  });
});

describe('health', () => {
  it('needs no token', async () => {
    expect((await api.anonymous.get('/healthz')).body).toEqual({ status: 'ok' });
    const ready = await api.anonymous.get('/readyz');
    expect([ready.status, ready.body]).toEqual([200, { status: 'ready', seq: await service.seq() }]);
  });

  it('503: says when this node is not current', async () => {
    const readiness = async () => ({ ready: false, seq: 41 });
    const nobody = () => undefined;
    const doors = {
      plain: nobody,
      admission: () => false,
      ocsp: () => false,
      participants: () => false,
      federation: nobody,
      hosted: nobody,
    };
    const keyStores = {} as AppDependencies['keyStores'];
    const revocationLists = {} as AppDependencies['revocationLists'];
    const est = {} as AppDependencies['est'];
    const dependencies = { ...doors, keyStores, revocationLists, est, publicAuthorities: () => [], logError: () => {} };
    const app = createApp({ ...dependencies, api: { readiness } as unknown as AppDependencies['api'] });
    const response = await app.fetch(new Request('http://localhost/readyz'));
    expect([response.status, await response.json()]).toEqual([503, { status: 'unavailable', seq: 41 }]);
  });
});

describe('x-request-id', () => {
  it.each(['abc', 'A-1.b_2', 'x'.repeat(64)])('is kept when acceptable: %s', async (id) => {
    const { headers, body } = await api.anonymous.get('/api/v1/whoami', { 'x-request-id': id });
    expect([headers.get('x-request-id'), body.requestId]).toEqual([id, id]);
  });

  it.each(['', 'x'.repeat(65), 'a b', 'a"b', 'a\u00e9', '{"a":1}'])('is made anew when not: %j', async (id) => {
    const { headers, body } = await api.anonymous.get('/api/v1/whoami', { 'x-request-id': id });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(body.requestId).toBe(headers.get('x-request-id'));
  });
});

describe('other origins', () => {
  it('[OIDFED-8-6] get no permission on any route of the API', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    for (const method of ['OPTIONS', 'GET', 'POST']) {
      const response = await ask('/api/v1/entities', { method, headers });
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });
});

describe('the federation endpoints', () => {
  it('are asked first, also at the root of a host', async () => {
    const dependencies = { api: {}, publicAuthorities: () => [], logError: () => {} } as unknown as AppDependencies;
    const app = createApp({
      ...dependencies,
      hosted: () => undefined,
      federation: ({ url }) => (url.includes('/taken') ? new Response('federation') : undefined),
    });
    expect(await (await app.fetch(new Request('http://localhost/taken'))).text()).toBe('federation');
    expect((await app.fetch(new Request('http://localhost/other'))).status).toBe(404);
  });
});

it('a fault is logged in full and shown as nothing but a number', async () => {
  const logged: unknown[] = [];
  const fault = new Error('relation "entities" does not exist');
  const app = createApp({
    plain: () => undefined,
    participants: () => false,
    admission: () => false,
    ocsp: () => false,
    federation: () => undefined,
    hosted: () => undefined,
    keyStores: {} as AppDependencies['keyStores'],
    revocationLists: {} as AppDependencies['revocationLists'],
    est: {} as AppDependencies['est'],
    publicAuthorities: () => [],
    logError: (error, requestId) => logged.push([error, requestId]),
    api: { authenticate: () => Promise.reject(fault) } as unknown as AppDependencies['api'],
  });
  const headers = { authorization: 'Bearer x', 'x-request-id': 'r-1' };
  const response = await app.fetch(new Request('http://localhost/api/v1/whoami', { headers }));
  expect([response.status, (await response.text()).includes('relation'), logged]).toEqual([
    500,
    false,
    [[fault, 'r-1']],
  ]);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
});
