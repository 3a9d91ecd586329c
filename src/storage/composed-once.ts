/** Queries that are asked so often that composing one costs more than the rest of it. */
import type { Db, Tx } from './connect.ts';

/** Composes a query at its first use with each database, and with each transaction. @param compose ends with `prepare(name)` */
export function composedOnce<Query>(compose: (db: Db | Tx) => Query): (db: Db | Tx) => Query {
  const queries = new WeakMap<Db | Tx, Query>();
  return (db) => {
    const composed = queries.get(db) ?? compose(db);
    queries.set(db, composed);
    return composed;
  };
}
