/** The history of an Entity Identifier under an authority, from the audit: from its registration on. @see EVENTS §2.3.3 */
import { and, asc, desc, eq, inArray, notInArray, or, sql } from 'drizzle-orm';
import type { NumericDate } from '../../federation/time.ts';
import type { Db } from '../../storage/connect.ts';
import { audit } from '../../storage/schema/audit.ts';
import { entities } from '../../storage/schema/entities.ts';
import type { ParticipantState } from '../../storage/schema/organisations.ts';
import { entityRoleAssignments, roleAssignments } from '../../storage/schema/role-assignments.ts';
import { effectiveState, TRANSITION_NAMES, TRANSITIONS } from '../states.ts';

/** Those that the draft names, and two of our own: what ends a suspension, and leaving without fault. */
export type RegistrationEventName =
  | 'registration'
  | 'suspension'
  | 'reinstatement'
  | 'withdrawal'
  | 'revocation'
  | 'jwks_update'
  | 'metadata_update'
  | 'metadata_policy_update';

export interface RegistrationEvent {
  event: RegistrationEventName;
  at: NumericDate;
  /** Why, in the words of who decided and knew that this is public; null where nobody did. */
  reason: string | null;
}

/** Updates that a history goes back to at most; moves from one state to another are all told. */
export const MAX_UPDATE_EVENTS = 500;

/**
 * @returns the events in their order; of updates the newest {@link MAX_UPDATE_EVENTS}. None for an identifier that was
 *   never registered, whoever asked for it
 */
export async function readRegistrationEvents(
  db: Db,
  authorityId: string,
  entityIdentifier: string,
): Promise<RegistrationEvent[]> {
  const records = await db
    .select({ id: entities.id, organisationId: entities.organisationId })
    .from(entities)
    .where(and(eq(entities.entityIdentifier, entityIdentifier), eq(entities.authorityId, authorityId)))
    .orderBy(asc(entities.id));
  if (records.length === 0) return [];
  const changes = await readChanges(db, authorityId, records);
  const events = records.flatMap((record) => eventsOf(record, authorityId, changes));
  const registrations = new Set(events.filter(({ event }) => event === 'registration').map(({ at }) => at));
  return newest(events.filter(({ event, at }) => !(UPDATES.has(event) && registrations.has(at))));
}

function newest(events: readonly RegistrationEvent[]): RegistrationEvent[] {
  const updates = events.filter(({ event }) => UPDATES.has(event));
  const older = new Set(updates.slice(0, Math.max(0, updates.length - MAX_UPDATE_EVENTS)));
  return events.filter((event) => !older.has(event));
}

type RecordIds = Pick<typeof entities.$inferSelect, 'id' | 'organisationId'>;
type RecordedChange = Awaited<ReturnType<typeof readMoves>>[number];

/** In their order. */
async function readChanges(db: Db, authorityId: string, records: readonly RecordIds[]): Promise<RecordedChange[]> {
  const entityIds = [...new Set(records.map(({ id }) => id))];
  const organisationIds = [...new Set(records.map(({ organisationId }) => organisationId))];
  const moves = await readMoves(db, entityIds, organisationIds);
  const updates = await readUpdates(db, authorityId, entityIds, await readGivenPeriods(db, entityIds));
  return [...moves, ...updates].sort((one, other) => one.seq - other.seq || one.ordinal - other.ordinal);
}

const IDENTITY = {
  seq: audit.seq,
  ordinal: audit.ordinal,
  action: audit.action,
  subjectId: audit.subjectId,
  at: audit.at,
  reason: audit.reason,
};

type MovedKind = 'entity' | 'organisation';

function movesOf(kind: MovedKind): string[] {
  return TRANSITION_NAMES.map((transition) => `${kind}.${transition}`);
}

/** Changes from one state to another; people make them, so there are few. */
async function readMoves(db: Db, entityIds: readonly string[], organisationIds: readonly string[]) {
  const never = sql<boolean>`false`;
  const of = (kind: MovedKind, ids: readonly string[]) =>
    and(eq(audit.subjectKind, kind), inArray(audit.subjectId, [...ids]), inArray(audit.action, movesOf(kind)));
  return await db
    .select({ ...IDENTITY, hasOtherKeys: never, hasOtherMetadata: never, hasOtherPolicy: never })
    .from(audit)
    .where(or(of('entity', entityIds), of('organisation', organisationIds)));
}

/**
 * The newest changes of what is said about the entity. Snapshots are large: of each only whether it differs from the one
 * before is read. Authorities have metadata and keys too, but those are their own.
 */
async function readUpdates(
  db: Db,
  authorityId: string,
  entityIds: readonly string[],
  given: readonly GivenPeriod[],
): Promise<RecordedChange[]> {
  const differs = (kind: 'entity' | 'authority' | 'role', member: string) =>
    sql<boolean>`coalesce(${audit.subjectKind} = ${kind} and ${audit.before} is not null
      and ${audit.before}->${member} is distinct from ${audit.after}->${member}, false)`;
  const hasOtherKeys = differs('entity', 'keys');
  const hasOtherMetadata = differs('entity', 'metadata');
  const hasOtherPolicy = sql<boolean>`(${differs('entity', 'metadataPolicy')} or ${differs('entity', 'rolePolicies')}
    or ${differs('authority', 'defaultMetadataPolicy')} or ${differs('role', 'metadataPolicy')}
    or (${audit.action} in ('role.retire', 'role.reinstate') and ${audit.after}->'metadataPolicy' <> '{}'))`;
  const isOfEntity = and(
    eq(audit.subjectKind, 'entity'),
    inArray(audit.subjectId, [...entityIds]),
    notInArray(audit.action, movesOf('entity')),
  );
  const isOfAuthority = and(
    eq(audit.subjectKind, 'authority'),
    eq(audit.subjectId, authorityId),
    eq(audit.action, 'authority.update'),
  );
  const roleIds = [...new Set(given.map(({ roleId }) => roleId))];
  const isOfRole =
    roleIds.length === 0 ? undefined : and(eq(audit.subjectKind, 'role'), inArray(audit.subjectId, roleIds));
  const updates = await db
    .select({ ...IDENTITY, hasOtherKeys, hasOtherMetadata, hasOtherPolicy })
    .from(audit)
    .where(and(or(isOfEntity, isOfAuthority, isOfRole), or(hasOtherKeys, hasOtherMetadata, hasOtherPolicy)))
    .orderBy(desc(audit.seq), desc(audit.ordinal))
    .limit(MAX_UPDATE_EVENTS);
  return updates.filter((change) => !isOfAnyRole(change) || given.some((period) => isWithin(period, change)));
}

/** A role that an entity had, and from when until when. */
interface GivenPeriod {
  roleId: string;
  from: Date;
  /** null: still. */
  to: Date | null;
}

async function readGivenPeriods(db: Db, entityIds: readonly string[]): Promise<GivenPeriod[]> {
  const { state, createdAt: from, stateChangedAt } = entityRoleAssignments;
  const rows = await db
    .select({ roleId: roleAssignments.roleId, state, from, stateChangedAt })
    .from(entityRoleAssignments)
    .innerJoin(roleAssignments, eq(roleAssignments.id, entityRoleAssignments.roleAssignmentId))
    .where(inArray(entityRoleAssignments.entityId, [...entityIds]));
  return rows.map(({ stateChangedAt: to, ...row }) => ({ ...row, to: row.state === 'active' ? null : to }));
}

function isOfAnyRole({ action }: Pick<RecordedChange, 'action'>): boolean {
  return action.startsWith('role.');
}

function isWithin({ roleId, from, to }: GivenPeriod, { subjectId, at }: RecordedChange): boolean {
  return subjectId === roleId && from <= at && (to === null || at <= to);
}

/** What became of one record: the state that counts is the stricter of its own and its organisation's. */
function eventsOf({ id, organisationId }: RecordIds, authorityId: string, changes: readonly RecordedChange[]) {
  const events: RegistrationEvent[] = [];
  const states: Record<string, ParticipantState> = { [id]: 'pending', [organisationId]: 'pending' };
  let standing: ParticipantState = 'pending';
  for (const change of changes) {
    const { action, subjectId } = change;
    const isAboutIt = subjectId === id || subjectId === organisationId || subjectId === authorityId;
    if (!isAboutIt && !isOfAnyRole(change)) continue;
    const to = targetOf(action);
    if (to !== undefined) states[subjectId] = to;
    const now = effectiveState(states[id] ?? 'pending', states[organisationId] ?? 'pending');
    const isRegistered = events.length > 0;
    const at = Math.floor(change.at.getTime() / 1000);
    if (now !== standing) {
      const event = isRegistered ? MOVED[now] : now === 'active' ? 'registration' : undefined;
      if (event !== undefined) events.push({ event, at, reason: isRegistered ? change.reason : null });
    } else if (isRegistered && !CLOSED.has(now)) {
      // An organisation has none of these, and its name is not part of a statement.
      if (subjectId !== organisationId) events.push(...updatesIn(change, at));
    }
    standing = now;
  }
  return events;
}

const MOVED: Partial<Record<ParticipantState, RegistrationEventName>> = {
  active: 'reinstatement',
  suspended: 'suspension',
  withdrawn: 'withdrawal',
  revoked: 'revocation',
};

/** Not told for the moment of a registration, which sets these up. */
const UPDATES: ReadonlySet<RegistrationEventName> = new Set([
  'jwks_update',
  'metadata_update',
  'metadata_policy_update',
]);

/** Updates whose reasons are told, as those of all moves after a registration are: the API says so to who gives them. */
const TOLD_UPDATES: ReadonlySet<string> = new Set(['entity.remove_key', 'entity.mark_key_compromised']);

/** Nothing is said about these any more, whatever changes around them. */
const CLOSED: ReadonlySet<ParticipantState> = new Set(['rejected', 'withdrawn', 'revoked']);

function targetOf(action: string): ParticipantState | undefined {
  const verb = action.replace(/^(?:entity|organisation)\./, '');
  return Object.entries(TRANSITIONS).find(([name]) => name === verb)?.[1].to;
}

function updatesIn(change: RecordedChange, at: NumericDate): RegistrationEvent[] {
  const { action, hasOtherKeys, hasOtherMetadata, hasOtherPolicy } = change;
  const reason = TOLD_UPDATES.has(action) ? change.reason : null;
  const names: RegistrationEventName[] = [
    ...(hasOtherKeys ? ['jwks_update' as const] : []),
    ...(hasOtherMetadata ? ['metadata_update' as const] : []),
    ...(hasOtherPolicy ? ['metadata_policy_update' as const] : []),
  ];
  return names.map((event) => ({ event, at, reason }));
}
