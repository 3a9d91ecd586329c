import { sql } from 'drizzle-orm';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { JobQueue } from '../../src/jobs/job-queue.ts';
import { createLog } from '../../src/observability/log.ts';
import { connectDatabase, type Db } from '../../src/storage/connect.ts';
import { migrateDatabase, pendingMigrations } from '../../src/storage/migrate.ts';
import { DatabaseUnreachable } from '../../src/storage/postgresql.ts';
import { audit } from '../../src/storage/schema/audit.ts';
import { ServiceRoleMissing, serviceRoleOf } from '../../src/storage/service-role.ts';
import { sqlErrorOf } from '../../src/storage/sql-error.ts';
import {
  createEmptyEmbeddedDatabase,
  createEmptyPostgresqlDatabase,
  createTestDatabase,
  DATABASE_KINDS,
  type TestDatabase,
} from '../support/databases.ts';
import { startForgetfulPooler } from '../support/forgetful-pooler.ts';
import { terminateConnections } from '../support/postgres-connections.ts';
import { startPostgresServer } from '../support/postgres-server.ts';

const CREATE_EMPTY = { embedded: createEmptyEmbeddedDatabase, postgresql: createEmptyPostgresqlDatabase };

const ROW: typeof audit.$inferInsert = {
  ...{ seq: 1, ordinal: 0, at: new Date(), actor: {}, action: 'test' },
  ...{ subjectKind: 'test', subjectId: 'test', hash: 'of a test' },
};

const INSUFFICIENT_PRIVILEGE = '42501';
const OBJECT_NOT_OWNED = '42501';

async function currentUser(db: Db): Promise<string> {
  const { rows } = await db.execute<{ name: string }>(sql`SELECT current_user AS name`);
  return rows[0]?.name ?? '';
}

/** The role that the service works as in this database. */
async function roleHere(db: Db): Promise<string> {
  const { rows } = await db.execute<{ name: string }>(sql`SELECT current_database() AS name`);
  return serviceRoleOf(rows[0]?.name ?? '');
}

async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  return await work.then(
    () => undefined,
    (error: unknown) => sqlErrorOf(error)?.code ?? String(error),
  );
}

describe.each(DATABASE_KINDS)('the service on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(kind);
    await database.db.insert(audit).values(ROW);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  it('[F52] works as a role of its own on every connection', async () => {
    const role = await roleHere(database.db);
    expect(await currentUser(database.db)).toBe(role);
    expect(await currentUser(database.feedDb)).toBe(role);
    expect(await database.db.transaction(currentUser)).toBe(role);
    await database.asOwner(async (db) => expect(await currentUser(db)).toBe('postgres'));
    expect(await currentUser(database.db)).toBe(role);
  });

  it.each([
    'UPDATE audit SET reason = NULL',
    'DELETE FROM audit',
    'TRUNCATE audit',
    'UPDATE audit_checkpoints SET jwt = NULL',
    'DELETE FROM audit_checkpoints',
    'DELETE FROM registry_counter',
    "UPDATE registry_counter SET audit_genesis = 'x'",
    'INSERT INTO registry_counter (id, seq) VALUES (1, 0)',
    'UPDATE decisions SET count = 1',
    'DELETE FROM decisions',
    'TRUNCATE decisions',
    'DELETE FROM decision_chains',
    'UPDATE decision_chains SET pruned_rows = 1',
  ])('[F52] may not: %s', async (statement) => {
    expect(await refusal(database.db.execute(sql.raw(statement)))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it.each([
    'DROP TRIGGER audit_append_only ON audit',
    'ALTER TABLE audit DISABLE TRIGGER ALL',
    'ALTER TABLE audit ADD COLUMN more text',
    'CREATE TRIGGER mine BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()',
    'CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
    'DROP TABLE entities',
    'CREATE TABLE mine (id integer)',
    'CREATE SCHEMA mine',
    'CREATE ROLE mine',
    'GRANT ALL ON audit TO PUBLIC',
    "SET session_replication_role = 'replica'",
    'DELETE FROM drizzle.__drizzle_migrations',
  ])('[F52] may not: %s', async (statement) => {
    const code = await refusal(database.db.execute(sql.raw(statement)));
    // Who may grant nothing only gets a warning for it.
    if (statement.startsWith('GRANT') && code === undefined) {
      expect(await refusal(database.db.execute(sql`DELETE FROM audit`))).toBe(INSUFFICIENT_PRIVILEGE);
    } else {
      expect(code).toBe(OBJECT_NOT_OWNED);
    }
  });

  it.each([
    'UPDATE audit SET reason = NULL',
    "UPDATE audit SET hash = 'another'",
    'DELETE FROM audit',
    'TRUNCATE audit',
  ])('[F52] even the owner may not: %s', async (statement) => {
    const attempt = database.asOwner((db) => db.execute(sql.raw(statement)));
    await expect(attempt).rejects.toMatchObject({ cause: { message: expect.stringContaining('append-only') } });
  });

  it('may read and write every other table', async () => {
    const { rows } = await database.db.execute<{ name: string; may: boolean }>(sql`
      SELECT tablename AS name, has_table_privilege(tablename, 'SELECT') AND has_table_privilege(tablename, 'INSERT')
        AND has_table_privilege(tablename, 'UPDATE') AND has_table_privilege(tablename, 'DELETE') AS may
      FROM pg_tables WHERE schemaname = 'public'`);
    const kept = rows.filter(({ may }) => !may).map(({ name }) => name);
    expect(kept.sort()).toEqual(['audit', 'audit_checkpoints', 'decision_chains', 'decisions', 'registry_counter']);
    expect(rows.length).toBeGreaterThan(20);
  });

  it('gets tables that later migrations make, and its rights back after a restore without them', async () => {
    const role = sql.identifier(await roleHere(database.db));
    await database.asOwner(async (db) => {
      await db.execute(sql`CREATE TABLE made_later (id integer)`);
      await db.execute(sql`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${role}`);
      await db.execute(sql`REVOKE ALL ON SCHEMA drizzle FROM ${role}`);
    });
    expect(await refusal(database.db.select().from(audit))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await pendingMigrations(database)).not.toEqual([]);
    await migrateDatabase(database);
    expect(await pendingMigrations(database)).toEqual([]);
    await database.db.execute(sql`INSERT INTO made_later VALUES (1)`);
    expect(await database.db.$count(audit)).toBe(1);
    await database.asOwner((db) => db.execute(sql`DROP TABLE made_later`));
  });

  it('is not there before the database is migrated', async () => {
    await using empty = await CREATE_EMPTY[kind]();
    expect(await currentUser(empty.db)).toBe('postgres');
  });
});

describe('on postgresql', () => {
  it('the service is its role again after every loss of its connections', async () => {
    await using database = await createTestDatabase('postgresql');
    const role = await roleHere(database.db);
    for (let round = 0; round < 3; round++) {
      await terminateConnections(database);
      await expect.poll(() => currentUser(database.db).catch(String)).toBe(role);
      await expect.poll(() => currentUser(database.feedDb).catch(String)).toBe(role);
    }
  });

  it('it is so whatever options the URL has of its own', async () => {
    await using database = await createTestDatabase('postgresql');
    const url = new URL(database.url ?? '');
    url.searchParams.set('options', '-c work_mem=8MB');
    await using other = await connectDatabase({ url: url.href });
    const { rows } = await other.db.execute(sql`
      SELECT current_user AS role, current_setting('work_mem') AS memory, current_setting('TimeZone') AS zone`);
    expect(rows).toEqual([{ role: await roleHere(database.db), memory: '8MB', zone: 'UTC' }]);
  });

  it('a database without its role says what to do', async () => {
    await using server = await startPostgresServer();
    const refused = await connectDatabase({ url: server.url }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DatabaseUnreachable);
    expect(String(refused)).toContain(`there is no role holdfast_service_postgres yet; run \`holdfast migrate\``);
    await using owner = await connectDatabase({ url: server.url, role: 'owner' });
    await migrateDatabase(owner);
    await using service = await connectDatabase({ url: server.url });
    expect(await currentUser(service.db)).toBe('holdfast_service_postgres');
  });

  describe('with logins of their own', () => {
    const url = (user: string, database: TestDatabase) => {
      const parsed = new URL(database.url ?? '');
      parsed.username = user;
      parsed.password = 'pass';
      return parsed.href;
    };

    async function asAdmin(statements: string[], database?: TestDatabase): Promise<void> {
      const admin = new Client(database?.url ?? inject('postgresUrl'));
      await admin.connect();
      try {
        for (const statement of statements) await admin.query(statement);
      } finally {
        await admin.end();
      }
    }

    /** The owner of an empty database, and who is to be the service there. */
    async function logins(
      name: string,
      ownerMay: string,
    ): Promise<{ database: TestDatabase; role: string; owner: string; app: string }> {
      const [owner, app] = [`${name}_owner`, `${name}_app`];
      const database = await createEmptyPostgresqlDatabase();
      const databaseName = new URL(database.url ?? '').pathname.slice(1);
      await asAdmin([
        `CREATE ROLE ${owner} LOGIN PASSWORD 'pass' ${ownerMay}`,
        `CREATE ROLE ${app} LOGIN PASSWORD 'pass'`,
        `ALTER DATABASE ${databaseName} OWNER TO ${owner}`,
      ]);
      return { database, role: serviceRoleOf(databaseName), owner, app };
    }

    it('the one migrates, the other works as the service and cannot become more', async () => {
      const { database, role, owner, app } = await logins('apart', 'CREATEROLE');
      await using _database = database;
      await asAdmin([`CREATE ROLE ${role}`, `GRANT ${role} TO ${owner} WITH ADMIN OPTION`]);
      await expect(connectDatabase({ url: url(app, database) })).rejects.toThrow(`may not act as ${role}`);
      {
        await using migrator = await connectDatabase({ url: url(owner, database), role: 'owner' });
        await migrateDatabase(migrator, { serviceLogin: app });
      }
      await using service = await connectDatabase({ url: url(app, database) });
      expect(await pendingMigrations(service)).toEqual([]);
      await service.db.insert(audit).values(ROW);
      await using jobs = new JobQueue({ database: service, node: 'here', log: createLog('silent') });
      const { promise: done, resolve: run } = Promise.withResolvers<void>();
      jobs.define({ periodic: [{ name: 'any', everySeconds: 60, summary: 'runs', run: async () => run() }] });
      await jobs.look();
      await done;
      await service.db.execute(sql`SET ROLE NONE`);
      expect(await refusal(service.asOwner((db) => db.execute(sql`DELETE FROM audit`)))).toBe(INSUFFICIENT_PRIVILEGE);
    });

    it('one that may not grant the role gets the SQL for who may', async () => {
      const { database, role, owner } = await logins('plain', '');
      await using _database = database;
      await asAdmin([`CREATE ROLE ${role}`]);
      await using migrator = await connectDatabase({ url: url(owner, database), role: 'owner' });
      const refused = await migrateDatabase(migrator).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(ServiceRoleMissing);
      expect(String(refused)).toContain(`GRANT "${role}" TO "${owner}";`);
      expect(await pendingMigrations(migrator)).not.toEqual([]);
      await asAdmin([`GRANT ${role} TO ${owner}`]);
      await migrateDatabase(migrator);
      await using service = await connectDatabase({ url: url(owner, database) });
      expect(await refusal(service.db.execute(sql`DELETE FROM audit`))).toBe(INSUFFICIENT_PRIVILEGE);
    });

    it('[F52] that of one database has no right in another of the cluster', async () => {
      const [one, other] = [await logins('first', 'CREATEROLE'), await logins('second', 'CREATEROLE')];
      await using first = one.database;
      await using second = other.database;
      for (const { database, owner, app } of [one, other]) {
        await using migrator = await connectDatabase({ url: url(owner, database), role: 'owner' });
        await migrateDatabase(migrator, { serviceLogin: app });
        await using service = await connectDatabase({ url: url(app, database) });
        await service.db.insert(audit).values(ROW);
      }
      await expect(connectDatabase({ url: url(other.app, first) })).rejects.toThrow(`may not act as ${one.role}`);
      for (const [stranger, database, role] of [
        ...[other.app, other.owner].map((login) => [login, first, one.role] as const),
        ...[one.app, one.owner].map((login) => [login, second, other.role] as const),
      ]) {
        await using there = await connectDatabase({ url: url(stranger, database), role: 'owner' });
        expect(await refusal(there.db.execute(sql`SELECT 1 FROM audit`))).toBe(INSUFFICIENT_PRIVILEGE);
        expect(await refusal(there.db.insert(audit).values(ROW))).toBe(INSUFFICIENT_PRIVILEGE);
        const take = there.db.execute(sql`SET ROLE ${sql.identifier(role)}`);
        expect(await refusal(take)).toBe(INSUFFICIENT_PRIVILEGE);
      }
    });

    it('tables in a schema that has the name of the login are found by the service, too', async () => {
      const { database, role, owner, app } = await logins('named', 'CREATEROLE');
      await using _database = database;
      await asAdmin(
        ['REVOKE ALL ON SCHEMA public FROM PUBLIC', `CREATE SCHEMA ${owner} AUTHORIZATION ${owner}`],
        database,
      );
      {
        await using migrator = await connectDatabase({ url: url(owner, database), role: 'owner' });
        await migrateDatabase(migrator, { serviceLogin: app });
      }
      await using service = await connectDatabase({ url: url(app, database) });
      expect(await pendingMigrations(service)).toEqual([]);
      await service.db.insert(audit).values(ROW);
      const { rows } = await service.db.execute(sql`
        SELECT current_user AS role, nspname AS schema FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE pg_class.oid = 'audit'::regclass`);
      expect(rows).toEqual([{ role, schema: owner }]);
      expect(await refusal(service.db.execute(sql`DELETE FROM audit`))).toBe(INSUFFICIENT_PRIVILEGE);
    });

    it("a schema that is another's to hand on is for who may, and nobody loses rights in it", async () => {
      const { database, role, owner } = await logins('guest', 'CREATEROLE');
      await using _database = database;
      const schema = `"Guest's room"`;
      await asAdmin(
        [
          `CREATE SCHEMA ${schema}`,
          `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${owner}`,
          'GRANT CREATE ON SCHEMA public TO PUBLIC',
          `ALTER ROLE ${owner} SET search_path = ${schema}`,
        ],
        database,
      );
      await using migrator = await connectDatabase({ url: url(owner, database), role: 'owner' });
      const refused = await migrateDatabase(migrator).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(ServiceRoleMissing);
      const grant = `GRANT USAGE ON SCHEMA ${schema} TO "${role}";`;
      expect(String(refused)).toContain(`  ${grant}`);
      await asAdmin([`CREATE ROLE ${role}`, `GRANT ${role} TO ${owner} WITH ADMIN OPTION`, grant], database);
      await migrateDatabase(migrator);
      await using service = await connectDatabase({ url: url(owner, database) });
      await service.db.insert(audit).values(ROW);
      const { rows } = await service.db.execute(sql`SELECT has_schema_privilege('public', 'CREATE') AS may`);
      expect(rows).toEqual([{ may: true }]);
    });
  });

  it('one whose options a pooler dropped is not taken for the service', async () => {
    await using database = await createTestDatabase('postgresql');
    await using pooler = await startForgetfulPooler(database.url ?? '');
    const refused = await connectDatabase({ url: pooler.url }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(DatabaseUnreachable);
    expect(String(refused)).toContain(await roleHere(database.db));
    expect(String(refused)).toContain('`options`');
    await using owner = await connectDatabase({ url: pooler.url, role: 'owner' });
    expect(await currentUser(owner.db)).toBe('postgres');
  });

  it('its role has a name that PostgreSQL keeps as it is, another one for each database', () => {
    expect(serviceRoleOf('holdfast')).toBe('holdfast_service_holdfast');
    const names = [
      'x'.repeat(46),
      'x'.repeat(47),
      'x'.repeat(63),
      'Größe',
      'a b',
      'a"b',
      'a\\b',
      'Holdfast',
      'holdfast',
    ];
    const roles = names.map(serviceRoleOf);
    expect(new Set(roles).size).toBe(names.length);
    for (const role of roles) expect(role).toMatch(/^holdfast_service[_#][A-Za-z0-9_.-]{1,46}$/);
  });
});
