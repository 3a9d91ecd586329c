/** Set up once for a run: one PostgreSQL server with a migrated database to clone (see databases.ts). */
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { connectDatabase } from '../../src/storage/connect.ts';
import { migrateDatabase } from '../../src/storage/migrate.ts';
import { startPostgresServer } from './postgres-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server's database `postgres`, as superuser. */
    postgresUrl: string;
    /** Name of the migrated database that test databases are cloned from. */
    templateDatabase: string;
  }
}

const TEMPLATE = 'holdfast_template';

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgresServer();
  try {
    await createTemplate(server.url);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  project.provide('postgresUrl', server.url);
  project.provide('templateDatabase', TEMPLATE);
  return () => server[Symbol.asyncDispose]();
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
  await using database = await connectDatabase({ url: url.href });
  await migrateDatabase(database);
}
