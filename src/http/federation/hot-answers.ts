/** Signed answers that are asked for many times a second: given again, before anything else looks at the request. */
import type { Clock, NumericDate } from '../../federation/time.ts';
import type { ServedEndpoint } from '../../issuance/authority-endpoints.ts';
import type { SignedAnswer } from '../../issuance/ready-answers.ts';

/** What the registry is known to hold; see the change feed. */
export interface KnownState {
  /** The last change that all caches follow. */
  readonly seq: number;
}

/** An answer, and which endpoint gave it. */
export interface HotAnswer {
  endpoint: ServedEndpoint;
  answer: SignedAnswer;
}

/** More are not busy ones. */
const MAX_ANSWERS = 4096;
const MAX_QUESTION_LENGTH = 1024;

/**
 * Holds what was answered in this very second and at this seq, and is empty after it: an answer from here is never
 * older than one from the cache that it came from.
 */
export class HotAnswers {
  readonly #clock: Clock;
  readonly #state: KnownState;
  #answers = new Map<string, HotAnswer>();
  #second: NumericDate = 0;
  #seq = 0;
  /** Questions that were answered from here, and others. */
  readonly reads = { hits: 0, misses: 0 };

  constructor({ clock, state }: { clock: Clock; state: KnownState }) {
    this.#clock = clock;
    this.#state = state;
  }

  /** @param question whatever the answer depends on besides time and registry */
  get(question: string): HotAnswer | undefined {
    const answer = this.#isOfNow() ? this.#answers.get(question) : undefined;
    if (answer === undefined) this.reads.misses++;
    else this.reads.hits++;
    return answer;
  }

  keep(question: string, answer: HotAnswer): void {
    if (!this.#isOfNow()) {
      this.#answers = new Map();
      this.#second = this.#clock.now();
      this.#seq = this.#state.seq;
    }
    if (this.#answers.size >= MAX_ANSWERS || question.length > MAX_QUESTION_LENGTH) return;
    this.#answers.set(question, answer);
  }

  #isOfNow(): boolean {
    return this.#second === this.#clock.now() && this.#seq === this.#state.seq;
  }
}
