/** A connection to PostgreSQL on which no query waits for ever: a server that has fallen silent is given up. */
import { Client, type QueryResult } from 'pg';

/** Longer than the server's own limit of time. */
const SILENCE_MS = 20_000;

/** Of what went well, the error is null, whatever the types of the library say. */
type Answered = (error: Error, result: QueryResult) => void;

/**
 * The library's own `query_timeout`, and its promises, keep each result until the next full collection: pages of 20 KB
 * cost one every four seconds. A callback that it did not make itself does not.
 */
export class TimedClient extends Client {
  override query(query: never, values?: unknown, answered?: Answered): never {
    if (answered !== undefined) return super.query(query, values as never, this.#inTime(answered)) as never;
    const { promise, resolve, reject } = Promise.withResolvers<QueryResult>();
    super.query(
      query,
      values as never,
      this.#inTime((error, result) => (error ? reject(error) : resolve(result))),
    );
    return promise as never;
  }

  /** Ended with a query under way, a connection is cut, and the query fails. */
  #inTime(answered: Answered): Answered {
    const giveUp = setTimeout(() => void this.end().catch(() => undefined), SILENCE_MS);
    return (error, result) => {
      clearTimeout(giveUp);
      answered(error, result);
    };
  }
}
