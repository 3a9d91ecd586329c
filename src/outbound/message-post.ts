/**
 * Posts messages to receivers, each on a connection of its own, so that the address is looked up and judged every time;
 * of the answer only the status counts.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Client, type Dispatcher } from 'undici';
import { FederationError } from '../federation/errors.ts';
import type { AllowRules } from './address-rules.ts';
import { Deadline } from './deadline.ts';
import { createGuardedConnector } from './guarded-connector.ts';
import { createLookup, type Lookup } from './name-resolution.ts';
import { DEFAULT_CONNECT_TIMEOUT_MS, DEFAULT_TIMEOUT_MS, parseTarget, requestHeaders } from './outbound-client.ts';
import { transportFailure } from './transport-failure.ts';

export interface MessagePostOptions {
  /** Destinations permitted besides globally routable addresses; see `parseOutboundAllow`. */
  allow: AllowRules;
  /** Accept `http` URLs of any host. Without it `http` is accepted for loopback only. */
  allowHttp: boolean;
  /** PEM certificates trusted in addition to those that Node trusts. */
  extraCas: readonly string[];
  /** Sent as `User-Agent`: `holdfast/<version>`. */
  userAgent: string;
  /** Wall clock until the status is there. */
  timeoutMs?: number;
  /** Name resolution; the hosts file and the DNS servers of the system by default. */
  lookup?: Lookup;
}

export interface PostedMessage {
  contentType: string;
  /** Further header fields, by lower-case name. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

export interface MessageAnswer {
  /** Of any kind; redirects are not followed. */
  status: number;
  /** `Retry-After` as seconds from now; undefined where there is none that can be read. */
  retryAfterSeconds: number | undefined;
}

/** Disposing breaks off what is under way. */
export interface MessagePost extends AsyncDisposable {
  /**
   * @param signal ends it; it then rejects with this signal's reason
   * @throws FederationError address_forbidden, connection_failed, timed_out, response_too_large
   */
  post(target: string, message: PostedMessage, signal?: AbortSignal): Promise<MessageAnswer>;
}

/** What is read of a body that nobody asked for, so that a receiver is not cut off in the middle of a short one. */
const MAX_DISCARDED_BYTES = 16 * 1024;
const MAX_DISCARDING_MS = 500;

export function createMessagePost(options: MessagePostOptions): MessagePost {
  const { allow, allowHttp, extraCas, userAgent, timeoutMs = DEFAULT_TIMEOUT_MS, lookup = createLookup() } = options;
  const closing = new AbortController();
  const connect = createGuardedConnector({
    ...{ allow, allowHttp, extraCas, lookup, closing: closing.signal },
    timeoutMs: Math.min(DEFAULT_CONNECT_TIMEOUT_MS, timeoutMs),
  });
  return {
    async post(target, { contentType, headers: own, body }, signal) {
      const url = parseTarget(target, allowHttp);
      const outer = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
      outer.throwIfAborted();
      using deadline = new Deadline({
        ...{ timeoutMs, outer },
        expired: () => new FederationError('timed_out', `${url.host} gave no answer within ${timeoutMs} ms`),
      });
      // The deadline covers headers and body.
      const client = new Client(url.origin, { connect, allowH2: false, headersTimeout: 0, bodyTimeout: 0 });
      try {
        const reader = new StatusReader(url.host);
        const headers = { ...requestHeaders(userAgent, { contentType }), ...own };
        const path = `${url.pathname}${url.search}`;
        client.dispatch({ path, method: 'POST', headers, body, reset: true }, reader);
        const answer = await deadline.race(reader.answer);
        using discarding = new Deadline({ timeoutMs: MAX_DISCARDING_MS, expired: () => new Error('long enough') });
        await discarding.race(reader.ended).catch(() => undefined);
        return answer;
      } finally {
        await client.destroy();
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('the client for messages is closed'));
    },
  };
}

class StatusReader implements Dispatcher.DispatchHandler {
  readonly #host: string;
  readonly #answer = Promise.withResolvers<MessageAnswer>();
  readonly #ended = Promise.withResolvers<void>();
  #discarded = 0;

  constructor(host: string) {
    this.#host = host;
    // Whoever has given up listens no more.
    this.#answer.promise.catch(() => undefined);
  }

  get answer(): Promise<MessageAnswer> {
    return this.#answer.promise;
  }

  /** Resolves when nothing more comes that would be read. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  // undici wants all of them.
  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#answer.resolve({ status, retryAfterSeconds: secondsOf(headers['retry-after']) });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#discarded += chunk.length;
    if (this.#discarded > MAX_DISCARDED_BYTES) this.#ended.resolve();
  }

  onResponseEnd(): void {
    this.#ended.resolve();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#answer.reject(transportFailure(error, this.#host));
    this.#ended.resolve();
  }
}

/** Dates are not read: the clocks of receivers are their own. */
function secondsOf(retryAfter: string | undefined): number | undefined {
  return retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : undefined;
}
