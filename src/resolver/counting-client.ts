/** The requests of one resolution: counted, and refused beyond its limits. @see OIDFED §18.1 */
import { FederationError } from '../federation/errors.ts';
import type { HttpGet } from './http-statement-source.ts';

export interface RequestLimits {
  /** Retries count, and so do questions about Trust Marks. */
  maxRequests: number;
  /** Of all answers together. */
  maxBytes: number;
  /** Wall clock of one answer, from when its request got a connection. */
  answerTimeoutMs: number;
}

export class CountingClient implements HttpGet {
  requests = 0;
  readonly #client: HttpGet;
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #answerTimeoutMs: number;
  readonly #onRequest: ((url: string) => void) | undefined;

  constructor(
    client: HttpGet,
    { maxRequests, maxBytes, answerTimeoutMs }: RequestLimits,
    onRequest?: (url: string) => void,
  ) {
    this.#client = client;
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBytes;
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#onRequest = onRequest;
  }

  /** @throws FederationError budget_exhausted, and what `onRequest` throws */
  count(url: string): void {
    if (this.requests >= this.#maxRequests) {
      const message = `a resolution may send ${this.#maxRequests} requests; all were sent`;
      throw new FederationError('budget_exhausted', message);
    }
    this.#onRequest?.(url);
    this.requests++;
  }

  readonly get: HttpGet['get'] = async (url, options) => {
    this.count(String(url));
    const response = await this.#client.get(url, { answerTimeoutMs: this.#answerTimeoutMs, ...options });
    this.#bytes += response.body.length;
    if (this.#bytes <= this.#maxBytes) return response;
    throw new FederationError(
      'budget_exhausted',
      `the answers of a resolution may have ${this.#maxBytes} bytes together`,
    );
  };
}
