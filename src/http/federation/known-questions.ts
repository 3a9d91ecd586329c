/** Questions to the resolve endpoints that were answered before, by their URL: a busy one is parsed once. @see OIDFED §8.3 */
import type { AnswerPlace } from '../../issuance/answer-places.ts';
import { BoundedMap } from '../../issuance/bounded-map.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import type { PreparedRequest } from './resolutions.ts';

/** What is asked, and by whose authority it is answered. */
export interface Question {
  readonly served: ServedAuthority;
  readonly request: PreparedRequest;
  readonly entityTypes: readonly string[];
  /** Where its answer was found last, if nothing but the subject's resolution goes into it. */
  place: AnswerPlace | undefined;
}

/** Memory for all of them, in bytes; the oldest goes first. */
export const DEFAULT_MAX_QUESTION_BYTES = 8 * 1024 * 1024;
/** What a question costs beyond its texts. */
const ENTRY_BYTES = 600;
/** The URL as the key, and its parts once more in the request, in the names of resolution and answer. */
const COPIES = 4;

/**
 * Holds questions, not what answers them: that is looked up in its own cache each time, and so is never older there.
 * Forgets all when an authority, its keys or its Trust Anchors change.
 */
export class KnownQuestions {
  readonly #directory: AuthorityDirectory;
  readonly #questions: BoundedMap<Question>;
  #authorities: readonly ServedAuthority[];

  constructor(directory: AuthorityDirectory, maxBytes: number = DEFAULT_MAX_QUESTION_BYTES) {
    this.#directory = directory;
    this.#authorities = directory.all;
    this.#questions = new BoundedMap(maxBytes, (_, url) => COPIES * url.length + ENTRY_BYTES);
  }

  /** @param url of a GET as received */
  get(served: ServedAuthority, url: string): Question | undefined {
    if (this.#authorities !== this.#directory.all) this.#forget();
    const question = this.#questions.get(served.authority.id, url);
    return question?.served === served ? question : undefined;
  }

  /** Only for a question that is answered from what is kept: made-up ones leave nothing here. */
  add(url: string, question: Question): void {
    this.#questions.set(question.served.authority.id, url, question);
  }

  #forget(): void {
    this.#authorities = this.#directory.all;
    this.#questions.clear();
  }
}
