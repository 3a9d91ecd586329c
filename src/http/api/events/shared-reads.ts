/** Readings that anybody may ask for: equal ones are made once, a few at a time, and only so many wait. */
import { HttpProblem } from '../../problem.ts';

/** Of the connections that all of the API has to share; each is quickly done. */
const MAX_AT_ONCE = 3;
/** More than come together after a pause. */
const MAX_WAITING = 256;

export class SharedReads<T> {
  readonly #underWay = new Map<string, Promise<T>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /**
   * @param key says all that the answer rests on, the seq that is served included
   * @throws HttpProblem temporarily_unavailable
   */
  async read(key: string, load: () => Promise<T>): Promise<T> {
    const same = this.#underWay.get(key);
    if (same !== undefined) return await same;
    if (this.#waiting.length >= MAX_WAITING) {
      const detail = 'too many ask for the status of participants at once; try again shortly';
      throw new HttpProblem('temporarily_unavailable', detail, { 'retry-after': '1' });
    }
    const reading = this.#inTurn(load).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, reading);
    return await reading;
  }

  async #inTurn(load: () => Promise<T>): Promise<T> {
    if (this.#running < MAX_AT_ONCE) this.#running++;
    // Whoever is done hands his turn on.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await load();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
