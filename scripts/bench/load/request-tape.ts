/** Requests as bytes in the order in which they will be sent: to send some is to send a slice. */
import type { LoadPlan } from './load-plan.ts';

/** So many draws before the sequence repeats itself, or fewer where each request is drawn often enough before that. */
const MAX_DRAWS = 262_144;
const DRAWS_PER_REQUEST = 256;

type Questions = Pick<LoadPlan, 'host' | 'paths' | 'forms' | 'jsonBodies' | 'headers'>;

export interface Requests {
  bytes: Buffer;
  /** Position on the tape of the first of them. */
  first: number;
  count: number;
}

export class RequestTape {
  readonly #bytes: Buffer;
  /** Where each request starts, and where the last one ends. */
  readonly #starts: Uint32Array;
  readonly #order: Uint32Array;
  #next = 0;

  constructor({ host, paths, forms, jsonBodies, headers = {} }: Questions, order: Uint32Array) {
    const fields = { host, accept: '*/*', 'user-agent': 'holdfast-bench', ...headers };
    const contentType = jsonBodies === undefined ? 'application/x-www-form-urlencoded' : 'application/json';
    const requests = paths.map((path, index) =>
      requestBytes(path, fields, contentType, (jsonBodies ?? forms)?.[index]),
    );
    const chosen = Array.from(order, (path) => requests[path] ?? Buffer.alloc(0));
    this.#order = order;
    this.#bytes = Buffer.concat(chosen);
    this.#starts = new Uint32Array(order.length + 1);
    for (const [position, request] of chosen.entries()) {
      this.#starts[position + 1] = (this.#starts[position] ?? 0) + request.length;
    }
  }

  /** Paths drawn with equal chances, again and again. */
  static random(questions: Questions): RequestTape {
    const count = questions.paths.length;
    const length = Math.min(MAX_DRAWS, count * DRAWS_PER_REQUEST);
    return new RequestTape(
      questions,
      Uint32Array.from({ length }, () => Math.floor(Math.random() * count)),
    );
  }

  /** Every path, in their order. */
  static inOrder(questions: Questions): RequestTape {
    return new RequestTape(questions, Uint32Array.from(questions.paths.keys()));
  }

  get length(): number {
    return this.#order.length;
  }

  /** Which path stands at a position. */
  pathAt(position: number): number {
    return this.#order[position] ?? -1;
  }

  /** Takes the next requests, at most so many: fewer at the end of the tape, before it starts again. */
  take(atMost: number): Requests {
    const first = this.#next;
    const end = Math.min(first + atMost, this.length);
    this.#next = end % this.length;
    return { bytes: this.#bytes.subarray(this.#starts[first], this.#starts[end]), first, count: end - first };
  }
}

function requestBytes(path: string, fields: object, contentType: string, body: string | undefined): Buffer {
  const posted = body === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
  const lines = Object.entries({ ...fields, ...posted }).map(([name, value]) => `${name}: ${value}\r\n`);
  const method = body === undefined ? 'GET' : 'POST';
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`);
}
