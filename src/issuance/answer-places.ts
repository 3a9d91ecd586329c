/** Signed answers, each in a place of its own, in bounded memory: what was put there first goes first. */
import { type ReadyAnswer, sizeOf } from './ready-answers.ts';

/** Where the answer about one thing is kept. Who holds the place looks there without searching, and keeps nothing alive. */
export class AnswerPlace {
  /** The answer kept here: none at first, none any more when others needed the memory. */
  answer: ReadyAnswer | undefined;
  /** The answer that is being signed, for all who ask meanwhile. */
  signing: Promise<ReadyAnswer> | undefined;
  readonly #about: WeakRef<object>;

  /** @param about what the answer is about */
  constructor(about: object) {
    this.#about = new WeakRef(about);
  }

  /** Whether it is about this very object, and not about an equal one before it. */
  isAbout(about: object): boolean {
    return this.#about.deref() === about;
  }
}

/** What a place costs beyond its answer, in bytes. */
const PLACE_BYTES = 200;

export class AnswerPlaces {
  /** Those with an answer, in the order in which they got it. */
  readonly #filled = new Set<AnswerPlace>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Puts an answer into its place; one that is larger than all memory is not kept. */
  fill(place: AnswerPlace, answer: ReadyAnswer): void {
    this.empty(place);
    const bytes = bytesOf(answer);
    if (bytes > this.#maxBytes) return;
    for (const oldest of this.#filled) {
      if (this.#bytes + bytes <= this.#maxBytes) break;
      this.empty(oldest);
    }
    place.answer = answer;
    this.#filled.add(place);
    this.#bytes += bytes;
  }

  empty(place: AnswerPlace): void {
    const { answer } = place;
    if (answer === undefined || !this.#filled.delete(place)) return;
    place.answer = undefined;
    this.#bytes -= bytesOf(answer);
  }
}

function bytesOf(answer: ReadyAnswer): number {
  return sizeOf(answer) + PLACE_BYTES;
}
