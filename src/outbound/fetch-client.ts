/**
 * Requests through a `fetch` that somebody brings along, within the limits of time, size and redirects of our own
 * client. Whom that fetch connects to is its own business: there is no address guard here.
 * @see OIDFED §8, §9, §18.1
 */
import { FederationError } from '../federation/errors.ts';
import { Deadline } from './deadline.ts';
import {
  DEFAULT_MAX_RESPONSE_BYTES,
  DEFAULT_TIMEOUT_MS,
  type OutboundClient,
  type OutboundPostOptions,
  type OutboundRequestOptions,
  parseTarget,
  requestHeaders,
} from './outbound-client.ts';
import { mediaType, NOT_MODIFIED, type OutboundResponse } from './response-collector.ts';
import { transportFailure } from './transport-failure.ts';

/** What is used of WHATWG fetch; `globalThis.fetch` fits. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;

export interface FetchInit {
  method: 'GET' | 'POST';
  headers: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  redirect: 'manual';
  /** Aborts when the time is over, the caller gives up, or the client is disposed of. */
  signal: AbortSignal;
}

export interface FetchClientOptions {
  fetch: Fetch;
  /** Accept `http` URLs of any host. Without it `http` is accepted for loopback only. */
  allowHttp: boolean;
  /** Sent as `User-Agent`, where the runtime lets it be chosen. */
  userAgent: string;
  /** Wall clock for a whole request, its body included, also of a fetch that ignores its signal. */
  timeoutMs?: number;
}

/**
 * Makes a client of a fetch. It throws what `OutboundClient` does, and `connection_failed` for whatever the fetch
 * itself fails with. A body that comes compressed counts as it is after it was expanded, and is cut at the limit.
 */
export function createFetchClient(options: FetchClientOptions): OutboundClient {
  return new FetchClient(options);
}

type Request = OutboundRequestOptions & Partial<OutboundPostOptions>;

class FetchClient implements OutboundClient {
  readonly #options: FetchClientOptions;
  readonly #closing = new AbortController();

  constructor(options: FetchClientOptions) {
    this.#options = options;
  }

  get(target: string | URL, options: OutboundRequestOptions = {}): Promise<OutboundResponse> {
    return this.#send('GET', target, options);
  }

  post(target: string | URL, options: OutboundPostOptions): Promise<OutboundResponse> {
    return this.#send('POST', target, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the client is closed'));
  }

  async #send(method: FetchInit['method'], target: string | URL, request: Request): Promise<OutboundResponse> {
    const { allowHttp } = this.#options;
    const usualMs = request.timeoutMs ?? this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timeoutMs = Math.min(usualMs, request.answerTimeoutMs ?? usualMs);
    const url = parseTarget(target, allowHttp);
    const closing = this.#closing.signal;
    const outer = request.signal === undefined ? closing : AbortSignal.any([request.signal, closing]);
    outer.throwIfAborted();
    using deadline = new Deadline({
      timeoutMs,
      outer,
      expired: () => new FederationError('timed_out', `${url.host} gave no complete answer within ${timeoutMs} ms`),
    });
    try {
      return await this.#exchange(method, url, request, deadline);
    } catch (error) {
      if (deadline.signal.aborted) throw deadline.signal.reason;
      throw transportFailure(causeOf(error), url.host);
    }
  }

  async #exchange(
    method: FetchInit['method'],
    url: URL,
    request: Request,
    deadline: Deadline,
  ): Promise<OutboundResponse> {
    const { fetch, userAgent } = this.#options;
    const { body, maxResponseBytes = DEFAULT_MAX_RESPONSE_BYTES } = request;
    const headers = requestHeaders(userAgent, request);
    const init: FetchInit = { method, headers, redirect: 'manual', signal: deadline.signal };
    if (body !== undefined) init.body = typeof body === 'string' ? body : new Uint8Array(body);
    const response = await inTime(fetch(url.href, init), deadline);
    try {
      refuseRedirect(response, url.host);
      const content = await bodyOf(response, { host: url.host, maxResponseBytes, deadline });
      const contentType = mediaType(response.headers.get('content-type') ?? undefined);
      return { status: response.status, contentType, headers: new Map(response.headers), body: content };
    } finally {
      discard(response);
    }
  }
}

/** fetch tells everything that the network does as a TypeError whose cause has the code. */
function causeOf(error: unknown): unknown {
  return error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
}

/** A fetch that ignores its signal answers to nobody. */
async function inTime(fetching: Promise<Response>, deadline: Deadline): Promise<Response> {
  try {
    return await deadline.race(fetching);
  } catch (error) {
    fetching.then(discard, () => undefined);
    throw error;
  }
}

/** Lets go of the connection; a body that was read to its end does not notice. */
function discard({ body }: Response): void {
  body?.cancel().catch(() => undefined);
}

/** Where a fetch may hide redirects it shows status 0 for them; one that follows them nevertheless is found out. */
function refuseRedirect(response: Response, host: string): void {
  const isRedirect = response.status >= 300 && response.status <= 399 && response.status !== NOT_MODIFIED;
  if (!isRedirect && response.type !== 'opaqueredirect' && !response.redirected) return;
  throw new FederationError('redirect_refused', `${host} answered with a redirect; redirects are not followed`);
}

interface BodyLimits {
  host: string;
  maxResponseBytes: number;
  deadline: Deadline;
}

async function bodyOf({ body, headers }: Response, limits: BodyLimits): Promise<Uint8Array> {
  const { host, maxResponseBytes, deadline } = limits;
  const tooLarge = (): FederationError =>
    new FederationError('response_too_large', `${host} answered with more than ${maxResponseBytes} bytes`);
  if (Number(headers.get('content-length')) > maxResponseBytes) throw tooLarge();
  if (body === null) return new Uint8Array();
  const reader = body.getReader();
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const { done, value } = await deadline.race(reader.read());
      if (done) return joined(chunks, size);
      size += value.length;
      if (size > maxResponseBytes) throw tooLarge();
      chunks.push(value);
    }
  } finally {
    reader.releaseLock();
  }
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
