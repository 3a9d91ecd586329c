/** Set up once for a run: migrated databases to clone, on one PostgreSQL server and embedded (see databases.ts). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { connectDatabase } from '../../src/storage/connect.ts';
import { migrateDatabase } from '../../src/storage/migrate.ts';
import { writeMigratedCluster } from './embedded-clusters.ts';
import { startPostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server's database `postgres`, as superuser. */
    postgresUrl: string;
    /** Name of the migrated database that test databases are cloned from. */
    templateDatabase: string;
    /** File with a dump of a migrated embedded database. */
    migratedCluster: string;
    /** The same as a data directory. */
    migratedDataDirectory: string;
  }
}

const TEMPLATE = 'holdfast_template';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startPostgresServer());
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-clusters-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await createTemplate(server.url);
  project.provide('postgresUrl', server.url);
  project.provide('templateDatabase', TEMPLATE);
  const { dataDir, dump } = await writeMigratedCluster(folder);
  project.provide('migratedCluster', dump);
  project.provide('migratedDataDirectory', dataDir);
  const running = stack.move();
  return () => running.disposeAsync();
}

async function createTemplate(adminUrl: string): Promise<void> {
  const admin = new Client(adminUrl);
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  } finally {
    await admin.end();
  }
  const url = new URL(adminUrl);
  url.pathname = `/${TEMPLATE}`;
  await using database = await connectDatabase({ url: url.href, role: 'owner' });
  await migrateDatabase(database);
}
