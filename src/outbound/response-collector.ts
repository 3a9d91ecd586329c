/** Takes one HTTP response from the network and stops it as soon as a rule is broken. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { FederationError } from '../federation/errors.ts';
import { transportFailure } from './transport-failure.ts';

export interface OutboundResponse {
  status: number;
  /** Media type in lower case, without parameters; `undefined` when the response names none. */
  contentType: string | undefined;
  /** By lower-case name; a field sent several times is joined with `, `. */
  headers: ReadonlyMap<string, string>;
  body: Uint8Array;
}

/** Confirms what the caller knows; it leads nowhere else. */
export const NOT_MODIFIED = 304;

/**
 * A handler for one dispatched request. `response` rejects with FederationError redirect_refused, response_too_large,
 * content_type_unexpected, connection_failed or timed_out; the connection is then closed.
 */
export class ResponseCollector implements Dispatcher.DispatchHandler {
  readonly #url: URL;
  readonly #maxResponseBytes: number;
  readonly #onSent: () => void;
  readonly #settle = Promise.withResolvers<OutboundResponse>();
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #status = 0;
  #headers: ReadonlyMap<string, string> = new Map();
  #controller: Dispatcher.DispatchController | undefined;
  #abortedBy: Error | undefined;

  /** @param onSent called when the request got its connection */
  constructor(url: URL, maxResponseBytes: number, onSent: () => void = () => {}) {
    this.#onSent = onSent;
    this.#url = url;
    this.#maxResponseBytes = maxResponseBytes;
  }

  get response(): Promise<OutboundResponse> {
    return this.#settle.promise;
  }

  /** Rejects `response` with this very reason now; a request that still waits for its connection is never sent. */
  abort(reason: unknown): void {
    this.#settle.reject(reason);
    this.#abortedBy = reason instanceof Error ? reason : new Error('aborted', { cause: reason });
    this.#controller?.abort(this.#abortedBy);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortedBy !== undefined) controller.abort(this.#abortedBy);
    else this.#onSent();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = joinHeaders(headers);
    this.#refuseRedirect();
    this.#refuseContentEncoding();
    if (Number(this.#headers.get('content-length')) > this.#maxResponseBytes) throw this.#tooLarge();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxResponseBytes) throw this.#tooLarge();
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#settle.resolve({
      status: this.#status,
      contentType: mediaType(this.#headers.get('content-type')),
      headers: this.#headers,
      body: Buffer.concat(this.#chunks, this.#size),
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#settle.reject(transportFailure(error, this.#url.host));
  }

  #refuseRedirect(): void {
    if (this.#status < 300 || this.#status > 399 || this.#status === NOT_MODIFIED) return;
    const location = this.#headers.get('location');
    const destination = location === undefined ? undefined : URL.parse(location, this.#url.href)?.host;
    const where = destination === undefined || destination === '' ? '' : ` to ${destination}`;
    throw new FederationError(
      'redirect_refused',
      `${this.#url.host} answered ${this.#status}, a redirect${where}; redirects are not followed`,
    );
  }

  /** We asked for `identity`. What is compressed all the same could be a bomb. */
  #refuseContentEncoding(): void {
    const coding = this.#headers.get('content-encoding')?.trim().toLowerCase() ?? '';
    if (coding === '' || coding === 'identity') return;
    throw new FederationError(
      'content_type_unexpected',
      `${this.#url.host} answered with a Content-Encoding although none was offered`,
    );
  }

  #tooLarge(): FederationError {
    return new FederationError(
      'response_too_large',
      `${this.#url.host} answered with more than ${this.#maxResponseBytes} bytes`,
    );
  }
}

function joinHeaders(headers: IncomingHttpHeaders): ReadonlyMap<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) joined.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return joined;
}

/** The media type of a `Content-Type` header, in lower case, without parameters. */
export function mediaType(contentType: string | undefined): string | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return type === '' ? undefined : type;
}
