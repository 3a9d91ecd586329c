/** A receiver of events that fails at random, goes away and comes back; what it takes, the reference receiver verified. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReceiver, type ReceivedEvent } from '../../examples/receiver/receiver.js';

/** Of messages, while it may fail. */
const FAILURE_SHARE = 0.15;

/**
 * @example
 * await using receiver = await FlakyReceiver.start();
 * receiver.secret = added.body.secret;
 */
export class FlakyReceiver implements AsyncDisposable {
  /** In the order in which they were taken. Signatures are verified with the `standardwebhooks` package before that. */
  readonly taken: ReceivedEvent[] = [];
  /** Messages that it did not take: the connection was cut, or the answer was 500. */
  refused = 0;
  twiceAtATime = 0;
  mayFail = true;
  readonly #server: Server;
  readonly #port: number;
  /** Messages under way, by their ids: one that comes while it is there was sent twice at a time. */
  readonly #underWay = new Map<string, number>();
  #verified: RequestListener | undefined;

  private constructor(server: Server) {
    this.#server = server.on('request', this.#answer);
    this.#port = (server.address() as AddressInfo).port;
  }

  static async start(): Promise<FlakyReceiver> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FlakyReceiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/events`;
  }

  set secret(secret: string) {
    this.#verified = createReceiver({ secret, handle: (event) => void this.taken.push(event) });
  }

  /** Cuts what is under way; connections are refused from now on. Nothing is taken once this resolved. */
  async leave(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** At the same address, with all that it took before. */
  async comeBack(): Promise<void> {
    const listening = once(this.#server, 'listening');
    this.#server.listen(this.#port, '127.0.0.1');
    await listening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.leave();
  }

  readonly #answer: RequestListener = (request, response) => {
    const id = String(request.headers['webhook-id']);
    const before = this.#underWay.get(id) ?? 0;
    if (before > 0) this.twiceAtATime++;
    this.#underWay.set(id, before + 1);
    response.once('close', () => this.#underWay.set(id, (this.#underWay.get(id) ?? 1) - 1));
    const dice = this.mayFail ? Math.random() / FAILURE_SHARE : 1;
    if (dice < 0.9) {
      this.refused++;
      if (dice < 0.3) request.socket.destroy();
      else response.writeHead(500).end();
    }
    // Taken, but the answer is lost.
    else if (dice < 1) {
      const lost = { writeHead: () => lost, end: () => request.socket.destroy() };
      this.#verified?.(request, lost as never);
    } else this.#verified?.(request, response);
  };
}
