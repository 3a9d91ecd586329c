/** Queries that are asked so often that composing one costs more than the rest of it. */
import type { Db } from './connect.ts';

/** Composes a query at its first use with each database. @param compose ends with `prepare(name)` */
export function composedOnce<Query>(compose: (db: Db) => Query): (db: Db) => Query {
  const queries = new WeakMap<Db, Query>();
  return (db) => {
    const composed = queries.get(db) ?? compose(db);
    queries.set(db, composed);
    return composed;
  };
}
