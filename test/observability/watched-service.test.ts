import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../support/cli.ts';
import { type Collector, startCollector } from '../support/collector.ts';
import { copyMigratedDataDirectory } from '../support/databases.ts';
import { organisationThrough, ServiceProcess } from '../support/service-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;

/** Whatever was secret in the run. */
const secrets = new Map<string, string>([
  ['master key', Buffer.alloc(32, 77).toString('base64url')],
  ['admin token', 'a-token-for-tests-of-32-bytes-at-least'],
  ['introspection secret', 'introspect-me-9d41c2'],
  ['access token', 'access-token-of-a-client-51ae77'],
  ['wrong token', 'nobody-has-this-token-0c1177'],
  ['query', 'query-of-somebody-77ab01'],
  ['cookie', 'cookie-of-somebody-13fa90'],
  ['collector header', 'collector-key-8812'],
]);

let folder: string;
let collector: Collector;
let service: ServiceProcess;
let metricsPort: number;
let authority: { id: string; entityIdentifier: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-watched-'));
  const [port, free] = [await freePort(), await freePort()];
  metricsPort = free;
  collector = await startCollector();
  await copyMigratedDataDirectory(folder);
  service = await ServiceProcess.start({
    ...{ port, baseUrl: `http://localhost:${port}`, dataDir: folder },
    environment: {
      HOLDFAST_MASTER_KEY: secrets.get('master key') ?? '',
      HOLDFAST_LOG_LEVEL: 'debug',
      HOLDFAST_METRICS_PORT: String(metricsPort),
      HOLDFAST_RESOLVE_ANONYMOUS: 'on-demand',
      HOLDFAST_TRACE_RATIO: '1',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: `x-key=${secrets.get('collector header')}`,
    },
  });
  await richRun();
});

afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  await collector?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Something of every kind, with secrets wherever one can be. */
async function richRun(): Promise<void> {
  const { body } = await service.api('GET', '/authorities');
  [authority] = body.items;
  const authorityId = authority.id;
  const { baseUrl } = service;
  const [query, cookie] = [secrets.get('query') ?? '', secrets.get('cookie') ?? ''];
  for (let count = 0; count < 3; count++) {
    await service.get(`${baseUrl}/.well-known/openid-federation`, { cookie });
    await service.get(`${baseUrl}/federation/fetch?sub=https://a.example&x=${query}`, { traceparent });
  }
  await service.get(`${baseUrl}/nothing/${query}?token=${query}`);
  await service.get(`${baseUrl}/api/v1/whoami`, { authorization: `Bearer ${secrets.get('wrong token')}` });
  const token = await service.api('POST', '/tokens', { name: 'reader', roles: ['auditor'] });
  secrets.set('auditor token', token.body.secret);
  const refused = { authorization: `Bearer ${token.body.secret}`, 'x-request-id': 'refused-1' };
  await service.api('POST', '/organisations', { authorityId, legalName: 'No' }, refused);
  const issuer = { authorityId, issuer: 'http://localhost:1/as', audiences: ['https://api.example'] };
  const introspection = { endpoint: 'http://localhost:1/introspect', clientId: 'us' };
  const made = await service.api('POST', '/token-issuers', {
    ...issuer,
    introspection,
    clientSecret: secrets.get('introspection secret'),
  });
  expect(made.text).not.toContain(secrets.get('introspection secret'));
  const point = await service.api('POST', '/enforcement-points', { authorityId, name: 'gateway' });
  secrets.set('enforcement point token', point.body.token);
  const asPoint = { 'holdfast-enforcement-point': point.body.token };
  const asked = await service.api(
    'POST',
    '/admission',
    { 'x5t#S256': 'A'.repeat(43), token: secrets.get('access token') },
    asPoint,
  );
  expect(asked.status, asked.text).toBe(200);
  await organisationThrough(service, authorityId);
  await service.get(
    `${baseUrl}/federation/resolve?sub=http://localhost:1/gone&trust_anchor=${authority.entityIdentifier}`,
    { traceparent },
  );
}

async function scrape(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return await response.text();
}

/** What the port answers to these very bytes. */
async function askRaw(bytes: string): Promise<string> {
  const socket = connect({ port: metricsPort, host: '127.0.0.1' });
  socket.write(bytes);
  return await textOf(socket);
}

/** Names of metrics, those of histograms with what they are told as. */
function namesIn(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    names.add(name);
    if (type === 'histogram') for (const part of ['bucket', 'sum', 'count']) names.add(`${name}_${part}`);
  }
  return names;
}

/** Names of metrics in an expression of PromQL: what is neither a function, a keyword, a label nor in quotes. */
function namesOf(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\[[^\]]*\]/g, '')
    .replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, '');
  return [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !['and', 'or', 'unless', 'time', 'vector', 'by'].includes(name));
}

describe('/metrics', () => {
  it('[F54] tells of requests, signatures, caches, resolutions, admission, jobs, events, ends, seq and process', async () => {
    const text = await scrape();
    for (const line of [
      /^holdfast_requests_total\{door="plain",route="configuration",method="GET",status="2xx"\} \d/m,
      /^holdfast_requests_total\{door="federation",route="fetch",method="GET",status="4xx"\} 3$/m,
      /^holdfast_requests_total\{door="api",route="\/api\/v1\/tokens",method="POST",status="2xx"\} 1$/m,
      /^holdfast_requests_total\{door="public",route="unmatched",method="GET",status="4xx"\} 1$/m,
      /^holdfast_requests_total\{door="admission",route="\/api\/v1\/admission",method="ANY",status="2xx"\} 1$/m,
      /^holdfast_request_duration_seconds_bucket\{door="federation",route="fetch",method="GET",le="\+Inf"\} 3$/m,
      // Whom we could not reach is none of our faults.
      /^holdfast_requests_total\{door="federation",route="resolve",method="GET",status="5xx"\} 1$/m,
      /^holdfast_request_faults_total\{door="federation",route="resolve",method="GET"\} 0$/m,
      /^holdfast_signature_duration_seconds_count\{kind="entity-statement"\} [1-9]/m,
      /^holdfast_cache_reads_total\{cache="hot_answers",result="hit"\} \d/m,
      /^holdfast_resolution_duration_seconds_count\{verdict="temporarily_unavailable"\} 1$/m,
      /^holdfast_outbound_request_duration_seconds_count\{purpose="participants",outcome="connection_failed"\} [1-9]/m,
      /^holdfast_admission_decisions_total\{outcome="deny",reason="\w+"\} 1$/m,
      /^holdfast_job_failures\{job="judge_paths"\} \d/m,
      /^holdfast_event_deliveries\{state="dead"\} 0$/m,
      /^holdfast_statement_not_after_seconds\{authority="http:\/\/localhost:\d+",kind="entity-configuration"\} \d+/m,
      /^holdfast_authority_keys\{authority="http:\/\/localhost:\d+",state="active"\} 1$/m,
      /^holdfast_registry_seq [1-9]\d*$/m,
      /^holdfast_change_feed_age_seconds \d/m,
      /^holdfast_ready 1$/m,
      /^nodejs_eventloop_lag_p99_seconds \d/m,
      /^process_resident_memory_bytes \d/m,
    ]) {
      expect(text).toMatch(line);
    }
    // Labels are ours: nothing that a client chose is in one.
    expect(text).not.toMatch(/nothing\/|a\.example|gone/);
  });

  it('is on a port of its own, and bad requests there get 4xx', async () => {
    expect((await service.get(`${service.baseUrl}/metrics`)).status).toBe(404);
    const at = `http://127.0.0.1:${metricsPort}`;
    const status = async (path: string, init?: RequestInit) => (await fetch(`${at}${path}`, init)).status;
    expect(await Promise.all([status('/'), status('/metrics', { method: 'DELETE' })])).toEqual([404, 405]);
    expect(await status('/metrics', { method: 'POST', body: 'x' })).toBe(400);
    expect(await askRaw('GET /metrics HTTP/1.1\r\nno header\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await askRaw(`GET /metrics HTTP/1.1\r\nx: ${'x'.repeat(9000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
  });

  it('has every metric that the dashboard and the alerts ask for', async () => {
    const names = namesIn(await scrape());
    // On the embedded database there is no pool.
    names.add('holdfast_database_connections');
    const dashboard = JSON.parse(readFileSync(join(ROOT, 'observability/grafana/holdfast.json'), 'utf8'));
    type Panel = { id: number; type: string; title: string; targets?: { expr: string }[] };
    const panels: Panel[] = dashboard.panels;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const alerts = parse(readFileSync(join(ROOT, 'observability/prometheus/holdfast-alerts.yaml'), 'utf8'));
    type Rule = { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } };
    const rules: Rule[] = alerts.groups.flatMap((group: { rules: Rule[] }) => group.rules);
    for (const { alert, labels, annotations } of rules) {
      expect([alert, labels.severity, annotations.summary]).toEqual([
        expect.stringMatching(/^Holdfast\w+$/),
        expect.stringMatching(/^(?:critical|warning)$/),
        expect.stringMatching(/./),
      ]);
    }
    const asked = [...queries, ...rules.map(({ expr }) => expr)].flatMap(namesOf);
    expect(asked.length).toBeGreaterThan(40);
    expect(asked.filter((name) => !names.has(name))).toEqual([]);
    // Nothing is counted that nobody looks at.
    const ours = [...names].filter((name) => name.startsWith('holdfast_') && !/_(?:bucket|sum|count)$/.test(name));
    const unseen = ours.filter((name) => !asked.some((each) => each.startsWith(name)));
    expect(unseen).toEqual([]);
  });
});

describe('traces', () => {
  it('have requests, the resolution in one, its fetches, changes and jobs, and link what a client says', async () => {
    const resolve = await collector.span(({ name }) => name === 'GET resolve');
    expect(resolve.attributes).toMatchObject({ 'holdfast.door': 'federation', 'http.route': 'resolve' });
    expect(resolve.traceId).not.toBe(TRACE);
    expect(resolve.parentSpanId ?? '').toBe('');
    expect(resolve.links).toMatchObject([{ traceId: TRACE, spanId: '00f067aa0ba902b7' }]);
    const resolution = await collector.span(({ parentSpanId }) => parentSpanId === resolve.spanId);
    expect([resolution.name, resolution.attributes]).toEqual([
      'resolution',
      { 'holdfast.verdict': 'temporarily_unavailable' },
    ]);
    const fetched = await collector.span(({ parentSpanId }) => parentSpanId === resolution.spanId);
    expect([fetched.name, fetched.status]).toEqual([
      'GET participants',
      expect.objectContaining({ code: 2, message: 'FederationError' }),
    ]);
    const made = await collector.span(({ name }) => name === 'POST /api/v1/token-issuers');
    expect(made.attributes['http.response.status_code']).toBe(201);
    expect(await collector.span(({ parentSpanId }) => parentSpanId === made.spanId)).toMatchObject({ name: 'change' });
    await collector.span(({ name }) => name.startsWith('job '));
  });
});

describe('the log', () => {
  it('has a line for each request, with its trace, and tells of refusals of those who have a token', () => {
    const lines = service.log.split('\n').filter((line) => line.startsWith('{'));
    const answered = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request answered');
    expect(answered).toContainEqual({
      ...{ level: 'info', time: expect.any(String), msg: 'request answered' },
      ...{ door: 'api', route: '/api/v1/organisations', method: 'POST', status: 403, requestId: 'refused-1' },
      ...{ actor: { kind: 'token', id: expect.stringMatching(/^[0-9a-f-]{36}$/) }, durationMs: expect.any(Number) },
      ...{ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), spanId: expect.stringMatching(/^[0-9a-f]{16}$/) },
    });
    expect(answered).toContainEqual(expect.objectContaining({ level: 'debug', door: 'plain', route: 'configuration' }));
    expect(answered).toContainEqual(expect.objectContaining({ level: 'debug', door: 'admission', status: 200 }));
    expect(answered).toContainEqual(expect.objectContaining({ level: 'debug', route: 'unmatched', status: 404 }));
  });

  it('has no secret of the run in it, and neither have metrics nor traces', async () => {
    const said = { log: service.log, metrics: await scrape(), traces: collector.texts.join('\n') };
    // They are looked for where they were sent.
    expect(collector.headers[0]).toMatchObject({ 'x-key': secrets.get('collector header') });
    for (const [where, text] of Object.entries(said)) {
      expect(text.length).toBeGreaterThan(1000);
      const found = [...secrets].filter(([, secret]) => text.includes(secret)).map(([name]) => name);
      expect({ where, found }).toEqual({ where, found: [] });
    }
    expect([...secrets].filter(([, secret]) => secret === undefined || secret.length < 15)).toEqual([]);
  });
});
