/** Cuts connections at the server, as a fail-over would. */
import { Client } from 'pg';
import { inject } from 'vitest';
import type { TestDatabase } from './databases.ts';

/** Ends every connection to a PostgreSQL test database; returns how many there were. */
export async function terminateConnections(database: TestDatabase): Promise<number> {
  if (database.url === undefined) throw new Error('only PostgreSQL has connections to cut');
  const admin = new Client(inject('postgresUrl'));
  await admin.connect();
  try {
    const name = new URL(database.url).pathname.slice(1);
    const { rows } = await admin.query<{ ended: boolean }>(
      'SELECT pg_terminate_backend(pid, 5000) AS ended FROM pg_stat_activity WHERE datname = $1',
      [name],
    );
    return rows.length;
  } finally {
    await admin.end();
  }
}
