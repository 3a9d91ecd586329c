/** Asks a service for what a program of its operator asks for, over connections that stay open. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Answer, Target } from './exchange.ts';

/** Of the environment of every service that this client talks to. */
export const ADMIN_TOKEN = 'a-token-of-the-bench-of-32-bytes-at-least';

/** Lets the client in, whoever else got a token. */
export const ADMIN_ENVIRONMENT = { HOLDFAST_ADMIN_TOKEN: ADMIN_TOKEN, HOLDFAST_ADMIN_TOKEN_KEEP: '1' };

/** An answer of the API. */
export interface ApiAnswer<Body> {
  body: Body;
  /** Version of the record, for the next If-Match. */
  etag: string;
}

export interface ApiRequest {
  body?: object;
  ifMatch?: string;
}

export class BenchClient implements Disposable {
  readonly #target: Target;
  readonly #agent: Agent;

  /** @param connections at most this many at once; further requests wait */
  constructor(target: Target, connections: number) {
    this.#target = target;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Asks a federation endpoint, or whatever else needs no token. */
  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return await this.#send('GET', path, headers);
  }

  /** Asks the API and gets the success that it must be. @throws Error with any other answer */
  async api<Body>(method: string, path: string, { body, ifMatch }: ApiRequest = {}): Promise<ApiAnswer<Body>> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      ...(content !== undefined && { 'content-type': 'application/json' }),
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
    };
    const answer = await this.#send(method, `/api/v1/${path}`, headers, content);
    const text = answer.body.toString('utf8');
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${method} ${path} answered with status ${answer.status}: ${text.slice(0, 1000)}`);
    }
    const etag = answer.headers.find(([name]) => name.toLowerCase() === 'etag')?.[1] ?? '';
    return { body: JSON.parse(text) as Body, etag };
  }

  async #send(method: string, path: string, headers: Record<string, string>, content?: string): Promise<Answer> {
    const { host, port } = this.#target;
    const options = { host: '127.0.0.1', port, path, method, agent: this.#agent, headers: { ...headers, host } };
    const sent = request(options);
    sent.end(content);
    const [response] = await once(sent, 'response');
    const { rawHeaders, statusCode } = response;
    const pairs = (rawHeaders as string[]).flatMap((name, index): [string, string][] =>
      index % 2 === 0 ? [[name, rawHeaders[index + 1]]] : [],
    );
    return { status: statusCode, headers: pairs, body: await buffer(response) };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
