import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createOtlpTracing } from '../../src/observability/otlp-tracing.ts';
import { startCollector } from '../support/collector.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

it('links what a client says only if it is well-formed, and begins a trace of its own in any case', async () => {
  await using collector = await startCollector();
  const given = {
    fit: `00-${TRACE}-${SPAN}-01`,
    'without sampling': `00-${TRACE}-${SPAN}-00`,
    'no trace': `00-${'0'.repeat(32)}-${SPAN}-01`,
    'no span': `00-${TRACE}-${'0'.repeat(16)}-01`,
    'another version': `ff-${TRACE}-${SPAN}-01`,
    'something after it': `00-${TRACE}-${SPAN}-01-x`,
    'upper case': `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    nothing: null,
  };
  {
    await using tracing = createOtlpTracing({ endpoint: `${collector.endpoint}/`, ratio: 1, version: '1' });
    for (const [name, traceparent] of Object.entries(given)) {
      tracing.request(traceparent, () => tracing.tell(name, { 'http.route': 'x' }));
    }
  }
  const linked = collector.spans.filter(({ links }) => links.length > 0);
  expect(collector.spans.map(({ name }) => name)).toEqual(Object.keys(given));
  expect(linked.map(({ name }) => name)).toEqual(['fit', 'without sampling']);
  expect(collector.spans.filter(({ traceId, parentSpanId = '' }) => traceId === TRACE || parentSpanId !== '')).toEqual(
    [],
  );
});

it('records none of the traces of strangers who say that theirs is, unless it would anyway', async () => {
  await using collector = await startCollector();
  {
    await using tracing = createOtlpTracing({ endpoint: collector.endpoint, ratio: 0, version: '1' });
    for (let count = 0; count < 50; count++) tracing.request(`00-${TRACE}-${SPAN}-01`, () => count);
  }
  expect(collector.spans).toEqual([]);
});

it('gives what the work gives, and tells of a failure by its type alone', async () => {
  await using collector = await startCollector();
  const fault = new TypeError('with the token s3cr3t');
  {
    await using tracing = createOtlpTracing({ endpoint: collector.endpoint, ratio: 1, version: '1' });
    expect(tracing.span('sync', {}, () => 1)).toBe(1);
    expect(await tracing.span('async', {}, async () => tracing.span('inner', {}, () => tracing.ids()))).toMatchObject({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(() =>
      tracing.span('throws', {}, () => {
        throw fault;
      }),
    ).toThrow(fault);
    await expect(tracing.span('rejects', {}, () => Promise.reject(fault))).rejects.toBe(fault);
    expect(tracing.ids()).toBeUndefined();
  }
  const failed = collector.spans.filter(({ status }) => status.code === 2);
  expect(failed.map(({ name, status }) => [name, status.message])).toEqual([
    ['throws', 'TypeError'],
    ['rejects', 'TypeError'],
  ]);
  const [outer, inner] = ['async', 'inner'].map((name) => collector.spans.find((span) => span.name === name));
  expect([inner?.traceId, inner?.parentSpanId]).toEqual([outer?.traceId, outer?.spanId]);
  expect(collector.texts.join('')).not.toContain('s3cr3t');
});

it('goes on where the collector refuses everything, and drops what is too much', async () => {
  let asked = 0;
  const server = createServer((incoming, outgoing) => {
    asked++;
    incoming.resume().on('end', () => outgoing.writeHead(400).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  {
    await using tracing = createOtlpTracing({ endpoint: `http://127.0.0.1:${port}`, ratio: 1, version: '1' });
    for (let count = 0; count < 20_000; count++) expect(tracing.span('work', {}, () => count)).toBe(count);
  }
  expect(asked).toBeGreaterThan(0);
  // 512 at a time, of 4,096 at most, and those that were under way.
  expect(asked).toBeLessThanOrEqual(9);
  server.closeAllConnections();
  server.close();
});

it('is loaded, like what makes /metrics, only where it is wanted', () => {
  const root = new URL('../../src/', import.meta.url);
  const importing = globSync('**/*.ts', { cwd: root }).filter((path) =>
    /^import (?!type\b)[^;]*(?:otlp-tracing|observability\/metrics)\.ts'/m.test(
      readFileSync(new URL(path, root), 'utf8'),
    ),
  );
  expect(importing).toEqual([]);
  expect(readFileSync(new URL('start.ts', root), 'utf8')).toContain("await import('./observability/otlp-tracing.ts')");
});
