/** One connection that keeps so many requests under way as it may. */
import { connect, type Socket } from 'node:net';
import { AnswerReader, type ExpectedStatus } from './answer-reader.ts';
import type { Requests } from './request-tape.ts';

export interface LoadConnectionOptions {
  port: number;
  pipelining: number;
  /** The next requests, at most so many; none ends the sending. */
  take: (atMost: number) => Requests | undefined;
  /** Every answer, with the position of its request on the tape; with the body when it was wanted. */
  onAnswer: (position: number, body: Buffer | undefined) => void;
  wantsBody: () => boolean;
  status?: ExpectedStatus | undefined;
  isOfAnySize?: boolean | undefined;
}

/** Read at once: some bodies have megabytes. */
const READ_BUFFER_BYTES = 256 * 1024;

export class LoadConnection {
  readonly #options: LoadConnectionOptions;
  readonly #reader: AnswerReader;
  readonly #finished = Promise.withResolvers<void>();
  /** Positions of the requests under way, in a ring: answers come in the order of their requests. */
  readonly #positions: Uint32Array;
  #sent = 0;
  #answered = 0;
  #socket: Socket | undefined;

  constructor(options: LoadConnectionOptions) {
    this.#options = options;
    this.#positions = new Uint32Array(options.pipelining);
    this.#reader = new AnswerReader(
      (body) => {
        const position = this.#positions[this.#answered % options.pipelining] ?? 0;
        this.#answered++;
        options.onAnswer(position, body);
      },
      options.wantsBody,
      options.status,
      options.isOfAnySize,
    );
  }

  async open(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES);
    const socket = connect({
      port: this.#options.port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer, callback: (bytesRead) => this.#arrived(buffer.subarray(0, bytesRead)) },
    });
    socket.once('connect', resolve);
    socket.once('error', reject);
    socket.once('close', () => this.#finished.reject(new Error('the server closed a connection')));
    this.#socket = socket;
    this.#finished.promise.catch(() => {});
    await promise;
  }

  /** Sends and receives until there is nothing more to take and all is answered. @throws Error at a wrong answer */
  async run(): Promise<void> {
    this.#fill();
    await this.#finished.promise;
  }

  /** Whatever is still under way is dropped. */
  close(): void {
    this.#socket?.destroy();
  }

  #arrived(bytes: Buffer): boolean {
    try {
      this.#reader.read(bytes);
      this.#fill();
    } catch (error) {
      this.#finished.reject(error);
      this.close();
    }
    return true;
  }

  #fill(): void {
    const { pipelining, take } = this.#options;
    while (this.#sent - this.#answered < pipelining) {
      const requests = take(pipelining - (this.#sent - this.#answered));
      if (requests === undefined) break;
      for (let index = 0; index < requests.count; index++) {
        this.#positions[this.#sent++ % pipelining] = requests.first + index;
      }
      this.#socket?.write(requests.bytes);
    }
    if (this.#sent === this.#answered) {
      this.#finished.resolve();
      this.close();
    }
  }
}
