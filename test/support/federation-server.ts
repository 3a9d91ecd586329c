/** Publishes a test federation over real HTTP on 127.0.0.1: configurations, fetch and list endpoints. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { entityConfigurationUrl } from '../../src/federation/identifiers.ts';
import { MEDIA_TYPE } from '../../src/federation/media-types.ts';
import { buildFederation, type EntitySettings, type FederationOptions, type TestFederation } from './federation.ts';

/** An answer in place of the regular one. What is not named stays as it would be. */
export interface CannedResponse {
  status?: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Answers this much later. */
  delayMs?: number;
  /** Takes the request and stays silent until the server closes. */
  neverAnswers?: boolean;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array;
}

export interface RecordedRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

export interface ServerOptions extends Omit<FederationOptions, 'identifierOf'> {
  /** Gives each entity a host of its own, `http://<name>.localhost:<port>`, instead of a path on 127.0.0.1. */
  hosts?: boolean;
}

/**
 * Builds a federation whose identifiers are `http://127.0.0.1:<port>/<name>` and publishes all of its entities.
 * @example
 * await using server = await serveFederation({ anchor: {}, op: { superiors: ['anchor'] } });
 * const op = server.federation.id('op');
 * server.override(server.fetchUrl('anchor', 'op'), { status: 503 });
 * server.override(server.configurationUrl('op'), (_request, response) => response.destroy());
 * expect(server.requestCount(server.configurationUrl('anchor'))).toBe(1);
 */
export async function serveFederation(
  settings: Record<string, EntitySettings>,
  { hosts = false, ...options }: ServerOptions = {},
): Promise<FederationServer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const identifierOf = (name: string): string => (hosts ? `http://${name}.localhost:${port}` : `${origin}/${name}`);
  const federation = await buildFederation(settings, { ...options, identifierOf });
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const published = new FederationServer(federation, origin, close);
  server.on('request', published.listener);
  return published;
}

export class FederationServer implements AsyncDisposable {
  readonly federation: TestFederation;
  readonly origin: string;
  /** Everything that was asked, in order. */
  readonly requests: RecordedRequest[] = [];
  readonly #overrides = new Map<string, CannedResponse | RequestListener>();
  readonly #close: () => Promise<void>;

  constructor(federation: TestFederation, origin: string, close: () => Promise<void>) {
    this.federation = federation;
    this.origin = origin;
    this.#close = close;
  }

  configurationUrl(name: string): string {
    return entityConfigurationUrl(this.federation.id(name));
  }

  fetchUrl(superior: string, subject: string): string {
    return `${this.federation.endpoints(superior).fetch}?sub=${encodeURIComponent(this.federation.id(subject))}`;
  }

  listUrl(superior: string): string {
    return this.federation.endpoints(superior).list;
  }

  /**
   * Answers otherwise at a URL from now on; a URL without query stands for every query. A function gets the raw
   * request and response, for answers that trickle or break off.
   */
  override(url: string, response: CannedResponse | RequestListener): void {
    this.#overrides.set(comparable(url), response);
  }

  /** Answers regularly again. */
  restore(url: string): void {
    this.#overrides.delete(comparable(url));
  }

  /** How often exactly this URL was asked for; percent-encoding of the query does not matter. */
  requestCount(url: string): number {
    return this.requests.filter((request) => comparable(request.url) === comparable(url)).length;
  }

  readonly listener: RequestListener = (request, response) => {
    const { host = '' } = request.headers;
    const url = `${host.includes('.localhost') ? `http://${host}` : this.origin}${request.url ?? '/'}`;
    this.requests.push({ method: request.method ?? '', url, headers: request.headers });
    const override = this.#overrides.get(comparable(url)) ?? this.#overrides.get(comparable(url.split('?')[0] ?? url));
    if (typeof override === 'function') override(request, response);
    else this.#answer(url, override ?? {}, response).catch((error: Error) => response.destroy(error));
  };

  async #answer(url: string, override: CannedResponse, response: ServerResponse): Promise<void> {
    if (override.neverAnswers === true) return;
    if (override.delayMs !== undefined) await delay(override.delayMs);
    const regular = await this.#regularAnswer(new URL(url));
    response.writeHead(override.status ?? regular.status, override.headers ?? regular.headers);
    response.end(override.body ?? regular.body);
  }

  async #regularAnswer(url: URL): Promise<Answer> {
    const { federation } = this;
    const place = `${url.origin}${url.pathname}`;
    for (const { name } of federation.entities) {
      const endpoints = federation.endpoints(name);
      if (place === comparable(this.configurationUrl(name))) return statement(await federation.configuration(name));
      if (federation.subordinates(name).length === 0) continue;
      if (place === comparable(endpoints.fetch)) return this.#fetched(name, url.searchParams.get('sub'));
      if (place === comparable(endpoints.list)) {
        return json(
          200,
          federation.subordinates(name).map((subordinate) => subordinate.identifier),
        );
      }
    }
    return json(404, { error: 'not_found', error_description: `nothing at ${place}` });
  }

  async #fetched(superior: string, sub: string | null): Promise<Answer> {
    if (sub === null) return json(400, { error: 'invalid_request', error_description: 'sub is required' });
    const subject = this.federation.subordinates(superior).find(({ identifier }) => identifier === sub);
    if (subject === undefined) return json(404, { error: 'not_found', error_description: 'no such subordinate' });
    return statement(await this.federation.subordinateStatement(superior, subject.name));
  }

  /** Closes the server and whatever still waits for an answer. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

function statement(jwt: string): Answer {
  return { status: 200, headers: { 'Content-Type': MEDIA_TYPE.entityStatement }, body: jwt };
}

function json(status: number, value: unknown): Answer {
  return { status, headers: { 'Content-Type': MEDIA_TYPE.json }, body: JSON.stringify(value) };
}

/** A URL with its query decoded and encoded again, so that different encodings of one query are equal. */
function comparable(url: string): string {
  const { origin, pathname, searchParams } = new URL(url);
  const query = searchParams.toString();
  return query === '' ? `${origin}${pathname}` : `${origin}${pathname}?${query}`;
}
