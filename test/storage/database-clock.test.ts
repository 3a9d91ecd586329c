import { expect, it } from 'vitest';
import { databaseSeconds } from '../../src/storage/database-clock.ts';
import { createTestDatabase, DATABASE_KINDS } from '../support/databases.ts';

it.each(DATABASE_KINDS)('the clock of the %s database is read in seconds, as it is then', async (kind) => {
  await using database = await createTestDatabase(kind);
  const before = Date.now() / 1000;
  const [first, second] = [await databaseSeconds(database.db), await databaseSeconds(database.db)];
  const seconds = [before, first, second, Date.now() / 1000 + 0.001];
  expect(seconds.toSorted((a, b) => a - b)).toEqual(seconds);
});
