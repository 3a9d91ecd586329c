import { Client } from 'pg';
import { describe, expect, inject, it } from 'vitest';
import { connectDatabase } from '../../src/storage/connect.ts';
import { pendingMigrations } from '../../src/storage/migrate.ts';
import { serviceRoleOf } from '../../src/storage/service-role.ts';
import { callHoldfast } from '../support/cli.ts';
import { createEmptyPostgresqlDatabase } from '../support/databases.ts';

/** The URL of the same database for another login, which is made. */
async function loginFor(url: string, name: string): Promise<string> {
  const admin = new Client(inject('postgresUrl'));
  await admin.connect();
  try {
    await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD 'pass'`);
  } finally {
    await admin.end();
  }
  const parsed = new URL(url);
  parsed.username = name;
  parsed.password = 'pass';
  return parsed.href;
}

describe('migrate', () => {
  it('[F52] makes the tables by the one login, and lets the other work with them as the service', async () => {
    await using database = await createEmptyPostgresqlDatabase();
    const owner = database.url ?? '';
    const app = await loginFor(owner, 'migrate_test_app');
    const env = { HOLDFAST_DATABASE_URL: app, HOLDFAST_DATABASE_OWNER_URL: owner };
    const { exitCode, stdout, stderr } = await callHoldfast(['migrate', '--json'], { env });
    expect(exitCode, stderr).toBe(0);
    expect(JSON.parse(stdout).applied).toContain('0017_audit_chain');
    await using service = await connectDatabase({ url: app });
    expect(await pendingMigrations(service)).toEqual([]);
  });

  it('tells a login that may not do it what a DBA has to run, and makes nothing', async () => {
    await using database = await createEmptyPostgresqlDatabase();
    const plain = await loginFor(database.url ?? '', 'migrate_test_plain');
    const admin = new Client(database.url);
    await admin.connect();
    await admin.query('GRANT CREATE ON SCHEMA public TO migrate_test_plain');
    await admin.query(`GRANT CREATE ON DATABASE ${new URL(plain).pathname.slice(1)} TO migrate_test_plain`);
    await admin.end();
    const { exitCode, stderr } = await callHoldfast(['migrate'], { env: { HOLDFAST_DATABASE_URL: plain } });
    expect(exitCode).toBe(3);
    const role = serviceRoleOf(new URL(plain).pathname.slice(1));
    expect(stderr).toContain(`  CREATE ROLE "${role}" NOLOGIN;\n  GRANT "${role}" TO "migrate_test_plain";`);
    expect(stderr).not.toContain('pass');
    expect(await pendingMigrations(database)).toContain('0001_registry');
  });
});
