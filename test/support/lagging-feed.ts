/** A database whose change feed can be cut off while everything else goes on. */
import type { Db } from '../../src/storage/connect.ts';
import { createTestDatabase, type TestDatabase } from './databases.ts';

export interface FeedSwitch {
  isCut: boolean;
  /** So many queries get through before it is cut. */
  queriesLeft?: number;
}

/** @returns the database, and the switch that cuts its feed off */
export async function databaseWithFeedSwitch(): Promise<{ database: TestDatabase; feed: FeedSwitch }> {
  const feed: FeedSwitch = { isCut: false };
  const database = await createTestDatabase('embedded');
  const feedDb: Db = new Proxy(database.feedDb, {
    get(target, name) {
      if (feed.queriesLeft !== undefined && --feed.queriesLeft < 0) feed.isCut = true;
      if (feed.isCut) throw new Error('the feed was cut off by a test');
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { database: { ...database, feedDb }, feed };
}
