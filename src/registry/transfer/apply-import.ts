/** Writes what an import plans, in the transaction of the verb: many rows at a time, and refused whole where one cannot be. */
import { and, count, eq, inArray, isNull, not, or, sql } from 'drizzle-orm';
import { canonicalJson, isJsonObject, type JsonObject, jsonEquals } from '../../federation/json.ts';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Tx } from '../../storage/connect.ts';
import { credentials, transportKeys } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { trustListEntries } from '../../storage/schema/trust-list-entries.ts';
import { longestOwnLifetime, raiseLongestLifetime } from '../authorities/keys/longest-lifetime.ts';
import type { AuditEntry, ChangeContext } from '../change.ts';
import { isOpen } from '../credentials/credential-standing.ts';
import { DISBELIEVED, revokedByStaff } from '../credentials/insert-credential.ts';
import { requireOneEnvironment } from '../credentials/one-environment.ts';
import { endHosting, hostedOf } from '../hosting/end-hosting.ts';
import { requireHostingPlace, requireNoHostingPlace } from '../hosting/hosting-place.ts';
import { type Affected, withEffects } from '../life-cycle/effects.ts';
import { RegistryError } from '../registry-error.ts';
import { hasRole, requireMergeable, touchHolders } from '../roles/role-holders.ts';
import { LIVE_STATES } from '../states.ts';
import { MAX_TRUST_LIST_ENTRIES } from '../trust-lists/trust-list-entry.ts';
import { Problems } from './import-document.ts';
import { isOpenRecord } from './kinds/organisations.ts';
import type { ImportPlan, Written } from './plan-import.ts';
import { insertRows, type KindName, membersOf, namedRecord, type Rows, updateRow } from './record-kind.ts';
import { kindNamed, RECORD_KINDS } from './record-kinds.ts';

/** As whoever changes roles takes hold of records; all others come after these. */
const LOCK_ORDER: readonly KindName[] = ['roles', 'entities', 'organisations', 'authorities'];

/**
 * @throws RegistryError validation_failed with every record that another one here stands against, policy_conflict,
 *   wrong_environment, version_mismatch when something changed meanwhile
 */
export async function applyImport(
  tx: Tx,
  context: ChangeContext,
  plan: ImportPlan,
  { isRestore, record }: { isRestore: boolean; record: (entry: AuditEntry) => void },
): Promise<void> {
  await holdStill(tx, plan);
  const problems = new Problems();
  for (const { name } of RECORD_KINDS) {
    await insertAdded(
      tx,
      context,
      plan,
      plan.added.filter(({ kind }) => kind.name === name),
      problems,
    );
    // What rests on it cannot be written either.
    problems.throwIfAny();
  }
  const affected = new Map<Written, readonly Affected[]>();
  const withMore = await organisationsOfOthers(tx, plan);
  for (const written of plan.changed) {
    affected.set(written, await writeChanged(tx, plan, written, withMore.has(written.record.id)));
  }
  await claimTransportKeys(tx, plan, problems);
  if (!isRestore) await refuseBarredKeys(tx, plan, problems);
  await requirePlaces(tx, context, plan, problems);
  await requireFewEntries(tx, plan, problems);
  problems.throwIfAny();
  await requireEnvironments(tx, context, plan);
  await followChanges(tx, context, plan);
  await requirePolicies(tx, plan);
  for (const written of [...plan.added, ...plan.changed]) {
    record({ ...auditEntry(written), affected: affected.get(written) ?? [] });
  }
}

/** Nothing that was compared, or that others will rest on, changes until the transaction ends. */
async function holdStill(tx: Tx, plan: ImportPlan): Promise<void> {
  const changed = Map.groupBy(plan.changed, ({ kind }) => kind.name);
  const others = RECORD_KINDS.map(({ name }) => name).filter((name) => !LOCK_ORDER.includes(name));
  for (const name of [...LOCK_ORDER, ...others]) {
    const ids = (changed.get(name) ?? []).map(({ record }) => record.id);
    await hold(tx, plan, name, ids, 'update');
    await hold(tx, plan, name, [...(plan.restsOn.get(name) ?? [])], 'share');
  }
}

async function hold(
  tx: Tx,
  plan: ImportPlan,
  name: KindName,
  ids: readonly string[],
  strength: 'update' | 'share',
): Promise<void> {
  if (ids.length === 0) return;
  const { table, read } = kindNamed(name);
  await tx.select({ id: table.id }).from(table).where(isAnyOf(table.id, ids)).orderBy(table.id).for(strength);
  for (const present of await read(tx, { ids })) {
    const compared = namedRecord(plan.here, name, present.id);
    if (compared !== undefined && jsonEquals(membersOf(present), membersOf(compared))) continue;
    throw new RegistryError('version_mismatch', 'the registry changed while the document was read; try again');
  }
}

async function insertAdded(
  tx: Tx,
  context: ChangeContext,
  plan: ImportPlan,
  added: readonly Written[],
  problems: Problems,
): Promise<void> {
  const [first] = added;
  if (first === undefined) return;
  const { kind } = first;
  const { actor, now, newId } = context;
  const rows: Record<string, unknown>[] = [];
  const children = new Map<Rows['table'], Rows & { of: Map<unknown, Written> }>();
  for (const written of added) {
    const { id } = written.record;
    const columns = await kind.columns(written.record, plan.context);
    const beginning = kind.beginning?.(written.record, { actor, now, newId });
    rows.push({ createdAt: now, version: 1, ...columns, ...beginning, id });
    for (const { table, by, rows: below } of kind.children?.(written.record, { actor, now, newId }) ?? []) {
      const all = children.get(table) ?? { table, by, rows: [], of: new Map() };
      for (const row of below) all.of.set(row[by], written);
      children.set(table, { ...all, rows: [...all.rows, ...below] });
    }
  }
  const ids = await insertRows(tx, kind.table, rows, 'id');
  for (const { record, at } of added) {
    if (!ids.has(record.id))
      problems.add(
        at,
        `stands against another record, here or in the document: ${kind.nameOf(record, plan.context.known)}`,
      );
  }
  // What has no owner cannot be written.
  if (ids.size < added.length) return;
  for (const { table, by, rows: below, of } of children.values()) {
    const known = await insertRows(tx, table, below, by);
    for (const [key, { at }] of of) {
      if (!known.has(String(key)))
        problems.add(at, `${String(key)} stands for something else here, or in the document`);
    }
  }
}

function isMoved({ record, before }: Written): boolean {
  return before !== undefined && !jsonEquals(membersOf(before)['state'], membersOf(record)['state']);
}

/** Organisations whose state changes, and that have entities which nobody is told of otherwise. */
async function organisationsOfOthers(tx: Tx, plan: ImportPlan): Promise<ReadonlySet<string>> {
  const moved = plan.changed.filter(isMoved);
  const idsOf = (name: KindName) => moved.filter(({ kind }) => kind.name === name).map(({ record }) => record.id);
  const { organisationId, id } = entities;
  const rows = await tx
    .selectDistinct({ organisationId })
    .from(entities)
    .where(and(isAnyOf(organisationId, idsOf('organisations')), not(isAnyOf(id, idsOf('entities')))));
  return new Set(rows.map((row) => row.organisationId));
}

/** @returns what it does to all below the record, where others have to be told */
async function writeChanged(
  tx: Tx,
  plan: ImportPlan,
  { kind, record, at }: Written,
  isTold: boolean,
): Promise<readonly Affected[]> {
  const columns = await kind.columns(record, plan.context);
  const write = () => updateRow(tx, kind.table, record.id, columns);
  try {
    if (isTold) return (await withEffects(tx, { organisationId: record.id }, plan.context.now, write)).affected;
    await write();
    return [];
  } catch (error) {
    throw new ImportConflict(at, kind.nameOf(record, plan.context.known), error);
  }
}

/** A record whose change the database refused: the transaction is over with it. */
export class ImportConflict extends Error {
  override readonly name = 'ImportConflict';
  readonly at: string;

  constructor(at: string, record: string, cause: unknown) {
    super(`stands against another record, here or in the document: ${record}`, { cause });
    this.at = at;
  }
}

function addedOf(plan: ImportPlan, kind: KindName): Written[] {
  return plan.added.filter((written) => written.kind.name === kind);
}

/** One key speaks for one entity: whoever has it keeps it. */
async function claimTransportKeys(tx: Tx, plan: ImportPlan, problems: Problems): Promise<void> {
  const written = [...addedOf(plan, 'credentials'), ...plan.changed.filter(({ kind }) => kind.name === 'credentials')];
  const places = new Map(written.map(({ record, at }) => [record.id, at]));
  const { id, entityId, spkiSha256 } = credentials;
  const open = await tx
    .select({ id, entityId, spkiSha256 })
    .from(credentials)
    .where(and(isAnyOf(id, [...places.keys()]), eq(credentials.usage, 'transport'), isOpen(plan.context.now)));
  await insertRows(
    tx,
    transportKeys,
    open.map((row) => ({ spkiSha256: row.spkiSha256, entityId: row.entityId })),
    'spkiSha256',
  );
  const keys = open.map((row) => row.spkiSha256);
  const holders = await tx.select().from(transportKeys).where(isAnyOf(transportKeys.spkiSha256, keys));
  const holderOf = new Map(holders.map((row) => [row.spkiSha256, row.entityId]));
  for (const row of open) {
    if (holderOf.get(row.spkiSha256) === row.entityId) continue;
    problems.add(places.get(row.id) ?? '', 'has a key that is in use by another entity, or in another environment');
  }
}

/** A key that somebody else has is nobody's proof any more, whoever brings it. */
async function refuseBarredKeys(tx: Tx, plan: ImportPlan, problems: Problems): Promise<void> {
  const added = new Map(addedOf(plan, 'credentials').map(({ record, at }) => [record.id, at]));
  const { rows } = await tx.execute<{ id: string }>(sql`
    select c.id from ${credentials} as c
      join ${credentials} as b on b.spki_sha256 = c.spki_sha256 and b.authority_id = c.authority_id
      join ${entities} as of_b on of_b.id = b.entity_id
      join ${entities} as of_c on of_c.id = c.entity_id
    where c.id = any(${sql.param([...added.keys()])}::uuid[]) and c.state <> 'revoked'
      and (b.revocation_reason = 'key_compromise'
        or (b.revocation_reason = any(${sql.param(DISBELIEVED)}::text[]) and b.x5t_s256 = c.x5t_s256))
      and (b.possession = 'proven' or of_b.organisation_id = of_c.organisation_id or ${revokedByStaff('b')})`);
  for (const { id } of rows)
    problems.add(added.get(id) ?? '', 'has a key or certificate that was barred and does not return');
}

/** Authorities and hosted entities are on hosts of their own. */
async function requirePlaces(tx: Tx, context: ChangeContext, plan: ImportPlan, problems: Problems): Promise<void> {
  for (const { record, at } of addedOf(plan, 'authorities')) {
    const { entityIdentifier } = membersOf(record);
    await told(problems, at, () => requireNoHostingPlace(context, tx, String(entityIdentifier)));
  }
  for (const { record, at } of addedOf(plan, 'entities')) {
    const { entityIdentifier, organisationId, hosting } = membersOf(record);
    if (hosting === null || !isOpenRecord(record)) continue;
    const place = { entityIdentifier: String(entityIdentifier), organisationId: String(organisationId) };
    await told(problems, at, () => requireHostingPlace(tx, place, context.hostingSites));
  }
}

async function told(problems: Problems, at: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    problems.addRefusal(at, error);
  }
}

/** All of a list are read where a path is looked for. */
async function requireFewEntries(tx: Tx, plan: ImportPlan, problems: Problems): Promise<void> {
  const [first] = addedOf(plan, 'trustListEntries');
  if (first === undefined) return;
  const lists = await tx
    .select({ entries: count() })
    .from(trustListEntries)
    .where(isNull(trustListEntries.removedAt))
    .groupBy(trustListEntries.authorityId, trustListEntries.purpose);
  if (lists.every(({ entries }) => entries <= MAX_TRUST_LIST_ENTRIES)) return;
  problems.add(first.at, `is too many: a trust list has at most ${MAX_TRUST_LIST_ENTRIES} authorities for one purpose`);
}

/** @throws RegistryError wrong_environment */
async function requireEnvironments(tx: Tx, { now }: ChangeContext, plan: ImportPlan): Promise<void> {
  const touched = plan.added.filter(({ kind }) => kind.name === 'entities' || kind.name === 'credentials');
  const ids = new Set(
    touched.map(({ kind, record }) => (kind.name === 'entities' ? record.id : String(membersOf(record)['entityId']))),
  );
  const { rows } = await tx.execute<{ id: string }>(sql`
    select one.id from ${entities} as one
    where one.id = any(${sql.param([...ids])}::uuid[]) and exists (
      select 1 from ${entities} as other
      where other.entity_identifier = one.entity_identifier and other.id <> one.id
        and other.state in ('pending', 'active', 'suspended'))`);
  const twice = rows.map(({ id }) => id);
  for (const entity of await tx.select().from(entities).where(isAnyOf(entities.id, twice))) {
    if (LIVE_STATES.includes(entity.state)) await requireOneEnvironment(tx, entity, now);
  }
}

/** What the verbs do besides: whoever has a role is told, what is closed is hosted no more, keys stay for long enough. */
async function followChanges(tx: Tx, context: ChangeContext, plan: ImportPlan): Promise<void> {
  for (const { kind, record } of plan.changed) {
    if (kind.name === 'roles') await touchHolders(tx, { roleId: record.id }, context.now);
    if (!('state' in record) || isOpenRecord(record)) continue;
    if (kind.name === 'entities') await endHosting(tx, [record.id], context.now);
    if (kind.name === 'organisations') await endHosting(tx, await hostedOf(tx, record.id), context.now);
  }
  const lifetimes = new Map<string, number>();
  for (const { kind, record, authorityId } of [...plan.added, ...plan.changed]) {
    const members = membersOf(record);
    const own = { configurationLifetimeSeconds: 0, statementLifetimeSeconds: 0, resolveLifetimeSeconds: 0 };
    for (const name of [
      'configurationLifetimeSeconds',
      'statementLifetimeSeconds',
      'resolveLifetimeSeconds',
    ] as const) {
      if (typeof members[name] === 'number' && (kind.name === 'authorities' || kind.name === 'entities'))
        own[name] = members[name];
    }
    lifetimes.set(authorityId, Math.max(lifetimes.get(authorityId) ?? 0, longestOwnLifetime(own)));
  }
  for (const [authorityId, seconds] of lifetimes) if (seconds > 0) await raiseLongestLifetime(tx, authorityId, seconds);
}

/** Policies of authorities, roles and entities go together, whatever the clock says of the roles. */
async function requirePolicies(tx: Tx, plan: ImportPlan): Promise<void> {
  const brings: readonly KindName[] = ['authorities', 'roles', 'entities', 'entityRoles'];
  const touched = [...plan.added, ...plan.changed].filter(({ kind }) => brings.includes(kind.name));
  for (const authorityId of new Set(touched.map((written) => written.authorityId))) {
    const authority = namedRecord(plan.context.known, 'authorities', authorityId);
    const authorityDefault = authority && membersOf(authority)['defaultMetadataPolicy'];
    if (!isJsonObject(authorityDefault)) continue;
    const { id, entityIdentifier, metadataPolicy, state } = entities;
    const withPolicy = await tx
      .select({ id, entityIdentifier, metadataPolicy })
      .from(entities)
      .where(
        and(
          eq(entities.authorityId, authorityId),
          inArray(state, [...LIVE_STATES]),
          or(sql`${metadataPolicy} <> '{}'::jsonb`, hasRole(tx)),
        ),
      )
      .orderBy(id);
    await requireMergeable(tx, authorityDefault, withPolicy, '');
  }
}

function auditEntry({ kind, record, before, authorityId }: Written): AuditEntry {
  const [after, then] = [auditMembers(record), before && auditMembers(before)];
  // A role is given by a change of its entity.
  const subjectId = kind.name === 'entityRoles' ? String(after['entityId']) : record.id;
  const entry = { action: kind.action, authorityId, subjectKind: kind.subjectKind, subjectId };
  if (then === undefined) return { ...entry, after };
  const changed = Object.keys(after).filter(
    (member) => canonicalJson(after[member] ?? null) !== canonicalJson(then[member] ?? null),
  );
  const only = (all: JsonObject) => Object.fromEntries(changed.map((member) => [member, all[member] ?? null]));
  return { ...entry, before: only(then), after: only(after) };
}

/** What checks saw may be large, and stands in the record. */
function auditMembers(record: JsonObject | { id: string }): JsonObject {
  const { evidence: _, id: __, state, ...members } = membersOf({ id: '', ...record });
  if (!isJsonObject(state)) return { ...members, ...(state !== undefined && { state }) };
  const { is = null, reason = null, reasonCode = null, until = null } = state;
  return { ...members, state: is, stateReason: reason, stateReasonCode: reasonCode, suspendedUntil: until };
}
