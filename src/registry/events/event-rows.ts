/** Makes events of what a change recorded, with all that they say of the registry read in bulk. */
import { type SQL, sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import { isAnyOf } from '../../storage/any-of.ts';
import type { Tx } from '../../storage/connect.ts';
import { apiResources } from '../../storage/schema/api-resources.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { authorizationServers } from '../../storage/schema/authorization-servers.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { enrolments } from '../../storage/schema/enrolments.ts';
import { entities } from '../../storage/schema/entities.ts';
import { entityExceptions } from '../../storage/schema/entity-exceptions.ts';
import type { StatusChange } from '../../storage/schema/events.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import { entityRoleAssignments, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { roles } from '../../storage/schema/roles.ts';
import { trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import { trustMarks } from '../../storage/schema/trust-marks.ts';
import type { AuditEntry, SubjectKind } from '../change.ts';
import { isRecordId } from '../record-id.ts';
import { effectiveState } from '../states.ts';
import type { EventRow } from './event-body.ts';
import { eventTypeOf } from './event-types.ts';
import { isPublished } from './published-status.ts';

/** A row of `events` before its seq is known. The ordinal is that of the audit row that it is told of. */
export type NewEvent = Omit<EventRow, 'seq' | 'writtenAt' | 'at'>;

/**
 * To be called by the holder of the counter: whatever others change at the same time has either been seen here, or is
 * told of later with all that it finds then. Two queries, however much was recorded; one where no status of an entity
 * follows from another record's.
 */
export async function eventsOf(tx: Tx, entries: readonly AuditEntry[]): Promise<NewEvent[]> {
  const told = entries.flatMap((entry, ordinal) => {
    const type = eventTypeOf(entry.action);
    return type === undefined ? [] : [{ entry, ordinal, type }];
  });
  if (told.length === 0) return [];
  const contexts = await readContexts(tx, told);
  const members = Map.groupBy(await readMembersBelow(tx, told), ({ organisationId }) => organisationId);
  const moved = new Set(told.filter(({ entry }) => isMoved(entry)).map(({ entry }) => entry.subjectId));
  return told.map(({ entry, ordinal, type }) => {
    const context = contexts.get(ordinal) ?? NO_CONTEXT;
    const statuses = statusesOf(entry, context, members, moved);
    return {
      ordinal,
      type,
      authorityId: context.authorityId,
      subjectKind: entry.subjectKind,
      subjectId: entry.subjectId.toWellFormed(),
      organisationId: context.organisationId,
      entityId: context.entityId,
      roleIds: [...new Set([...context.roleIds, ...roleIdsIn(entry)])],
      statuses: statuses.length === 0 ? null : statuses,
      data: dataOf(entry, context),
    };
  });
}

interface Told {
  entry: AuditEntry;
  ordinal: number;
}

/** Where a record belongs, and what people know it by. */
interface Context extends Record<string, unknown> {
  authorityId: string | null;
  authorityIdentifier: string | null;
  organisationId: string | null;
  legalName: string | null;
  organisationState: ParticipantState | null;
  entityId: string | null;
  entityIdentifier: string | null;
  entityState: ParticipantState | null;
  name: string | null;
  roleIds: string[];
}

/** Of a record that is gone already. */
const NO_CONTEXT: Context = {
  ...{ authorityId: null, authorityIdentifier: null, organisationId: null, legalName: null, organisationState: null },
  ...{ entityId: null, entityIdentifier: null, entityState: null, name: null, roleIds: [] },
};

/** How a kind of records is found, and what it belongs to. */
interface Place {
  join: (id: SQL) => SQL;
  entity?: SQL;
  organisation?: SQL;
  name: SQL;
}

const joinById = (table: SQL, column: SQL) => (id: SQL) => sql`LEFT JOIN ${table} ON ${column} = ${id}`;

/** Kinds that belong to a member, besides the members themselves. */
const PLACES: Partial<Record<SubjectKind, Place>> = {
  credential: {
    join: joinById(sql`${credentials}`, sql`${credentials.id}`),
    entity: sql`${credentials.entityId}`,
    name: sql`coalesce(nullif(${credentials.subject}, ''), ${credentials.kid})`,
  },
  authorization_server: {
    join: joinById(sql`${authorizationServers}`, sql`${authorizationServers.id}`),
    entity: sql`${authorizationServers.entityId}`,
    name: sql`${authorizationServers.issuer}`,
  },
  api_resource: {
    join: (id) => sql`LEFT JOIN ${apiResources} ON ${apiResources.id} = ${id}
      LEFT JOIN ${authorizationServers} AS api_server ON api_server.id = ${apiResources.authorizationServerId}`,
    entity: sql`api_server.entity_id`,
    name: sql`${apiResources.family} || ' ' || ${apiResources.apiVersion} || ' at ' || api_server.issuer`,
  },
  entity_exception: {
    join: (id) => sql`LEFT JOIN ${entityExceptions} ON ${entityExceptions.id} = ${id}
      LEFT JOIN ${entities} AS holder ON holder.id = ${entityExceptions.entityId}`,
    entity: sql`${entityExceptions.entityId}`,
    name: sql`${entityExceptions.kind} || ' of ' || holder.entity_identifier`,
  },
  trust_mark: {
    join: (id) => sql`LEFT JOIN ${trustMarks} ON ${trustMarks.id} = ${id}
      LEFT JOIN ${trustMarkTypes} AS mark_type ON mark_type.id = ${trustMarks.typeId}`,
    entity: sql`${trustMarks.entityId}`,
    name: sql`mark_type.name || ' of ' || ${trustMarks.subject}`,
  },
  enrolment: {
    join: joinById(sql`${enrolments}`, sql`${enrolments.id}`),
    entity: sql`${enrolments.entityId}`,
    organisation: sql`${enrolments.organisationId}`,
    name: sql`${enrolments.entityIdentifier}`,
  },
  role_assignment: {
    join: (id) => sql`LEFT JOIN ${roleAssignments} ON ${roleAssignments.id} = ${id}
      LEFT JOIN ${roles} AS assigned ON assigned.id = ${roleAssignments.roleId}`,
    organisation: sql`${roleAssignments.organisationId}`,
    name: sql`assigned.name`,
  },
};

/** Only tables of the kinds that occur take part. */
async function readContexts(tx: Tx, told: readonly Told[]): Promise<Map<number, Context>> {
  const kinds = new Set<string>(told.map(({ entry }) => entry.subjectKind));
  const places = Object.entries(PLACES).filter(([kind]) => kinds.has(kind));
  const given = told.map(({ entry, ordinal }) => ({
    ...{ ordinal, kind: entry.subjectKind, authority: entry.authorityId },
    record: isRecordId(entry.subjectId) ? entry.subjectId : null,
  }));
  const joins = places.map(([kind, { join }]) => join(recordOf(kind)));
  const { rows } = await tx.execute<Context & { ordinal: number }>(sql`
    SELECT given.ordinal,
      ${authorities.id} AS "authorityId", ${authorities.entityIdentifier} AS "authorityIdentifier",
      ${organisations.id} AS "organisationId", ${organisations.legalName} AS "legalName",
      ${organisations.state} AS "organisationState", ${entities.id} AS "entityId",
      ${entities.entityIdentifier} AS "entityIdentifier", ${entities.state} AS "entityState",
      ${coalesce(places.map(([, { name }]) => name))}::text AS name, ${ROLE_IDS} AS "roleIds"
    FROM json_to_recordset(${JSON.stringify(given)}::json)
      AS given (ordinal integer, kind text, authority uuid, record uuid)
    ${sql.join(joins, sql` `)}
    LEFT JOIN ${entities} ON ${entities.id} = ${coalesce([
      recordOf('entity'),
      ...places.flatMap(([, { entity }]) => entity ?? []),
    ])}
    LEFT JOIN ${organisations} ON ${organisations.id} = ${coalesce([
      sql`${entities.organisationId}`,
      recordOf('organisation'),
      ...places.flatMap(([, { organisation }]) => organisation ?? []),
    ])}
    LEFT JOIN ${authorities} ON ${authorities.id} = given.authority`);
  return new Map(rows.map(({ ordinal, ...context }) => [ordinal, context]));
}

const recordOf = (kind: string) => sql`CASE WHEN given.kind = ${kind} THEN given.record END`;

function coalesce(parts: readonly SQL[]): SQL {
  return parts.length === 0 ? sql`NULL` : sql`coalesce(${sql.join([...parts], sql`, `)})`;
}

/** Of the entity, or of the organisation where it is not about one; whatever the dates say. */
const ROLE_IDS = sql`CASE
  WHEN ${entities.id} IS NOT NULL THEN (
    SELECT coalesce(json_agg(held.role_id ORDER BY held.role_id), '[]')
    FROM ${entityRoleAssignments}
    JOIN ${roleAssignments} AS held ON held.id = ${entityRoleAssignments.roleAssignmentId} AND held.state = 'active'
    WHERE ${entityRoleAssignments.entityId} = ${entities.id} AND ${entityRoleAssignments.state} = 'active')
  WHEN ${organisations.id} IS NOT NULL THEN (
    SELECT coalesce(json_agg(held.role_id ORDER BY held.role_id), '[]')
    FROM ${roleAssignments} AS held
    WHERE held.organisation_id = ${organisations.id} AND held.state = 'active')
  ELSE '[]' END`;

/** Roles that the entry itself tells of: given now, or taken. */
function roleIdsIn({ subjectKind, subjectId, before, after }: AuditEntry): string[] {
  if (subjectKind === 'role') return [subjectId];
  return [before, after].flatMap((snapshot) => {
    const role = snapshot?.['role'];
    const roleId = snapshot?.['roleId'] ?? (isObject(role) ? role['roleId'] : undefined);
    return typeof roleId === 'string' ? [roleId] : [];
  });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Member extends Record<string, unknown> {
  id: string;
  organisationId: string;
  state: ParticipantState;
  organisationState: ParticipantState;
}

/** Entities whose status follows from that of an organisation which is another now. */
async function readMembersBelow(tx: Tx, told: readonly Told[]): Promise<Member[]> {
  const organisationIds = told.filter(({ entry }) => isMovedOrganisation(entry)).map(({ entry }) => entry.subjectId);
  if (organisationIds.length === 0) return [];
  const { rows } = await tx.execute<Member>(sql`
    SELECT ${entities.id}, ${entities.organisationId} AS "organisationId", ${entities.state},
      ${organisations.state} AS "organisationState"
    FROM ${entities} JOIN ${organisations} ON ${organisations.id} = ${entities.organisationId}
    WHERE ${isAnyOf(entities.organisationId, organisationIds)}
    ORDER BY ${entities.id}`);
  return rows;
}

function isMovedOrganisation(entry: AuditEntry): boolean {
  return entry.subjectKind === 'organisation' && entry.before !== undefined && isMoved(entry);
}

/** Whether its own state is another, or it is new. */
function isMoved({ subjectKind, before, after }: AuditEntry): boolean {
  return (
    (subjectKind === 'organisation' || subjectKind === 'entity') &&
    typeof after?.['state'] === 'string' &&
    before?.['state'] !== after['state']
  );
}

/** Members whose status, as the public sees it, is another from then on; the subject first. */
function statusesOf(
  entry: AuditEntry,
  context: Context,
  members: ReadonlyMap<string, readonly Member[]>,
  moved: ReadonlySet<string>,
): StatusChange[] {
  if (!isMoved(entry)) return [];
  const own = ownStatus(entry, context, moved);
  if (!isMovedOrganisation(entry)) return own;
  const before = entry.before?.['state'] as ParticipantState;
  const followed = (members.get(entry.subjectId) ?? []).flatMap(({ id, state, organisationState }): StatusChange[] => {
    const status = effectiveState(state, organisationState);
    // An import changes organisations and their entities at once: what counted before is not seen from one of them.
    const isSame = entry.action !== 'organisation.import' && effectiveState(state, before) === status;
    return isPublished(state) && !isSame ? [{ kind: 'entity', id, status }] : [];
  });
  return [...own, ...followed];
}

function ownStatus(entry: AuditEntry, context: Context, moved: ReadonlySet<string>): StatusChange[] {
  const { subjectKind, subjectId: id, before } = entry;
  const { entityState, organisationState, organisationId } = context;
  if (organisationState === null) return [];
  if (subjectKind === 'organisation') {
    return isPublished(organisationState) ? [{ kind: 'organisation', id, status: organisationState }] : [];
  }
  if (entityState === null || !isPublished(entityState)) return [];
  const status = effectiveState(entityState, organisationState);
  const was = before?.['state'] as ParticipantState | undefined;
  const isSame =
    was !== undefined &&
    isPublished(was) &&
    effectiveState(was, organisationState) === status &&
    // Then nobody knows what counted before.
    !moved.has(organisationId ?? '');
  return isSame ? [] : [{ kind: 'entity', id, status }];
}

/** Never notes, contacts, who did it or which request: those who are told are others. */
function dataOf(entry: AuditEntry, context: Context): JsonObject {
  const { authorityId, authorityIdentifier } = context;
  return {
    authority: authorityId === null ? null : { id: authorityId, entityIdentifier: authorityIdentifier },
    subject: subjectOf(entry, context),
    reasonCode: reasonCodeOf(entry),
    affected: (entry.affected ?? []).map(({ kind, id, name, stateBefore, stateAfter }) => ({
      ...{ kind, id, name },
      ...{ statusBefore: stateBefore, status: stateAfter },
    })),
  };
}

function subjectOf({ subjectKind: kind, subjectId: id, before, after }: AuditEntry, context: Context): JsonObject {
  const { organisationId, organisationState, entityIdentifier, entityState } = context;
  const snapshot = after ?? before ?? {};
  const name = { organisation: context.legalName, entity: entityIdentifier }[kind as string] ?? context.name;
  const status =
    entityState !== null && organisationState !== null && kind === 'entity'
      ? effectiveState(entityState, organisationState)
      : (after?.['state'] ?? null);
  return {
    ...{ kind, id, name: name ?? nameIn(snapshot) ?? id },
    ...(entityIdentifier !== null && { entityIdentifier }),
    ...(organisationId !== null && { organisationId }),
    ...(typeof status === 'string' && { status }),
  };
}

/** Members by which records are known that belong to no member. */
const NAMES = ['name', 'entityIdentifier', 'trustMarkType', 'kid'];

function nameIn(snapshot: JsonObject): string | undefined {
  return NAMES.map((member) => snapshot[member]).find((value) => typeof value === 'string') as string | undefined;
}

/** Of the decision that was made with it; a code that an earlier one left behind says nothing. */
function reasonCodeOf({ before, after }: AuditEntry): string | null {
  if (before?.['state'] === after?.['state']) return null;
  const code = after?.['stateReasonCode'] ?? after?.['revocationReason'];
  return typeof code === 'string' ? code : null;
}
