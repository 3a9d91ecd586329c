/**
 * The only way out: HTTP requests to addresses that participants name, within limits of address, time and size.
 * @see OIDFED §8, §9, §18.1
 */
import { Agent } from 'undici';
import { FederationError } from '../federation/errors.ts';
import { isLoopbackHost } from '../federation/identifiers.ts';
import type { AllowRules } from './address-rules.ts';
import { Deadline } from './deadline.ts';
import { createGuardedConnector } from './guarded-connector.ts';
import { createLookup, type Lookup } from './name-resolution.ts';
import { type OutboundResponse, ResponseCollector } from './response-collector.ts';

export const DEFAULT_TIMEOUT_MS = 10_000;
/** An attempt to connect, the look-up of the name and TLS included. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 2_500;
export const DEFAULT_MAX_RESPONSE_BYTES = 256 * 1024;
export const DEFAULT_MAX_CONNECTIONS_PER_HOST = 16;
/** The other side may ask for a longer idle time of its connection, up to this. */
const MAX_KEEP_ALIVE_MS = 30_000;

export interface OutboundClientOptions {
  /**
   * Destinations permitted besides globally routable addresses; see `parseOutboundAllow`. A client has one list: what
   * participants name and what an operator configures have different ones, so each needs a client of its own.
   */
  allow: AllowRules;
  /** Accept `http` URLs of any host. Without it `http` is accepted for loopback only. */
  allowHttp: boolean;
  /** Sent as `User-Agent`: `holdfast/<version>`. */
  userAgent: string;
  /** Wall clock for a whole request: waiting, connection, headers, body. */
  timeoutMs?: number;
  /** Wall clock for an attempt to connect; never longer than that of a request. */
  connectTimeoutMs?: number;
  /** Most bytes of a response body. */
  maxResponseBytes?: number;
  /** Connections to one host and port at a time; further requests wait for one, within their time. */
  maxConnectionsPerHost?: number;
  /** PEM certificates trusted in addition to those that Node trusts. */
  extraCas?: readonly string[];
  /** Name resolution; the hosts file and the DNS servers of the system by default. */
  lookup?: Lookup;
}

export interface OutboundRequestOptions {
  /** Media types for the `Accept` header. Whether the response has one of them is for the caller to judge. */
  accept?: readonly string[];
  /** Entity tag of what is known already; a 304 confirms it. */
  ifNoneMatch?: string | undefined;
  timeoutMs?: number;
  /** Wall clock of the answer alone, from when the request got its connection: it does not pay for those before it. */
  answerTimeoutMs?: number;
  maxResponseBytes?: number;
  /** Ends the request; it then rejects with this signal's reason. */
  signal?: AbortSignal;
}

export interface OutboundPostOptions extends OutboundRequestOptions {
  body: string | Uint8Array;
  contentType: string;
  /** The `Authorization` header. */
  authorization?: string;
}

/**
 * Both verbs give any status but a redirect back and otherwise throw FederationError address_forbidden, connection_failed,
 * timed_out, redirect_refused, response_too_large or content_type_unexpected. `isRetryable` tells which may pass.
 * Disposing breaks off what is under way.
 */
export interface OutboundClient extends AsyncDisposable {
  get(url: string | URL, options?: OutboundRequestOptions): Promise<OutboundResponse>;
  post(url: string | URL, options: OutboundPostOptions): Promise<OutboundResponse>;
}

/**
 * Creates the client with its pool of connections, which it shares with no other: a connection that one list permitted
 * serves nobody with another. Proxies named in the environment are not used.
 * @example
 * const participants = createOutboundClient({ allow: parseOutboundAllow(''), allowHttp: false, userAgent });
 * const identityProvider = createOutboundClient({ allow: parseOutboundAllow('sso.corp.example'), allowHttp: false, userAgent });
 */
export function createOutboundClient(options: OutboundClientOptions): OutboundClient {
  return new PooledClient(options);
}

class PooledClient implements OutboundClient {
  readonly #options: OutboundClientOptions;
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();
  readonly #agent: Agent;

  constructor(options: OutboundClientOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#agent = new Agent({
      connections: options.maxConnectionsPerHost ?? DEFAULT_MAX_CONNECTIONS_PER_HOST,
      connect: createGuardedConnector({
        allow: options.allow,
        allowHttp: options.allowHttp,
        lookup: options.lookup ?? createLookup(),
        timeoutMs: Math.min(options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS, this.#timeoutMs),
        extraCas: options.extraCas ?? [],
        closing: this.#closing.signal,
      }),
      allowH2: false,
      keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
      // The deadline of each request covers its headers and body.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  get(url: string | URL, options: OutboundRequestOptions = {}): Promise<OutboundResponse> {
    return this.#send('GET', url, options);
  }

  post(url: string | URL, options: OutboundPostOptions): Promise<OutboundResponse> {
    return this.#send('POST', url, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the outbound client is closed'));
    await this.#agent.destroy();
  }

  async #send(
    method: 'GET' | 'POST',
    target: string | URL,
    request: OutboundRequestOptions & Partial<OutboundPostOptions>,
  ): Promise<OutboundResponse> {
    this.#closing.signal.throwIfAborted();
    request.signal?.throwIfAborted();
    const url = parseTarget(target, this.#options.allowHttp);
    const timeoutMs = request.timeoutMs ?? this.#timeoutMs;
    using answerTime = new DisposableStack();
    const collector = new ResponseCollector(
      url,
      request.maxResponseBytes ?? this.#options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES,
      () => {
        const { answerTimeoutMs } = request;
        if (answerTimeoutMs === undefined || answerTime.disposed) return;
        const timer = setTimeout(() => collector.abort(tooSlow(url, answerTimeoutMs)), answerTimeoutMs);
        answerTime.defer(() => clearTimeout(timer));
      },
    );
    using deadline = new Deadline({
      timeoutMs,
      outer: request.signal,
      expired: () => tooSlow(url, timeoutMs),
    });
    deadline.signal.addEventListener('abort', () => collector.abort(deadline.signal.reason), { once: true });
    this.#agent.dispatch(
      {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: requestHeaders(this.#options.userAgent, request),
        body: request.body ?? null,
      },
      collector,
    );
    return await collector.response;
  }
}

/** What a request says of itself; no coding is offered, as a compressed body could be a bomb. */
export function requestHeaders(userAgent: string, request: Partial<OutboundPostOptions>): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': userAgent, 'accept-encoding': 'identity' };
  if (request.accept !== undefined && request.accept.length > 0) headers['accept'] = request.accept.join(', ');
  if (request.ifNoneMatch !== undefined) headers['if-none-match'] = request.ifNoneMatch;
  if (request.contentType !== undefined) headers['content-type'] = request.contentType;
  if (request.authorization !== undefined) headers['authorization'] = request.authorization;
  return headers;
}

function tooSlow({ host }: URL, timeoutMs: number): FederationError {
  return new FederationError('timed_out', `${host} gave no complete answer within ${timeoutMs} ms`);
}

/**
 * The URL of a request, if its scheme is permitted. The refusals never show its user info, path or query.
 * @throws FederationError address_forbidden
 */
export function parseTarget(target: string | URL, allowHttp: boolean): URL {
  const url = URL.parse(String(target));
  if (url === null) throw new FederationError('address_forbidden', 'the address is not a URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new FederationError('address_forbidden', `scheme ${url.protocol} is refused: only https is accepted`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new FederationError('address_forbidden', `the URL for ${url.host} contains user info, which is refused`);
  }
  if (url.protocol === 'http:' && !allowHttp && !isLoopbackHost(url.hostname)) {
    throw new FederationError('address_forbidden', `http is refused for ${url.host}: it is accepted on loopback only`);
  }
  return url;
}
