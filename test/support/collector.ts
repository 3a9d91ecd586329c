/** A collector of traces as OTLP over HTTP has them in JSON. @see OTLP 1.x §OTLP/HTTP */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface CollectedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: Record<string, unknown>;
  links: { traceId: string; spanId: string }[];
  status: { code?: number; message?: string };
}

export interface Collector extends AsyncDisposable {
  endpoint: string;
  spans: CollectedSpan[];
  /** As received. */
  texts: string[];
  /** Resolves once there is such a span. */
  span(matches: (span: CollectedSpan) => boolean): Promise<CollectedSpan>;
  headers: IncomingHttpHeaders[];
}

/** @example await using collector = await startCollector(); */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const [texts, headers]: [string[], IncomingHttpHeaders[]] = [[], []];
  let arrived = Promise.withResolvers<void>();
  const server = createServer(async (incoming, outgoing) => {
    const body = await json(incoming);
    headers.push(incoming.headers);
    texts.push(JSON.stringify(body));
    if (incoming.url === '/v1/traces') spans.push(...spansOf(body));
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    arrived.resolve();
    arrived = Promise.withResolvers();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...{ endpoint: `http://127.0.0.1:${port}`, spans, texts, headers },
    async span(matches) {
      for (;;) {
        const found = spans.find(matches);
        if (found !== undefined) return found;
        await arrived.promise;
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: what the exporter sends is what is under test
function spansOf(body: any): CollectedSpan[] {
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const spans: any[] = body.resourceSpans.flatMap((resource: any) =>
    // biome-ignore lint/suspicious/noExplicitAny: see above
    resource.scopeSpans.flatMap((scope: any) => scope.spans),
  );
  return spans.map(({ attributes = [], links = [], status = {}, ...span }) => ({
    ...{ name: span.name, traceId: span.traceId, spanId: span.spanId, parentSpanId: span.parentSpanId, links, status },
    attributes: Object.fromEntries(
      attributes.map(({ key, value }: { key: string; value: object }) => [key, Object.values(value)[0]]),
    ),
  }));
}
