/** The port where `/metrics` is: on its own, since what is there is not for the public. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ComposedMeasures } from './compose-measures.ts';
import type { MetricsConfig } from './config/observability-settings.ts';
import type { Metrics } from './observability/metrics.ts';
import { StartError } from './start-error.ts';
import { close, listen } from './start-server.ts';

export interface MetricsPort extends AsyncDisposable {
  /** Until then scrapers hear 503. */
  show(measured: ComposedMeasures): Promise<void>;
}

/** Whoever scrapes sends little, and soon. */
const LIMITS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
};
const MAX_CONNECTIONS = 32;

/** @throws StartError when the port or its address cannot be had */
export async function openMetricsPort({ listen: host, port }: MetricsConfig): Promise<MetricsPort> {
  let metrics: Metrics | undefined;
  const server: Server = createServer(LIMITS, (incoming, outgoing) => answer(incoming, outgoing, metrics));
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, { host, port }).catch((cause) => {
    const wayOut = 'choose another HOLDFAST_METRICS_PORT or HOLDFAST_METRICS_LISTEN; nothing was created or changed';
    throw new StartError(`cannot listen on ${host}:${port} (${cause.code}): ${wayOut}`, { cause });
  });
  return {
    async show(measured) {
      const { createMetrics } = await import('./observability/metrics.ts');
      metrics = createMetrics(measured);
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}

function answer(incoming: IncomingMessage, outgoing: ServerResponse, metrics: Metrics | undefined): void {
  const send = (status: number, text: string, headers: Record<string, string> = {}) => {
    const length = String(Buffer.byteLength(text));
    const type = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' };
    outgoing.writeHead(status, { ...type, 'content-length': length, 'cache-control': 'no-store', ...headers });
    outgoing.end(incoming.method === 'HEAD' ? undefined : text);
  };
  const [path] = (incoming.url ?? '').split('?');
  // The rest of a body that nobody asked for is not read.
  const { 'content-length': length = '0', 'transfer-encoding': coding } = incoming.headers;
  if (length !== '0' || coding !== undefined) send(400, 'send no body\n', { connection: 'close' });
  else if (path !== '/metrics') send(404, 'there is nothing but /metrics\n');
  else if (incoming.method !== 'GET' && incoming.method !== 'HEAD') send(405, 'ask with GET\n', { allow: 'GET, HEAD' });
  else if (metrics === undefined) send(503, 'the service is starting\n', { 'retry-after': '1' });
  else {
    metrics.text().then(
      (text) => send(200, text, { 'content-type': metrics.contentType }),
      () => send(500, 'the metrics could not be read\n'),
    );
  }
}
