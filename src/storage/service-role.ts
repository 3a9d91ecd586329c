/** The role that the service works as: it reads and writes all tables, and can only add to the audit. */
import { sql, TransactionRollbackError } from 'drizzle-orm';
import type { Db } from './connect.ts';
import { sqlErrorOf } from './sql-error.ts';

/** One for the whole cluster; what it may do is granted in each database. */
export const SERVICE_ROLE = 'holdfast_service';

const ROLE = sql.identifier(SERVICE_ROLE);

/** Tables whose rows stay as they were written. */
const APPEND_ONLY = ['audit', 'audit_checkpoints'];

const INSUFFICIENT_PRIVILEGE = '42501';
const NO_SUCH_ROLE = '42704';
/** Another database of the cluster made the role at the same moment. */
const EXISTS_BY_NOW = new Set(['42710', '23505']);

/** Whoever migrates may not make the role or hand it on. The message has what a DBA runs instead. */
export class ServiceRoleMissing extends Error {
  override readonly name = 'ServiceRoleMissing';
}

/**
 * Makes the role if it is missing, lets the service's login take it, and grants it the tables as they are now: to be
 * run after the migrations, each time.
 * @param login whose connections become the role; whoever migrates unless given
 * @throws ServiceRoleMissing
 */
export async function prepareServiceRole(tx: Db, login?: string): Promise<void> {
  const service = login ?? (await currentUser(tx));
  if (!(await serviceRoleExists(tx))) await makeRole(tx, service);
  const isMember = login === undefined ? await canBecomeService(tx) : await isMemberOf(tx, login);
  if (!isMember) {
    await orAskDba([grantTo(service)], () => within(tx, sql`GRANT ${ROLE} TO ${sql.identifier(service)}`));
  }
  await grantTables(tx);
}

export async function serviceRoleExists(db: Db): Promise<boolean> {
  const { rows } = await db.execute(sql`SELECT 1 FROM pg_roles WHERE rolname = ${SERVICE_ROLE}`);
  return rows.length > 0;
}

async function currentUser(tx: Db): Promise<string> {
  const { rows } = await tx.execute<{ name: string }>(sql`SELECT current_user AS name`);
  return rows[0]?.name ?? '';
}

async function makeRole(tx: Db, login: string): Promise<void> {
  await orAskDba([`CREATE ROLE ${SERVICE_ROLE} NOLOGIN;`, grantTo(login)], async () => {
    try {
      await within(tx, sql`CREATE ROLE ${ROLE} NOLOGIN`);
    } catch (error) {
      if (!EXISTS_BY_NOW.has(sqlErrorOf(error)?.code ?? '')) throw error;
    }
  });
}

/** From PostgreSQL 16 on who made a role is a member that cannot take it on: only the attempt tells. */
async function canBecomeService(tx: Db): Promise<boolean> {
  try {
    await tx.transaction(async (savepoint) => {
      await savepoint.execute(sql`SET LOCAL ROLE ${ROLE}`);
      savepoint.rollback();
    });
    return true;
  } catch (error) {
    if (error instanceof TransactionRollbackError) return true;
    if (sqlErrorOf(error)?.code === INSUFFICIENT_PRIVILEGE) return false;
    throw error;
  }
}

async function isMemberOf(tx: Db, login: string): Promise<boolean> {
  const { rows } = await tx.execute<{ member: boolean }>(
    sql`SELECT pg_has_role(oid, ${SERVICE_ROLE}, 'MEMBER') AS member FROM pg_roles WHERE rolname = ${login}`,
  );
  return rows[0]?.member === true;
}

/** In a savepoint: what fails there leaves the transaction as it was. */
async function within(tx: Db, statement: ReturnType<typeof sql>): Promise<void> {
  await tx.transaction(async (savepoint) => void (await savepoint.execute(statement)));
}

function grantTo(login: string): string {
  return `GRANT ${SERVICE_ROLE} TO "${login.replaceAll('"', '""')}";`;
}

async function orAskDba(statements: readonly string[], step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (cause) {
    const code = sqlErrorOf(cause)?.code;
    if (code !== INSUFFICIENT_PRIVILEGE && code !== NO_SUCH_ROLE) throw cause;
    const message = `the service works as the role ${SERVICE_ROLE}, and the login that migrates may not see to that itself`;
    const lines = [`${message}. Have a DBA run this, then repeat:`, ...statements.map((statement) => `  ${statement}`)];
    throw new ServiceRoleMissing(lines.join('\n'), { cause });
  }
}

/** Every table beside the audit that has its owner: later migrations make some that nobody lists here. */
async function grantTables(tx: Db): Promise<void> {
  const { rows } = await tx.execute<{ name: string }>(sql`
    SELECT relname AS name FROM pg_class
    WHERE relkind = 'r' AND (relnamespace, relowner) = (
      SELECT relnamespace, relowner FROM pg_class WHERE oid = 'audit'::regclass)`);
  const tables = sql.join(
    rows.map(({ name }) => sql.identifier(name)),
    sql`, `,
  );
  const appendOnly = sql.join(
    APPEND_ONLY.map((name) => sql.identifier(name)),
    sql`, `,
  );
  for (const statement of [
    // Up to PostgreSQL 14 everybody may make tables in it.
    sql`REVOKE CREATE ON SCHEMA public FROM PUBLIC`,
    sql`GRANT USAGE ON SCHEMA public TO ${ROLE}`,
    sql`GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables} TO ${ROLE}`,
    sql`REVOKE UPDATE, DELETE ON ${appendOnly} FROM ${ROLE}`,
    sql`REVOKE INSERT, UPDATE, DELETE ON registry_counter FROM ${ROLE}`,
    sql`GRANT UPDATE (seq, audit_hash, audit_rows) ON registry_counter TO ${ROLE}`,
    // To see what is migrated.
    sql`GRANT USAGE ON SCHEMA drizzle TO ${ROLE}`,
    sql`GRANT SELECT ON drizzle.__drizzle_migrations TO ${ROLE}`,
  ]) {
    await tx.execute(statement);
  }
}
