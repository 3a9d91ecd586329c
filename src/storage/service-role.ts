/** The role that the service works as: it reads and writes all tables, and can only add to the audit and to the log of decisions. */
import { createHash } from 'node:crypto';
import { sql, TransactionRollbackError } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { sqlErrorOf } from './sql-error.ts';

/** Tables whose rows stay as they were written. */
const APPEND_ONLY = ['audit', 'audit_checkpoints', 'decisions'];

const INSUFFICIENT_PRIVILEGE = '42501';
const NO_SUCH_ROLE = '42704';
/** Somebody else made the role at the same moment. */
const EXISTS_BY_NOW = new Set(['42710', '23505']);

/** Whoever migrates may not make the role or hand it on. The message has what a DBA runs instead. */
export class ServiceRoleMissing extends Error {
  override readonly name = 'ServiceRoleMissing';
}

/** With `holdfast_service_` before it within the 63 bytes of a name, and nothing to escape in it. */
const PLAIN_DATABASE_NAME = /^[A-Za-z0-9_.-]{1,46}$/;

/** Roles are the whole cluster's: each database has its own, so that the login of one has no right in another. */
export function serviceRoleOf(database: string): string {
  if (PLAIN_DATABASE_NAME.test(database)) return `holdfast_service_${database}`;
  // No plain name has a #.
  return `holdfast_service#${createHash('sha256').update(database).digest('base64url')}`;
}

/**
 * Makes the role if it is missing, lets the service's login take it, and grants it the tables as they are now: to be
 * run after the migrations, each time.
 * @param login whose connections become the role; whoever migrates unless given
 * @throws ServiceRoleMissing
 */
export async function prepareServiceRole(tx: Db, login?: string): Promise<void> {
  const { role, user } = await namesHere(tx);
  const service = login ?? user;
  if (!(await exists(tx, role))) await makeRole(tx, role, service);
  const isMember = login === undefined ? await canBecome(tx, role) : await isMemberOf(tx, role, login);
  if (!isMember) await orAskDba(tx, role, [membership(role, service)]);
  await grantTables(tx, role);
}

/** The role of this database; undefined before it is migrated. */
export async function findServiceRole(db: Db): Promise<string | undefined> {
  const { role } = await namesHere(db);
  return (await exists(db, role)) ? role : undefined;
}

async function namesHere(db: Db): Promise<{ role: string; user: string }> {
  const { rows } = await db.execute<{ database: string; user: string }>(
    sql`SELECT current_database() AS database, current_user AS "user"`,
  );
  const { database = '', user = '' } = rows[0] ?? {};
  return { role: serviceRoleOf(database), user };
}

async function exists(db: Db, role: string): Promise<boolean> {
  const { rows } = await db.execute(sql`SELECT 1 FROM pg_roles WHERE rolname = ${role}`);
  return rows.length > 0;
}

async function makeRole(tx: Db, role: string, login: string): Promise<void> {
  const statement = `CREATE ROLE ${quoted(role)} NOLOGIN`;
  try {
    await within(tx, statement);
  } catch (error) {
    const code = sqlErrorOf(error)?.code ?? '';
    if (code === INSUFFICIENT_PRIVILEGE) throw forDba(role, [statement, membership(role, login)], error);
    if (!EXISTS_BY_NOW.has(code)) throw error;
  }
}

/** From PostgreSQL 16 on who made a role is a member that cannot take it on: only the attempt tells. */
async function canBecome(tx: Db, role: string): Promise<boolean> {
  try {
    await tx.transaction(async (savepoint) => {
      await savepoint.execute(sql`SET LOCAL ROLE ${sql.identifier(role)}`);
      savepoint.rollback();
    });
    return true;
  } catch (error) {
    if (error instanceof TransactionRollbackError) return true;
    if (sqlErrorOf(error)?.code === INSUFFICIENT_PRIVILEGE) return false;
    throw error;
  }
}

async function isMemberOf(tx: Db, role: string, login: string): Promise<boolean> {
  const { rows } = await tx.execute<{ member: boolean }>(
    sql`SELECT pg_has_role(oid, ${role}, 'MEMBER') AS member FROM pg_roles WHERE rolname = ${login}`,
  );
  return rows[0]?.member === true;
}

/** In a savepoint: what fails there leaves the transaction as it was. */
async function within(tx: Db, statement: string): Promise<void> {
  await tx.transaction(async (savepoint) => void (await savepoint.execute(sql.raw(statement))));
}

function membership(role: string, login: string): string {
  return `GRANT ${quoted(role)} TO ${quoted(login)}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function orAskDba(tx: Db, role: string, statements: readonly string[]): Promise<void> {
  try {
    for (const statement of statements) await within(tx, statement);
  } catch (cause) {
    const code = sqlErrorOf(cause)?.code;
    if (code !== INSUFFICIENT_PRIVILEGE && code !== NO_SUCH_ROLE) throw cause;
    throw forDba(role, statements, cause);
  }
}

function forDba(role: string, statements: readonly string[], cause?: unknown): ServiceRoleMissing {
  const message = `the service works as the role ${role}, and the login that migrates may not see to that itself`;
  const lines = [`${message}. Have a DBA run this, then repeat:`, ...statements.map((statement) => `  ${statement};`)];
  return new ServiceRoleMissing(lines.join('\n'), { cause });
}

/** Every table beside the audit that has its owner: later migrations make some that nobody lists here. */
async function grantTables(tx: Db, role: string): Promise<void> {
  const { rows } = await tx.execute<{ schema: string; name: string }>(sql`
    SELECT nspname AS schema, relname AS name
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind = 'r' AND (relnamespace, relowner) = (
      SELECT relnamespace, relowner FROM pg_class WHERE oid = 'audit'::regclass)`);
  const schema = rows[0]?.schema ?? 'public';
  const table = (name: string) => sql`${sql.identifier(schema)}.${sql.identifier(name)}`;
  const list = (names: readonly string[]) => sql.join(names.map(table), sql`, `);
  const service = sql.identifier(role);
  await keepFromCreating(tx, role, schema);
  await grantUsage(tx, role, schema);
  await grantUsage(tx, role, 'drizzle');
  for (const statement of [
    sql`GRANT SELECT, INSERT, UPDATE, DELETE ON ${list(rows.map(({ name }) => name))} TO ${service}`,
    sql`REVOKE UPDATE, DELETE ON ${list(APPEND_ONLY)} FROM ${service}`,
    sql`REVOKE INSERT, UPDATE, DELETE ON ${table('registry_counter')} FROM ${service}`,
    sql`GRANT UPDATE (seq, audit_hash, audit_rows) ON ${table('registry_counter')} TO ${service}`,
    sql`REVOKE UPDATE, DELETE ON ${table('decision_chains')} FROM ${service}`,
    sql`GRANT UPDATE (rows, hash) ON ${table('decision_chains')} TO ${service}`,
    // To see what is migrated.
    sql`GRANT SELECT ON drizzle.__drizzle_migrations TO ${service}`,
  ]) {
    await tx.execute(statement);
  }
  await grantJobs(tx, role);
}

/** What the library has that keeps the queue of jobs; which version that is, the owner alone says. */
async function grantJobs(tx: Db, role: string): Promise<void> {
  const { rows } = await tx.execute(sql`SELECT 1 FROM pg_namespace WHERE nspname = 'holdfast_jobs'`);
  if (rows.length === 0) return;
  const service = sql.identifier(role);
  await grantUsage(tx, role, 'holdfast_jobs');
  await tx.execute(sql`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA holdfast_jobs TO ${service}`);
  await tx.execute(sql`REVOKE INSERT, UPDATE, DELETE ON holdfast_jobs.version FROM ${service}`);
}

/** Up to PostgreSQL 14 everybody may make tables in `public`. */
async function keepFromCreating(tx: Db, role: string, schema: string): Promise<void> {
  if (!(await may(tx, role, schema, 'CREATE'))) return;
  await tx.execute(sql`REVOKE CREATE ON SCHEMA ${sql.identifier(schema)} FROM PUBLIC`);
}

/** Who may not grant it gets a mere warning from PostgreSQL. */
async function grantUsage(tx: Db, role: string, schema: string): Promise<void> {
  const statement = `GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${quoted(role)}`;
  await orAskDba(tx, role, [statement]);
  if (!(await may(tx, role, schema, 'USAGE'))) throw forDba(role, [statement]);
}

async function may(tx: Db, role: string, schema: string, privilege: 'CREATE' | 'USAGE'): Promise<boolean> {
  const { rows } = await tx.execute<{ may: boolean }>(
    sql`SELECT has_schema_privilege(${role}, ${schema}, ${privilege}) AS may`,
  );
  return rows[0]?.may === true;
}
