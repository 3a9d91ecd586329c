/** The requests of one resolution: counted, and refused beyond its limits. @see OIDFED §18.1 */
import { FederationError } from '../federation/errors.ts';
import type { HttpGet, StatementClient } from './http-statement-source.ts';

/**
 * Hears of each request to others before it is sent; what it throws refuses the request.
 * @param isKnown what is asked for was obtained from there before, a while ago
 */
export type OnRequest = (url: string, isKnown: boolean) => void;

export interface RequestLimits {
  /** Retries count, and so do questions about Trust Marks. */
  maxRequests: number;
  /** Of all answers together. */
  maxBytes: number;
  /** Wall clock of one answer, from when its request got a connection. */
  answerTimeoutMs: number;
}

export class CountingClient implements StatementClient {
  requests = 0;
  readonly #client: HttpGet;
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #answerTimeoutMs: number;
  readonly #onRequest: OnRequest | undefined;

  constructor(client: HttpGet, { maxRequests, maxBytes, answerTimeoutMs }: RequestLimits, onRequest?: OnRequest) {
    this.#client = client;
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBytes;
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#onRequest = onRequest;
  }

  /** @throws FederationError budget_exhausted, and what `onRequest` throws */
  count(url: string, isKnown: boolean): void {
    if (this.requests >= this.#maxRequests) {
      const message = `a resolution may send ${this.#maxRequests} requests; all were sent`;
      throw new FederationError('budget_exhausted', message);
    }
    this.#onRequest?.(url, isKnown);
    this.requests++;
  }

  readonly get: StatementClient['get'] = async (url, { isKnown = false, ...options }) => {
    this.count(url, isKnown);
    const response = await this.#client.get(url, { answerTimeoutMs: this.#answerTimeoutMs, ...options });
    this.#bytes += response.body.length;
    if (this.#bytes <= this.#maxBytes) return response;
    throw new FederationError(
      'budget_exhausted',
      `the answers of a resolution may have ${this.#maxBytes} bytes together`,
    );
  };
}
