/** Requests as bytes in the order in which they will be sent: to send some is to send a slice. */

/** At least so many draws before the sequence repeats itself. */
const RANDOM_DRAWS = 262_144;
/** One path needs no variety, only enough for every pipeline. */
const SINGLE_PATH_DRAWS = 256;

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

  constructor(host: string, paths: readonly string[], order: Uint32Array) {
    const requests = paths.map((path) =>
      Buffer.from(
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\nUser-Agent: holdfast-bench\r\n\r\n`,
        'latin1',
      ),
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
  static random(host: string, paths: readonly string[]): RequestTape {
    const draws = paths.length === 1 ? SINGLE_PATH_DRAWS : RANDOM_DRAWS;
    const order = Uint32Array.from({ length: draws }, () => Math.floor(Math.random() * paths.length));
    return new RequestTape(host, paths, order);
  }

  /** Every path, in their order. */
  static inOrder(host: string, paths: readonly string[]): RequestTape {
    return new RequestTape(host, paths, Uint32Array.from(paths.keys()));
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
