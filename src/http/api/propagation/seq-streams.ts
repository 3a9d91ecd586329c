/** Tells enforcement points of each change as soon as this node answers by it: Server-Sent Events. */
import type { KnownState } from '../../../admission/known-state.ts';
import { serverSentEvent } from '../../server-sent-events.ts';

export interface SeqStreamsOptions {
  /** As of now. */
  state: () => KnownState;
}

interface Stream {
  enforcementPointId: string;
  isKnown: () => boolean;
  controller: ReadableStreamDefaultController<Uint8Array>;
}

const HEARTBEAT_EVERY_MS = 5_000;
/** Of one enforcement point; a further one ends the oldest. */
const MAX_PER_POINT = 16;
/** Events that wait for a reader; who is further behind may come again. */
const MAX_WAITING = 1_000;

export class SeqStreams implements Disposable {
  readonly #options: SeqStreamsOptions;
  readonly #streams = new Set<Stream>();
  #heart: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: SeqStreamsOptions) {
    this.#options = options;
  }

  /**
   * Begins with what is known now; ends when the service stops.
   * @param isKnown whether what it asked with is still that of this point, which is active; it ends if not
   */
  open(enforcementPointId: string, isKnown: () => boolean): ReadableStream<Uint8Array> {
    let stream: Stream | undefined;
    return new ReadableStream({
      start: (controller) => {
        stream = { enforcementPointId, isKnown, controller };
        if (this.#isClosed) return controller.close();
        const others = [...this.#streams].filter((other) => other.enforcementPointId === enforcementPointId);
        if (others[0] !== undefined && others.length >= MAX_PER_POINT) this.#end(others[0]);
        this.#streams.add(stream);
        this.#heart ??= setInterval(() => this.#send('heartbeat'), HEARTBEAT_EVERY_MS).unref();
        controller.enqueue(eventOf('seq', this.#options.state()));
      },
      cancel: () => {
        if (stream !== undefined) this.#streams.delete(stream);
      },
    });
  }

  /** To be called as soon as answers go by a new seq. */
  announce(): void {
    this.#send('seq');
  }

  #send(name: 'seq' | 'heartbeat'): void {
    if (this.#streams.size === 0) return;
    const state = this.#options.state();
    const event = eventOf(name, state);
    for (const stream of this.#streams) {
      const { controller, isKnown } = stream;
      if (!isKnown() || (controller.desiredSize ?? 0) < -MAX_WAITING) this.#end(stream);
      else controller.enqueue(event);
    }
  }

  #end(stream: Stream): void {
    this.#streams.delete(stream);
    stream.controller.close();
  }

  /** Ends all of them, and from now on each as soon as it begins. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearInterval(this.#heart);
    for (const stream of this.#streams) this.#end(stream);
  }
}

function eventOf(name: 'seq' | 'heartbeat', { seq, ageSeconds }: KnownState): Uint8Array {
  return serverSentEvent(name, { seq, ageSeconds });
}
