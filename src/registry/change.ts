/** The one way to change the registry: a transaction, its audit rows, events, the next seq taken last, a notification. */
import { and, eq, getTableColumns, ne, type SQL, sql, TransactionRollbackError } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { JsonObject } from '../federation/json.ts';
import { isAnyOf } from '../storage/any-of.ts';
import { auditContents, hashAuditRow } from '../storage/audit-chain.ts';
import { CHANGES_CHANNEL } from '../storage/change-feed.ts';
import type { Db, Tx } from '../storage/connect.ts';
import { audit } from '../storage/schema/audit.ts';
import { entities } from '../storage/schema/entities.ts';
import { events } from '../storage/schema/events.ts';
import { idempotencyKeys } from '../storage/schema/idempotency-keys.ts';
import { registryCounter } from '../storage/schema/registry-counter.ts';
import type { Actor } from './actor.ts';
import { eventsOf } from './events/event-rows.ts';
import type { Action } from './events/event-types.ts';
import type { HostingSites } from './hosting/hosting-place.ts';
import type { Affected } from './life-cycle/effects.ts';
import { RegistryError } from './registry-error.ts';

/** What every verb needs to act: where, who, when, and whom to tell. */
export interface ChangeContext {
  db: Db;
  actor: Actor;
  now: Date;
  requestId: string | null;
  newId: () => string;
  /** Whether `http` Entity Identifiers are accepted beyond loopback. */
  allowHttp: boolean;
  /** Claims whose meaning this federation defined; none by default. */
  understoodClaims?: ReadonlySet<string>;
  /** Host names of the deployment, and of the entities that it hosts; these two are kept apart. */
  hostingSites?: HostingSites;
  /** Why nothing can be delivered to a webhook's URL, whatever answers there; undefined: nothing is known against it. */
  webhookUrlObjection?: (url: string) => string | undefined;
  /** Resolves when this node's own caches follow the registry up to `seq`. */
  committed: (seq: number) => Promise<void>;
}

/** Names of the kinds of records that audit rows and change notifications speak of. */
export type SubjectKind =
  | 'authority'
  | 'authority_key'
  | 'organisation'
  | 'contact'
  | 'entity'
  | 'enrolment'
  | 'authorisation_domain'
  | 'role'
  | 'role_assignment'
  | 'authorization_server'
  | 'api_resource'
  | 'credential'
  | 'certification_authority'
  | 'certificate_request'
  | 'certificate_code'
  | 'entity_exception'
  | 'trust_anchor'
  | 'trust_mark_type'
  | 'trust_mark'
  | 'trust_mark_delegation'
  | 'held_trust_mark'
  | 'trust_list_entry'
  | 'enforcement_point'
  | 'token_issuer'
  | 'api_token'
  | 'webhook'
  | 'import'
  | 'deployment';

export interface AuditEntry {
  /** `<kind>.<verb>`, such as `entity.suspend`; whether others are told of it says event-types.ts. */
  action: Action;
  authorityId: string | null;
  subjectKind: SubjectKind;
  subjectId: string;
  before?: JsonObject;
  after?: JsonObject;
  reason?: string;
  /** What it does to everything below: not part of the audit, but of what others are told. */
  affected?: readonly Affected[];
}

/** Marks a request that may be repeated: the same key and the same request make one record only. */
export interface Idempotency {
  key: string;
  /** Digest of method, path and body. */
  requestHash: string;
}

export interface ChangeOptions {
  /** Does all of the work, and takes it back: what it returns is what would come of it. */
  isDryRun?: boolean | undefined;
  /** Told the seq of the change, before it is waited for. */
  onSeq?: (seq: number) => void;
}

/**
 * Runs a change. What `work` records becomes audit rows and events under the next `seq`, which is taken after all else,
 * so that the counter is locked briefly and numbers appear in the order of commits. Work that records nothing takes no seq.
 */
export async function changeRegistry<T>(
  context: ChangeContext,
  work: (tx: Tx, record: (entry: AuditEntry) => void) => Promise<T>,
  { isDryRun = false, onSeq }: ChangeOptions = {},
): Promise<T> {
  const { result, seq } = await withoutTrace(isDryRun, context.db, async (tx) => {
    const entries: AuditEntry[] = [];
    const result = await work(tx, (entry) => entries.push(entry));
    if (isDryRun) return { result, seq: null };
    if (entries.length === 0) return { result, seq: null };
    await markUpdated(tx, entries, context.now);
    return { result, seq: await writeAudit(tx, context, entries) };
  });
  if (seq === null) return result;
  onSeq?.(seq);
  await context.committed(seq);
  return result;
}

/** A transaction, which a dry run rolls back once all is done. */
async function withoutTrace<T>(isDryRun: boolean, db: Db, run: (tx: Tx) => Promise<T>): Promise<T> {
  const tried: { outcome?: T } = {};
  try {
    return await db.transaction(async (tx) => {
      const outcome = await run(tx);
      if (!isDryRun) return outcome;
      tried.outcome = outcome;
      return tx.rollback();
    });
  } catch (error) {
    if (error instanceof TransactionRollbackError && tried.outcome !== undefined) return tried.outcome;
    throw error;
  }
}

/**
 * Whatever is recorded of an entity may change what its superior says about it; to be told too often is harmless. Those
 * that the work made or marked itself are not written again.
 */
async function markUpdated(tx: Tx, entries: readonly AuditEntry[], now: Date): Promise<void> {
  const ids = entries
    .filter(({ subjectKind, action }) => subjectKind === 'entity' && action !== 'entity.add')
    .map(({ subjectId }) => subjectId);
  if (ids.length === 0) return;
  await tx
    .update(entities)
    .set({ updatedAt: now })
    .where(and(isAnyOf(entities.id, ids), ne(entities.updatedAt, now)));
}

/** A change of many rows travels in several messages. */
const ROWS_AT_A_TIME = 4000;

/** Takes the counter, whose holder alone may add to the chain, then writes rows, end of the chain and notification at once. */
async function writeAudit(tx: Tx, context: ChangeContext, entries: readonly AuditEntry[]): Promise<number> {
  const [counter] = await tx
    .update(registryCounter)
    .set({ seq: sql`${registryCounter.seq} + 1` })
    .where(eq(registryCounter.id, 1))
    .returning({ seq: registryCounter.seq, auditHash: registryCounter.auditHash });
  if (counter === undefined) throw new Error('the registry counter is missing; restore the database');
  if (counter.auditHash === null) throw new Error('the audit is not chained yet; run `holdfast migrate`');
  const { kind, id, name } = context.actor;
  let hash = counter.auditHash;
  const rows = entries.map((entry, ordinal) => {
    const place = { seq: counter.seq, ordinal };
    const row = { ...entry, ...place, at: context.now, actor: { kind, id, name }, requestId: context.requestId };
    const contents = auditContents(row);
    hash = hashAuditRow(hash, contents);
    return { ...contents, hash };
  });
  for (; rows.length > ROWS_AT_A_TIME; rows.splice(0, ROWS_AT_A_TIME)) {
    await tx.insert(audit).select(auditRows(rows.slice(0, ROWS_AT_A_TIME)));
  }
  const news = (await eventsOf(tx, entries)).map((event) => ({ ...event, seq: counter.seq, at: context.now }));
  for (; news.length > ROWS_AT_A_TIME; news.splice(0, ROWS_AT_A_TIME)) {
    await tx.insert(events).select(eventRows(news.slice(0, ROWS_AT_A_TIME)));
  }
  const written = tx.$with('written').as(tx.insert(audit).select(auditRows(rows)).returning({ seq: audit.seq }));
  const told = tx.$with('told').as(tx.insert(events).select(eventRows(news)).returning({ seq: events.seq }));
  const chained = tx.$with('chained').as(
    tx
      .update(registryCounter)
      .set({ auditHash: hash, auditRows: sql`${registryCounter.auditRows} + ${entries.length}` })
      .where(eq(registryCounter.id, 1))
      .returning({ seq: registryCounter.seq }),
  );
  await tx
    .with(written, told, chained)
    .select({ notified: sql`pg_notify(${CHANGES_CHANNEL}, ${String(counter.seq)})` })
    .from(chained);
  return counter.seq;
}

/** Makes rows of a table out of one parameter, however many they are. */
function rowsOf(table: PgTable): (rows: readonly object[]) => SQL {
  const columns = Object.entries(getTableColumns(table)).map(([member, column]) => {
    // By the clock of the database, whatever a node believes.
    const value = member === 'writtenAt' ? sql`clock_timestamp()` : sql.identifier(member);
    return { value, member: sql`${sql.identifier(member)} ${sql.raw(column.getSQLType())}` };
  });
  const values = sql.join(
    columns.map(({ value }) => value),
    sql`, `,
  );
  const members = sql.join(
    columns.map(({ member }) => member),
    sql`, `,
  );
  return (rows) => sql`select ${values} from json_to_recordset(${JSON.stringify(rows)}::json) as given (${members})`;
}

const auditRows = rowsOf(audit);
const eventRows = rowsOf(events);

/**
 * Makes a record at most once for an idempotency key, inside the transaction that makes it.
 * @param id of the record, where something was got ready for it before
 * @returns the id of the record made now or before, and whether it is new
 * @throws RegistryError idempotency_key_reused when the key came with another request
 */
export async function createOnce(
  tx: Tx,
  context: ChangeContext,
  idempotency: Idempotency | undefined,
  create: (id: string) => Promise<void>,
  id = context.newId(),
): Promise<{ id: string; isNew: boolean }> {
  if (idempotency !== undefined) {
    const claimed = await tx
      .insert(idempotencyKeys)
      .values({ actorId: context.actor.id, ...idempotency, subjectId: id, createdAt: context.now })
      .onConflictDoNothing()
      .returning({ key: idempotencyKeys.key });
    if (claimed.length === 0) {
      const earlier = await madeBefore(tx, context.actor, idempotency);
      if (earlier !== undefined) return { id: earlier, isNew: false };
    }
  }
  await create(id);
  return { id, isNew: true };
}

/**
 * The record that an earlier request with this idempotency key made.
 * @throws RegistryError idempotency_key_reused
 */
export async function madeBefore(db: Db | Tx, actor: Actor, idempotency: Idempotency): Promise<string | undefined> {
  const [earlier] = await db
    .select({ subjectId: idempotencyKeys.subjectId, requestHash: idempotencyKeys.requestHash })
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.actorId, actor.id), eq(idempotencyKeys.key, idempotency.key)));
  if (earlier === undefined) return undefined;
  if (earlier.requestHash !== idempotency.requestHash) {
    throw new RegistryError('idempotency_key_reused', 'this Idempotency-Key came with another request; use a new one');
  }
  return earlier.subjectId;
}

/** The record with the given members in place of its own; a member that is undefined leaves what there is. */
export function withChanges<T extends object>(record: T, changes: Partial<NoInfer<T>>): T {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return { ...record, ...Object.fromEntries(given) };
}

/**
 * Refuses to change a record that is no longer what the caller saw.
 * @throws RegistryError version_mismatch
 */
export function requireVersion(record: { version: number }, expectedVersion: number | undefined): void {
  if (expectedVersion === undefined || record.version === expectedVersion) return;
  const message = 'the record changed since it was read; read it again and decide anew';
  throw new RegistryError('version_mismatch', message, { version: record.version });
}
