import type { Client } from 'pg';
import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest';
import { isOutage } from '../../src/http/outage.ts';
import { TimedClient } from '../../src/storage/timed-client.ts';

let client: Client;
beforeEach(async () => {
  client = new TimedClient({ connectionString: inject('postgresUrl') });
  client.on('error', () => undefined);
  await client.connect();
});
afterEach(async () => {
  vi.useRealTimers();
  await client.end();
});

it('answers queries, and says why one failed, by promise and by callback', async () => {
  const { rows } = await client.query('SELECT $1::int AS one', [1]);
  expect(rows).toEqual([{ one: 1 }]);
  await expect(client.query('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' });
  const { promise, resolve } = Promise.withResolvers<unknown[]>();
  client.query('SELECT $1::int AS one', [2], (error, result) => resolve([error, result.rows]));
  expect(await promise).toEqual([null, [{ one: 2 }]]);
});

it('gives up a server that has fallen silent, and the connection with it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const silent = client.query('SELECT pg_sleep(60)').catch((error: unknown) => error);
  vi.advanceTimersByTime(20_000);
  const error = await silent;
  expect(error).toMatchObject({ message: 'Connection terminated' });
  expect(isOutage(error)).toBe(true);
  await expect(client.query('SELECT 1')).rejects.toThrow(/is not queryable/);
});
