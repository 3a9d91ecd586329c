/** A connection with a client certificate that stays open from one request to the next. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Certified } from './certificates.ts';

export interface ServerAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

interface RequestOptions {
  headers?: Record<string, string>;
  /** Sent by POST. */
  form?: Record<string, string>;
  /** A request for a certificate, base64; sent by POST. */
  pkcs10?: string;
}

export class Connection implements Disposable {
  readonly #agent: Agent;
  /** Local ports from which requests came: one for each connection. */
  readonly #ports = new Set<number>();

  /** @param ca who issued the certificates of the servers, PEM. @param client none: a connection without a certificate */
  constructor(ca: string, client?: Certified) {
    const own = client === undefined ? {} : { cert: client.certificate, key: client.key };
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ca, ...own });
  }

  /** Whether everything so far went over one and the same connection. */
  get isOneConnection(): boolean {
    return this.#ports.size === 1;
  }

  async ask(url: string, { headers, form, pkcs10 }: RequestOptions = {}): Promise<ServerAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const body = pkcs10 ?? (form && new URLSearchParams(form).toString());
    const type = pkcs10 === undefined ? 'application/x-www-form-urlencoded' : 'application/pkcs10';
    const ofBody = body === undefined ? {} : { 'content-type': type };
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request(url, { agent: this.#agent, method, headers: { ...ofBody, ...headers } }, resolve);
    sent.once('error', reject);
    sent.end(body);
    const response = await promise;
    this.#ports.add(response.socket.localPort ?? 0);
    return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
