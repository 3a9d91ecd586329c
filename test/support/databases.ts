/** A fresh, migrated database for a test, of either kind. */
import { randomUUID } from 'node:crypto';
import { constants, openAsBlob } from 'node:fs';
import { cp } from 'node:fs/promises';
import { Client } from 'pg';
import { inject } from 'vitest';
import { connectDatabase, type Database } from '../../src/storage/connect.ts';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { prepareServiceRole, serviceRoleOf } from '../../src/storage/service-role.ts';
import { emptyCluster } from './embedded-clusters.ts';

/** For `describe.each(DATABASE_KINDS)`. */
export const DATABASE_KINDS = ['embedded', 'postgresql'] as const;

export interface TestDatabase extends Database {
  /** Of a PostgreSQL database, so that a test can connect as another node would. */
  readonly url?: string;
}

/** Disposing of it closes and removes it. Let nothing else be connected for longer than it. */
export async function createTestDatabase(kind: (typeof DATABASE_KINDS)[number]): Promise<TestDatabase> {
  return kind === 'embedded' ? await createEmbedded() : await createPostgresql(inject('templateDatabase'));
}

/** A PostgreSQL database without any tables. */
export async function createEmptyPostgresqlDatabase(): Promise<TestDatabase> {
  return await createPostgresql('template0', 'owner');
}

/** An embedded database without any tables. */
export async function createEmptyEmbeddedDatabase(): Promise<TestDatabase> {
  return await openEmbedded({ dataDir: 'memory://' }, await emptyCluster());
}

/** A data directory whose embedded database need not be initialised any more; it has no tables. */
export async function prepareDataDirectory(dataDir: string): Promise<void> {
  const database = await openEmbedded({ dataDir }, await emptyCluster());
  await database[Symbol.asyncDispose]();
}

/** Makes a data directory with a migrated embedded database: a service that starts there has nothing to set up. */
export async function copyMigratedDataDirectory(dataDir: string): Promise<void> {
  await cp(inject('migratedDataDirectory'), dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

async function createEmbedded(): Promise<TestDatabase> {
  return await openEmbedded({ dataDir: 'memory://' }, await openAsBlob(inject('migratedCluster')));
}

async function createPostgresql(template: string, role: 'service' | 'owner' = 'service'): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  if (role === 'service') await grantToService(url.href);
  const database = await connectDatabase({ url: url.href, role });
  return {
    ...database,
    url: url.href,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await asAdmin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await asAdmin(`DROP ROLE IF EXISTS "${serviceRoleOf(name)}"`);
    },
  };
}

/** A clone has the tables, and not yet a role of its own that may use them. */
async function grantToService(url: string): Promise<void> {
  await using owner = await connectDatabase({ url, role: 'owner' });
  await owner.db.transaction((tx) => prepareServiceRole(tx));
}

async function asAdmin(statement: string): Promise<void> {
  const admin = new Client(inject('postgresUrl'));
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}
